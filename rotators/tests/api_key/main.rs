//! API keys by configuration, against a provider whose manners are set to each of those that real ones
//! have.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod bad_replies;
mod foreign;
mod kit;
mod provider;
mod readers;
mod reading;
mod requests;
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

use harness::key_server::KeyServer;
use rotators::api_key::{ApiKey, ApiKeySettings};
use secrecy::ExposeSecret;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::rotator::RotatorError;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::Value;

use provider::Kind;

const SECRET: &str = "app/api_key";

/// A provider, and a store with the secret of its first key and that of its administrator.
struct Stage {
    provider: KeyServer,
    store: MemoryStore,
    kind: Kind,
}

impl Stage {
    async fn start(kind: Kind) -> Self {
        let provider = kind.start().await;
        let store = MemoryStore::new();
        let first = kind.populate(&provider, &store);
        let version = "first-version-of-the-api-key-0000".into();
        store
            .put_current(&SECRET.into(), &version, &first)
            .expect("a first value");
        Self {
            provider,
            store,
            kind,
        }
    }

    fn configuration(&self) -> Value {
        self.kind.configuration(&self.provider)
    }

    /// Begins the `n`th rotation.
    fn begin(&self, n: usize) {
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    /// The four events of the `n`th rotation, up to the first that fails.
    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        self.send_all_with(&self.configuration(), n).await
    }

    async fn send_all_with(
        &self,
        configuration: &Value,
        n: usize,
    ) -> Result<[Outcome; 4], RotationError> {
        let rotator = ApiKey::new(self.store.clone(), settings(configuration));
        let rotation = Rotation::new(self.store.clone(), rotator);
        let driver = Driver::new(&self.store, &rotation, &SecretId::from(SECRET));
        let transitions = driver.send_all(&version(n)).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    /// A whole rotation.
    async fn rotate(&self, n: usize) {
        self.begin(n);
        self.send_all(n).await.expect("a rotation");
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

    /// The key that applications read.
    async fn current(&self) -> String {
        self.text(Label::Current, self.kind.key()).await
    }
}

fn settings(configuration: &Value) -> ApiKeySettings {
    ApiKeySettings::parse(&configuration.to_string()).expect("a configuration")
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}

/// The rotator's own error.
fn of_rotator(fault: &RotationError) -> &RotatorError {
    match &fault.reason {
        Reason::Rotator(fault) => fault,
        reason => panic!("another reason: {reason:?}"),
    }
}
