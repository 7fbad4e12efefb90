//! Bearer tokens, against a provider that keeps one token an API key.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod bad_replies;
mod kit;
mod readers;
mod requests;
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

#[path = "../support/impostor.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod impostor;

use std::time::Duration;

use harness::oauth_provider::OAuthProvider;
use rotators::oauth::bearer::{ApiKeys, BearerSettings, BearerToken};
use rotators::web::Endpoint;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::json;

const SECRET: &str = "Demo/Twitter_bearer_token";

/// Consumer key, `Basic` header of key and secret, name of the secret. Both key and secret hold what must
/// be encoded before it becomes part of the header: `key:1` is `key%3A1`, `sentinel+1/` is
/// `sentinel%2B1%2F`.
const APPS: [(&str, &str, &str); 2] = [
    (
        "key:1",
        "Basic a2V5JTNBMTpzZW50aW5lbCUyQjElMkY=",
        "Demo/Twitter_API_Key",
    ),
    (
        "key:2",
        "Basic a2V5JTNBMjpzZW50aW5lbCUyQjIlMkY=",
        "Demo/Twitter_API_Key_2",
    ),
];

/// A provider with two apps, and a store with the secrets of their keys and of the first one's token.
struct Stage {
    provider: OAuthProvider,
    store: MemoryStore,
    keys: ApiKeys,
}

fn settings(provider: &OAuthProvider, keys: ApiKeys) -> BearerSettings {
    let url = |url: String| Endpoint::parse(&url).expect("a URL");
    let mut settings = BearerSettings::new(
        url(provider.token_url()),
        url(provider.invalidate_url()),
        url(provider.test_url()),
    );
    settings.api_keys = keys;
    settings
}

/// Registers the apps and puts the secrets of their keys; gives the first value of the token's secret.
fn populate(provider: &OAuthProvider, store: &MemoryStore, keys: ApiKeys) -> SecretDocument {
    for (n, (key, basic, secret)) in (1..).zip(APPS) {
        provider.add_app(key, basic);
        let value = json!({
            "consumer_key": key, "consumer_secret": format!("sentinel+{n}/"),
            "owner_token": format!("owner-{n}"), "owner_token_secret": format!("sentinel-owner-{n}"),
        });
        let value = SecretDocument::from_text(&value.to_string());
        let version = format!("first-version-of-the-api-key-{n:04}").into();
        store
            .put_current(&secret.into(), &version, &value)
            .expect("a first value");
    }
    let mut value = json!({
        "access_token": provider.token_of(APPS[0].0), "token_type": "bearer", "masterarn": APPS[0].2,
        "note": 1.50,
    });
    if keys == ApiKeys::Two {
        value["masterarns"] = json!([APPS[0].2, APPS[1].2]);
    }
    SecretDocument::from_text(&value.to_string())
}

impl Stage {
    async fn start(keys: ApiKeys) -> Self {
        let provider = OAuthProvider::start().await;
        let store = MemoryStore::new();
        let first = populate(&provider, &store, keys);
        let version = "first-version-of-the-bearer-token".into();
        store
            .put_current(&SECRET.into(), &version, &first)
            .expect("a first value");
        Self {
            provider,
            store,
            keys,
        }
    }

    fn settings(&self) -> BearerSettings {
        settings(&self.provider, self.keys)
    }

    /// Begins the `n`th rotation.
    fn begin(&self, n: usize) {
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    /// The four events of the `n`th rotation, up to the first that fails.
    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        self.send_all_with(self.settings(), n).await
    }

    async fn send_all_with(
        &self,
        settings: BearerSettings,
        n: usize,
    ) -> Result<[Outcome; 4], RotationError> {
        let rotator = BearerToken::new(self.store.clone(), settings);
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

    /// The token that applications read.
    async fn current(&self) -> String {
        self.text(Label::Current, "access_token").await
    }
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}

/// Short enough for a test to wait for it.
const SHORT: Duration = Duration::from_millis(300);
