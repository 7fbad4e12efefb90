//! How many copies of a secret the client has in memory. A binary of its own, with one test, since it looks at
//! everything that the process has.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/copies.rs"]
mod copies;

use secrecy::SecretString;
use secrets_core::client::SecretsClient;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::store::{SecretReader, SecretVersion, StoreError, Version};
use zeroize::Zeroizing;

use copies::{Search, secret};

/// Makes its values anew for each call, as a reply of the service is, and keeps none.
struct Service(&'static str);

impl SecretReader for Service {
    async fn get(&self, _: &SecretId, _: &Version) -> Result<SecretVersion, StoreError> {
        let mut text = Zeroizing::new(Vec::with_capacity(128));
        text.extend_from_slice(br#"{"username": "app", "password": ""#);
        text.extend_from_slice(&secret());
        text.extend_from_slice(br#""}"#);
        let text = std::str::from_utf8(&text).expect("ASCII");
        Ok(SecretVersion {
            id: self.0.into(),
            labels: [].into(),
            created: None,
            arn: None,
            document: SecretDocument::from_text(text),
        })
    }
}

struct Login {
    _password: SecretString,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            _password: secret.text("password")?,
        })
    }
}

#[tokio::test]
async fn two_copies_while_it_is_in_use_and_none_after() {
    let mut search = Search::new();
    let held = secret();
    assert_eq!(search.copies(), 1, "the search finds what is there");
    drop(held);
    assert_eq!(search.copies(), 0, "and nothing else");

    let secrets = SecretsClient::new(Service("1"));
    let read = secrets.get_secret("app/db").await.expect("a secret");
    assert_eq!(search.copies(), 1, "the document");
    let db = secrets.secret::<Login>("app/db").await.expect("a login");
    let login = db.current().expect("a login");
    assert_eq!(search.copies(), 2, "and what was made of it");
    let _ = format!("{read:?} {login:?} {login} {secrets:?}");
    db.refresh().await.expect("a login");
    assert_eq!(
        search.copies(),
        2,
        "the same version again is dropped at once"
    );
    let again = db.clone();
    let shared = read.clone();
    assert_eq!(search.copies(), 2, "guards and handles share");

    drop((read, shared, login, again, db, secrets));
    assert_eq!(search.copies(), 0, "after the last one who holds it");
}
