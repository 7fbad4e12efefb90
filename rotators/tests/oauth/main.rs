//! Tokens that are minted on demand, against a provider whose manners are set.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod authentication;
mod bad_replies;
mod documentation;
mod kit;
mod readers;
mod rotation;
mod tls;

#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;

#[path = "../support/hidden.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod hidden;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use harness::token_server::{Proof, Rules, TokenServer};
use rotators::oauth::tokens::{TokenSettings, Tokens};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{RotationEvent, SecretId, Step, VersionId};
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::rotator::RotatorError;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};
use tokio::time::Instant;

const SECRET: &str = "shop/tokens";

/// Both hold what must be encoded in a header or a form.
const CLIENT: &str = "client:1";
const CLIENT_SECRET: &str = "sentinel+client/secret of 32 bytes & more";

/// How many values were put by hand.
static VALUES: AtomicUsize = AtomicUsize::new(0);

/// The configuration that fits the server; tests change it.
fn configuration(server: &TokenServer) -> Value {
    json!({
        "token_url": server.url("token"),
        "test": {"url": server.url("resource"), "accepted": {"present": ["/data"]}},
    })
}

fn settings(configuration: &Value) -> TokenSettings {
    let settings = TokenSettings::parse(&configuration.to_string());
    settings.unwrap_or_else(|faults| panic!("{faults}"))
}

/// A provider, and a store with a secret that holds a token and the client's credential.
struct Stage {
    server: TokenServer,
    store: MemoryStore,
    configuration: Value,
}

impl Stage {
    async fn start() -> Self {
        Self::with(Rules::default()).await
    }

    async fn with(rules: Rules) -> Self {
        let server = TokenServer::start(rules).await;
        server.add_client(CLIENT, Proof::Basic(CLIENT_SECRET.to_owned()));
        let stage = Self {
            configuration: configuration(&server),
            store: MemoryStore::new(),
            server,
        };
        let first = stage.server.issue(CLIENT);
        stage.put(&json!({
            "access_token": first, "client_id": CLIENT, "client_secret": CLIENT_SECRET, "note": 1.50,
        }));
        stage
    }

    /// A value put by hand.
    fn put(&self, value: &Value) {
        self.put_as(SECRET, value);
    }

    fn put_as(&self, secret: &str, value: &Value) {
        let value = SecretDocument::from_text(&value.to_string());
        let number = VALUES.fetch_add(1, Ordering::Relaxed);
        let version = VersionId::from(format!("by-hand-{number:0>32}"));
        self.store
            .put_current(&secret.into(), &version, &value)
            .expect("a value");
    }

    fn begin(&self, n: usize) {
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    /// The four events of the `n`th rotation, up to the first that fails.
    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        let rotator = Tokens::new(self.store.clone(), settings(&self.configuration));
        let rotation = Rotation::new(self.store.clone(), rotator);
        let driver = Driver::new(&self.store, &rotation, &SecretId::from(SECRET));
        let transitions = driver.send_all(&version(n)).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    /// A whole rotation.
    async fn rotate(&self, n: usize) {
        self.begin(n);
        if let Err(fault) = self.send_all(n).await {
            panic!("{fault:?}");
        }
    }

    /// A rotation that fails, and shows nothing that is secret.
    async fn fails(&self, n: usize) -> RotatorError {
        let fault = self.send_all(n).await.expect_err("a fault");
        self.shown(fault)
    }

    /// The same, with steps of this length.
    async fn fails_within(&self, step_timeout: Duration, n: usize) -> RotatorError {
        let rotator = Tokens::new(self.store.clone(), settings(&self.configuration));
        let rotation = Rotation::new(self.store.clone(), rotator);
        for step in Step::ALL {
            let event = RotationEvent {
                step,
                secret: SECRET.into(),
                version: version(n),
                rotation_token: None,
            };
            let ended = rotation.handle(&event, Instant::now() + step_timeout).await;
            if let Err(fault) = ended {
                return self.shown(fault);
            }
        }
        panic!("every step came to its end")
    }

    fn shown(&self, fault: RotationError) -> RotatorError {
        let shown = hidden::shown(&fault);
        for secret in self.server.secrets() {
            hidden::assert_absent(&shown, &secret);
        }
        for secret in [CLIENT_SECRET, "sentinel", "quoted", "BEGIN"] {
            hidden::assert_absent(&shown, secret);
        }
        match fault.reason {
            Reason::Rotator(fault) => fault,
            Reason::ValueRefused { source, .. } => source,
            reason => panic!("another reason: {reason:?}"),
        }
    }

    async fn text(&self, label: Label, key: &'static str) -> Option<String> {
        let version = self
            .store
            .get(&SECRET.into(), &Version::Labelled(label))
            .await
            .expect("a version");
        let text = version.document.optional_text(key).expect("a text");
        text.map(|text| text.expose_secret().to_owned())
    }

    /// The token that applications read.
    async fn current(&self) -> String {
        self.text(Label::Current, "access_token")
            .await
            .expect("a token")
    }
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}
