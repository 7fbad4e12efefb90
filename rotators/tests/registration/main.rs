//! Dynamically registered clients, against a certified OAuth server.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "../support/hidden.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod hidden;

use std::sync::Arc;
use std::time::Duration;

use harness::oidc::{Endpoint, Misbehaviour, OidcProvider, Settings};
use harness::proxy::Fault as Strike;
use rotators::oauth::registration::{RegisteredClient, Registration, RegistrationSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::{Driver, Fault, Prover, Target, Trial, World};
use serde_json::json;

const SECRET: &str = "app/client";

async fn server(settings: Settings) -> OidcProvider {
    let client = json!({
        "client_id": "reports", "client_secret": "sentinel-of-the-first-client-secret",
        "client_name": "Reports",
    });
    OidcProvider::start(settings.client(client)).await
}

/// The client's secret as it is now, with another token that opens its record.
async fn secret(server: &OidcProvider) -> SecretDocument {
    let client = server.client("reports").await.expect("a client");
    let secret = json!({
        "client_id": "reports", "client_secret": client["client_secret"],
        "registration_client_uri": format!("{}/reports", server.registration_url()),
        "registration_access_token": server.registration_access_token("reports").await,
        "note": 1.50,
    });
    SecretDocument::from_text(&secret.to_string())
}

fn rotator(server: &OidcProvider, token: &str) -> Registration {
    let configuration = json!({
        "allowed_hosts": ["127.0.0.1"],
        "test": {"mint": {"token_url": server.token_url()}},
        "registration_access_token": token,
    });
    let settings = RegistrationSettings::parse(&configuration.to_string());
    Registration::new(settings.expect("a configuration"))
}

struct Stage {
    server: OidcProvider,
    store: MemoryStore,
    token: &'static str,
}

impl Stage {
    async fn start(settings: Settings, token: &'static str) -> Self {
        let server = server(settings).await;
        let store = MemoryStore::new();
        let first = secret(&server).await;
        store
            .put_current(&SECRET.into(), &version(0), &first)
            .expect("a first value");
        server.reset().await;
        Self {
            server,
            store,
            token,
        }
    }

    fn begin(&self, n: usize) {
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        let rotation = Rotation::new(self.store.clone(), rotator(&self.server, self.token));
        let id = SECRET.into();
        let driver = Driver::new(&self.store, &rotation, &id);
        let transitions = driver.send_all(&version(n)).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    async fn current(&self, key: &'static str) -> String {
        let version = Version::Labelled(Label::Current);
        let value = self.store.get(&SECRET.into(), &version).await;
        let text = value.expect("a version").document.text(key);
        text.expect("a text").expose_secret().to_owned()
    }

    async fn is_current_at_the_server(&self) -> bool {
        let client = self.server.client("reports").await.expect("a client");
        client["client_secret"] == self.current("client_secret").await
    }
}

fn version(n: usize) -> secrets_core::event::VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}

#[tokio::test]
async fn the_secret_of_a_registered_client_rotates_and_its_record_stays() {
    for (settings, token) in [
        (Settings::new().new_secret_on_update(), "fixed"),
        (
            Settings::new()
                .new_secret_on_update()
                .rotate_registration_access_tokens(),
            "rotates",
        ),
    ] {
        let stage = Stage::start(settings, token).await;
        for n in 1..=3 {
            let secret = stage.current("client_secret").await;
            let opener = stage.current("registration_access_token").await;
            stage.begin(n);
            stage.send_all(n).await.expect("a rotation");
            assert_ne!(stage.current("client_secret").await, secret);
            let same = stage.current("registration_access_token").await == opener;
            assert_eq!(same, token == "fixed");
            assert!(stage.is_current_at_the_server().await);
            let client = stage.server.client("reports").await.expect("a client");
            assert_eq!(client["client_name"], "Reports");
        }
        assert_eq!(
            stage.server.count(Endpoint::Registration).await,
            6,
            "read and updated"
        );
    }
}

#[tokio::test]
async fn a_lost_reply_is_found_again_by_reading() {
    for call in [1, 2] {
        for strike in [
            Strike::Before(Misbehaviour::Drop),
            Strike::After(Misbehaviour::Drop),
        ] {
            let stage = Stage::start(Settings::new().new_secret_on_update(), "fixed").await;
            let secret = stage.current("client_secret").await;
            stage.begin(1);
            stage
                .server
                .fault_at(Endpoint::Registration, call, strike)
                .await;
            let fault = stage.send_all(1).await.expect_err("a lost reply");
            let words = hidden::shown(&fault);
            for key in ["client_secret", "registration_access_token"] {
                hidden::assert_absent(&words, &stage.current(key).await);
            }
            stage.server.reset().await;
            stage.send_all(1).await.expect("one more try");
            assert!(stage.is_current_at_the_server().await);
            assert_ne!(stage.current("client_secret").await, secret);
        }
    }
}

#[tokio::test]
async fn a_lost_reply_with_a_new_registration_access_token_needs_a_person() {
    let settings = Settings::new()
        .new_secret_on_update()
        .rotate_registration_access_tokens();
    let stage = Stage::start(settings, "rotates").await;
    stage.begin(1);
    let lost = Strike::After(Misbehaviour::Drop);
    stage.server.fault_at(Endpoint::Registration, 2, lost).await;
    stage.send_all(1).await.expect_err("a lost reply");
    stage.server.reset().await;
    let fault = stage.send_all(1).await.expect_err("not tried again");
    assert!(
        matches!(fault.reason, Reason::Unrepeatable { .. }),
        "{fault:?}"
    );
    assert_eq!(stage.server.count(Endpoint::Registration).await, 0);
    // The person has another token issued, and puts what there is.
    let found = secret(&stage.server).await;
    let id = SECRET.into();
    let version = "the-version-that-a-person-has-put-".into();
    stage
        .store
        .put_current(&id, &version, &found)
        .expect("a value");
    stage.begin(2);
    stage.send_all(2).await.expect("the next rotation");
    assert!(stage.is_current_at_the_server().await);
}

#[tokio::test]
async fn what_cannot_work_is_told() {
    for (settings, change, words) in [
        (
            Settings::new(),
            None,
            "the server keeps the secret of a client that updates its record",
        ),
        (
            Settings::new().new_secret_on_update(),
            Some(("registration_client_uri", "https://evil.example/record")),
            "`registration_client_uri` leads to a host that is not one of `allowed_hosts`",
        ),
        (
            Settings::new().new_secret_on_update(),
            Some(("registration_client_uri", "not a URL")),
            "`registration_client_uri` must be a URL that starts with https://",
        ),
        (
            Settings::new().new_secret_on_update(),
            Some(("registration_access_token", "sentinel-of-a-wrong-token")),
            "register the client anew",
        ),
    ] {
        let stage = Stage::start(settings, "fixed").await;
        if let Some((key, value)) = change {
            let wrong = secret(&stage.server).await;
            let wrong = wrong.patched(&secrets_core::document::Patch::key(key, value.into()));
            let version = "the-version-that-is-wrong-00000000".into();
            stage
                .store
                .put_current(&SECRET.into(), &version, &wrong.expect("an object"))
                .expect("a value");
        }
        stage.begin(1);
        let fault = stage.send_all(1).await.expect_err(words);
        let shown = hidden::shown(&fault);
        assert!(shown.contains(words), "{shown}");
        hidden::assert_absent(&shown, "sentinel-of");
        assert!(
            stage.is_current_at_the_server().await,
            "nothing was changed"
        );
    }
}

/// The truth about the server.
struct Server(Arc<OidcProvider>);

impl Target for Server {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let client = self.0.client("reports").await.expect("a client");
        let held = secret.text("client_secret").expect("a secret");
        client["client_secret"] == held.expose_secret()
    }

    async fn live(&self) -> Option<usize> {
        Some(1)
    }

    fn is_secret(&self, key: &str) -> bool {
        key == "client_secret" || key == "registration_access_token"
    }

    async fn outage(&self, on: bool) -> bool {
        self.0.set_down(on).await;
        true
    }

    async fn reauthorise(&self) -> Option<SecretDocument> {
        Some(secret(&self.0).await)
    }
}

