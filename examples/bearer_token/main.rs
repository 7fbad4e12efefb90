//! A bearer token of a provider that keeps one token an API key, such as X, while an application uses it.
//!
//! ```text
//! cargo run --example bearer_token
//! ```
//!
//! The provider runs in this process. Two API keys that take turns: no request is refused. One API key:
//! the provider makes a new token only once the old one is invalidated, so requests are refused until the
//! rotation is through, or until the application tries AWSPENDING. Exits with 1 if a request is refused
//! with two keys.

mod application;

use std::process::ExitCode;

use harness::oauth_provider::OAuthProvider;
use rotators::oauth::bearer::{ApiKeys, BearerSettings, BearerToken};
use rotators::web::Endpoint;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;

use application::{Application, Seen, say};

const TOKEN: &str = "Demo/Twitter_bearer_token";
/// Secret, consumer key, consumer secret, and the header that the provider knows them by.
const API_KEYS: [[&str; 4]; 2] = [
    [
        "Demo/Twitter_API_Key",
        "key-1",
        "secret-1",
        "Basic a2V5LTE6c2VjcmV0LTE=",
    ],
    [
        "Demo/Twitter_API_Key_2",
        "key-2",
        "secret-2",
        "Basic a2V5LTI6c2VjcmV0LTI=",
    ],
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut refused = 0;
    for (keys, title) in [
        (ApiKeys::Two, "two API keys that take turns"),
        (ApiKeys::One, "one API key"),
    ] {
        say(&format!("{title}:"));
        match demonstrate(keys).await {
            Ok(seen) => {
                say(&format!("  {seen}\n"));
                refused += if keys == ApiKeys::Two {
                    seen.refused
                } else {
                    0
                };
            }
            Err(fault) => {
                say(&format!("bearer_token: {fault}"));
                return ExitCode::FAILURE;
            }
        }
    }
    say(&format!("requests refused with two keys: {refused}"));
    ExitCode::from(u8::from(refused > 0))
}

/// Mints the first token, then rotates three times while the application goes on.
async fn demonstrate(keys: ApiKeys) -> Result<Seen, Box<dyn std::error::Error>> {
    let provider = OAuthProvider::start().await;
    let store = MemoryStore::new();
    store_secrets(&provider, &store, keys)?;

    let mut settings = BearerSettings::new(
        Endpoint::parse(&provider.token_url())?,
        Endpoint::parse(&provider.invalidate_url())?,
        Endpoint::parse(&provider.test_url())?,
    );
    settings.api_keys = keys;
    let rotator = || BearerToken::new(store.clone(), settings.clone());
    let rotation = Rotation::new(store.clone(), rotator());
    let id = SecretId::from(TOKEN);
    let driver = Driver::new(&store, &rotation, &id);

    // What the secret starts with is no token: the first rotation mints one.
    let first = version(1);
    driver.begin(&first)?;
    driver.send_all(&first).await?;
    say("  the first token is minted");

    let application = Application::start(&store, rotator(), &id);
    for n in 2..=4 {
        let version = version(n);
        driver.begin(&version)?;
        for step in Step::ALL {
            let outcome = driver.send(step, &version).await?;
            say(&format!("  rotation {n}, {step}: {}", outcome.as_str()));
            application.pass(5).await;
        }
    }
    Ok(application.stop().await)
}

fn store_secrets(
    provider: &OAuthProvider,
    store: &MemoryStore,
    keys: ApiKeys,
) -> Result<(), Box<dyn std::error::Error>> {
    for [secret, key, key_secret, header] in API_KEYS {
        provider.add_app(key, header);
        let value = format!(r#"{{"consumer_key": "{key}", "consumer_secret": "{key_secret}"}}"#);
        put(store, secret, &value)?;
    }
    let [[one, ..], [two, ..]] = API_KEYS;
    let both = match keys {
        ApiKeys::One => String::new(),
        ApiKeys::Two => format!(r#", "masterarns": ["{one}", "{two}"]"#),
    };
    let value = format!(
        r#"{{"access_token": "none-yet", "token_type": "bearer", "masterarn": "{one}"{both}}}"#
    );
    put(store, TOKEN, &value)
}

fn put(store: &MemoryStore, secret: &str, value: &str) -> Result<(), Box<dyn std::error::Error>> {
    let document = SecretDocument::from_text(value);
    Ok(store.put_current(&secret.into(), &version(0), &document)?)
}

fn version(n: usize) -> VersionId {
    format!("{n:0>32}").into()
}
