//! What applications get: text, JSON and binary, the current version and no other, and errors that they can
//! tell apart.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::client::{SecretsClient, TestClock};
use secrets_core::document::{DocumentError, Exposed, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{
    Label, SecretReader, SecretStore, SecretVersion, StoreError, StoreErrorKind, Version,
};
use secrets_core::testing::sentinel;

use crate::stub::{TTL, pass};

fn store(value: &SecretDocument) -> MemoryStore {
    let store = MemoryStore::new();
    store
        .put_current(&"app/db".into(), &"v1".into(), value)
        .expect("a new secret");
    store
}

struct Login {
    user: String,
    port: u16,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            user: secret.text("user")?.expose_secret().to_owned(),
            port: secret.port("port")?.unwrap_or(5432),
        })
    }
}

#[tokio::test]
async fn text_json_and_binary_are_read() {
    let text = SecretsClient::new(store(&SecretDocument::from_text("api key")));
    let secret = text.get_secret("app/db").await.expect("a secret");
    assert_eq!(
        secret.plain_text().map(ExposeSecret::expose_secret),
        Ok("api key")
    );
    assert_eq!(secret.version(), &"v1".into());

    let json = SecretsClient::new(store(&SecretDocument::from_text(
        r#"{"user": "app", "port": "6432"}"#,
    )));
    let login: Login = json.get("app/db").await.expect("a login");
    assert_eq!((login.user.as_str(), login.port), ("app", 6432));

    let binary = SecretsClient::new(store(&SecretDocument::from_bytes(vec![0, 159, 146])));
    match binary
        .get_secret("app/db")
        .await
        .expect("a secret")
        .expose()
    {
        Exposed::Binary(bytes) => assert_eq!(bytes.expose_secret(), [0, 159, 146]),
        Exposed::Text(_) => panic!("bytes were put in"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_pending_value_is_not_read_and_a_published_one_is() {
    let store = store(&SecretDocument::from_text("old"));
    let (id, next) = (SecretId::from("app/db"), "v2".into());
    let clock = TestClock::new();
    let builder = SecretsClient::builder(store.clone()).ttl(TTL);
    let client = builder.clock(&clock).build();
    store.begin_rotation(&id, &next).expect("a rotation");
    store
        .put_pending(&id, &next, &SecretDocument::from_text("new"), None)
        .await
        .expect("an empty version");
    assert_eq!(
        client
            .get_secret("app/db")
            .await
            .expect("a secret")
            .version(),
        &"v1".into()
    );
    store
        .promote(&id, &"v1".into(), &next)
        .await
        .expect("a value");
    pass(TTL).await;
    client.get_secret("app/db").await.expect("the old one");
    pass(Duration::ZERO).await;
    assert_eq!(
        client
            .get_secret("app/db")
            .await
            .expect("a secret")
            .version(),
        &next
    );
}

/// Answers everything with an error, and keeps what was asked for.
#[derive(Clone)]
struct Refusing(StoreErrorKind, Arc<Mutex<Vec<Version>>>);

impl SecretReader for Refusing {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.1
            .lock()
            .expect("no panic while it is held")
            .push(version.clone());
        Err(StoreError::new(self.0, "GetSecretValue", id))
    }
}

#[tokio::test]
async fn who_reads_values_only_tells_no_tags() {
    let reader = Refusing(StoreErrorKind::Denied, Arc::default());
    let expected = StoreError::new(StoreErrorKind::Invalid, "DescribeSecret", &"app/db".into());
    assert_eq!(reader.tags(&"app/db".into()).await, Err(expected));
}

#[tokio::test]
async fn the_label_is_always_named_and_errors_can_be_told_apart() {
    for (kind, transient) in [
        (StoreErrorKind::NotFound, false),
        (StoreErrorKind::Invalid, false),
        (StoreErrorKind::Denied, false),
        (StoreErrorKind::Key, false),
        (StoreErrorKind::Throttled, true),
        (StoreErrorKind::Unavailable, true),
    ] {
        let asked = Arc::default();
        let client = SecretsClient::new(Refusing(kind, Arc::clone(&asked)));
        let fault = client.get_secret("app/db").await.expect_err("a refusal");
        assert!(
            fault.fault().is_some_and(|fault| fault.kind == kind),
            "{fault:?}"
        );
        assert_eq!(fault.is_transient(), transient, "{fault:?}");
        assert_eq!(
            *asked.lock().expect("no panic"),
            [Version::Labelled(Label::Current)]
        );
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_an_error_without_the_value() {
    fn fits_everywhere<E: std::error::Error + Send + Sync + 'static>(_: &E) {}

    let secret = r#"{"user": 7, "password": "sentinel-value"}"#;
    let client = SecretsClient::new(store(&SecretDocument::from_text(secret)));
    let fault = client
        .get::<Login>("app/db")
        .await
        .err()
        .expect("a number where text was asked");
    fits_everywhere(&fault);
    assert!(!fault.is_transient());
    assert_eq!(
        fault.to_string(),
        "value of `app/db`: `user` must be a string; correct it in the secret"
    );
    let shown = format!("{fault} {fault:?} {:?}", client.get_secret("app/db").await);
    assert_eq!(sentinel::found("sentinel-value", &shown), None);
}
