//! Refresh tokens that are used up by their exchange, against a provider whose manners are set.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod kit;
mod readers;
mod rotation;

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

use harness::token_server::{Proof, Rules, TokenServer};
use rotators::oauth::refresh_chain::{RefreshChain, RefreshSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};

const SECRET: &str = "shop/grant";
const CLIENT: &str = "client-1";
const CLIENT_SECRET: &str = "sentinel+client/secret";

/// The configuration that fits the server; tests change it.
fn configuration(server: &TokenServer) -> Value {
    json!({
        "token_url": server.url("token"),
        "client_authentication": "post",
        "test": {"url": server.url("resource")},
    })
}

fn settings(configuration: &Value) -> RefreshSettings {
    let settings = RefreshSettings::parse(&configuration.to_string());
    settings.unwrap_or_else(|faults| panic!("{faults}"))
}

/// A new grant, as its secret has it.
fn authorised(server: &TokenServer) -> Value {
    json!({
        "refresh_token": server.authorise(CLIENT), "access_token": server.issue(CLIENT),
        "token_type": "bearer", "client_id": CLIENT, "client_secret": CLIENT_SECRET, "note": 1.50,
    })
}

/// A provider, and a store with a secret that holds a grant and the client's credential.
struct Stage {
    server: TokenServer,
    store: MemoryStore,
    configuration: Value,
}

impl Stage {
    async fn start(rules: Rules, replay: &Value) -> Self {
        let server = TokenServer::start(rules).await;
        server.add_client(CLIENT, Proof::Post(CLIENT_SECRET.to_owned()));
        let mut configuration = configuration(&server);
        configuration["replay"] = replay.clone();
        let stage = Self {
            configuration,
            store: MemoryStore::new(),
            server,
        };
        stage.put(&authorised(&stage.server));
        stage
    }

    /// A value put by hand.
    fn put(&self, value: &Value) {
        static VALUES: AtomicUsize = AtomicUsize::new(0);
        let number = VALUES.fetch_add(1, Ordering::Relaxed);
        let version = VersionId::from(format!("by-hand-{number:0>32}"));
        let value = SecretDocument::from_text(&value.to_string());
        self.store
            .put_current(&SECRET.into(), &version, &value)
            .expect("a value");
    }

    fn begin(&self, n: usize) {
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    /// The four events of the `n`th rotation, up to the first that fails.
    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        let rotator = RefreshChain::new(self.store.clone(), settings(&self.configuration));
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
    async fn fails(&self, n: usize) -> Reason {
        let fault = self.send_all(n).await.expect_err("a fault");
        let shown = hidden::shown(&fault);
        for secret in self.server.secrets() {
            hidden::assert_absent(&shown, &secret);
        }
        for secret in [CLIENT_SECRET, "sentinel", "quoted"] {
            hidden::assert_absent(&shown, secret);
        }
        fault.reason
    }

    async fn text(&self, label: Label, key: &'static str) -> String {
        let version = self
            .store
            .get(&SECRET.into(), &Version::Labelled(label))
            .await
            .expect("a version");
        let text = version.document.text(key).expect("a text");
        text.expose_secret().to_owned()
    }

    /// The refresh token of a version.
    async fn refresh_token(&self, label: Label) -> String {
        self.text(label, "refresh_token").await
    }

    /// The token that applications read.
    async fn current(&self) -> String {
        self.text(Label::Current, "access_token").await
    }
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}