async fn proves(settings: Settings, token: &'static str) {
    let server = Arc::new(server(settings).await);
    let fresh = async |_: World| {
        let first = secret(&server).await;
        let of_rotator = Arc::clone(&server);
        Trial::new(Server(Arc::clone(&server)), first, move || {
            rotator(&of_rotator, token)
        })
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(5))
        // A crash after a call is one before the next.
        .faults(&[Fault::CrashAfter, Fault::ErrorAfter, Fault::Stale])
        .without_interleavings();
    match prover.run().await {
        Ok(proof) => println!("registration, {token}: {proof}"),
        Err(violation) => panic!("registration, {token}: {violation}"),
    }
}

#[tokio::test]
async fn crashes_and_errors_with_a_fixed_token_heal() {
    proves(Settings::new().new_secret_on_update(), "fixed").await;
}

#[tokio::test]
async fn crashes_and_errors_with_a_token_that_rotates_heal_or_stop() {
    let settings = Settings::new()
        .new_secret_on_update()
        .rotate_registration_access_tokens();
    proves(settings, "rotates").await;
}

#[test]
fn the_examples_of_the_page_are_read() {
    let page = include_str!("../../../docs/registration.md");
    let blocks: Vec<_> = page
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("an end").0)
        .collect();
    let [secret, configuration] = blocks[..] else {
        panic!("{} examples", blocks.len());
    };
    let secret = SecretDocument::from_text(secret);
    RegisteredClient::try_from(&secret).expect("a secret");
    RegistrationSettings::parse(configuration).expect("a configuration");
}
