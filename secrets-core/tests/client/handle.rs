//! A secret at hand: parsed once a version, told of new ones, never printed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrets_core::client::{ClientError, Current, SecretHandle, SecretsClient};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::testing::sentinel;

use crate::stub::{ID, Login, Stub, TTL, client, pass, settle};

static PARSED: AtomicUsize = AtomicUsize::new(0);

struct Counted(Login);

impl TryFrom<&SecretDocument> for Counted {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        PARSED.fetch_add(1, Ordering::Relaxed);
        Login::try_from(secret).map(Self)
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_parsed_once_a_version_for_all_handles() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let mut handles = Vec::new();
    for _ in 0..10 {
        handles.push(secrets.secret::<Counted>(ID).await.expect("a login"));
    }
    for version in 2..5 {
        stub.put(ID, &version.to_string());
        pass(TTL).await;
        for handle in &handles {
            let current = handle.current().expect("a login");
            assert_eq!(current.0.password(), format!("password-{version}"));
        }
        // Confirmed and not parsed again.
        pass(TTL).await;
    }
    assert_eq!(PARSED.load(Ordering::Relaxed), 4);
    assert_eq!(stub.gets(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_kept_fresh_without_being_read_and_given_up_with_the_last_one() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    pass(TTL * 3).await;
    assert_eq!(stub.gets(), 4);
    assert!(!db.current().expect("a login").is_stale());
    assert_eq!(db.current().expect("a login").age(), Duration::ZERO);
    drop(db);
    pass(TTL * 10).await;
    assert_eq!(stub.gets(), 4);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_of_a_new_version() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let mut db = secrets.secret::<Login>(ID).await.expect("a login");
    let mut changed = {
        let mut db = db.clone();
        tokio::spawn(async move { db.changed().await })
    };
    let newer = {
        let db = db.clone();
        tokio::spawn(async move { db.newer_than(&"1".into()).await.map(|c| c.to_string()) })
    };
    pass(TTL * 2).await;
    assert!(!changed.is_finished() && !newer.is_finished());
    stub.put(ID, "2");
    pass(TTL).await;
    (&mut changed).await.expect("no panic");
    assert_eq!(
        newer.await.expect("no panic"),
        Ok("[redacted], version 2".to_owned())
    );
    // It happened before this handle waited, and is not lost.
    db.changed().await;
    let current = db.newer_than(&"1".into()).await.expect("a login");
    assert_eq!(current.version_id(), &"2".into());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_does_not_fit_is_refused_and_the_one_before_is_kept() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.put_text(ID, "2", r#"{"passwort": "sentinel-typo"}"#);
    pass(TTL).await;
    let current = db.current().expect("the one before");
    assert_eq!(current.version_id(), &"1".into());
    assert!(current.is_stale());
    let unfit = ClientError::Document {
        secret: Some(ID.into()),
        fault: DocumentError::Missing { key: "password" },
    };
    // Whoever comes new is told.
    let fault = secrets.secret::<Counted>(ID).await.expect_err("a typo");
    assert_eq!(fault, unfit);
    assert_eq!(
        fault.to_string(),
        format!("value of `{ID}`: `password` is missing; add it to the secret")
    );
    // And so is whoever has no use for the old one.
    let fault = db.rejected(&"1".into()).await.expect_err("a typo");
    assert_eq!(fault, unfit);
    assert_eq!(
        fault.to_string(),
        format!("value of `{ID}`: `password` is missing; add it to the secret")
    );
    stub.put(ID, "3");
    pass(TTL).await;
    assert_eq!(db.current().expect("a login").version_id(), &"3".into());
}

#[tokio::test(start_paused = true)]
async fn a_guard_stays_what_it_is_and_says_when_it_is_old() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    let old = db.current().expect("a login");
    stub.put(ID, "2");
    pass(TTL / 2).await;
    assert_eq!((old.age(), old.is_stale()), (TTL / 2, false));
    pass(TTL / 2).await;
    assert_eq!((old.password(), old.is_stale()), ("password-1", true));
    assert_eq!(db.current().expect("a login").password(), "password-2");
}

#[tokio::test(start_paused = true)]
async fn nothing_prints_a_value() {
    let stub = Stub::new();
    stub.put_text(ID, "2", r#"{"password": "sentinel-value"}"#);
    let secrets = client(&stub);
    let secret = secrets.get_secret(ID).await.expect("a secret");
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    let current = db.current().expect("a login");
    let shown = format!("{secret:?} {secret} {db:?} {current:?} {current} {secrets:?}");
    assert_eq!(sentinel::found("sentinel-value", &shown), None, "{shown}");
    for part in [
        r#"Secret { version: VersionId("2"), document: SecretDocument { keys: ["password"] } }"#,
        "[redacted], version 2",
        "SecretHandle { secret: app/db }",
        "Current { version: 2, value: [redacted] }",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_runtime_is_a_read_of_a_handle_still_works() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    let read = std::thread::spawn({
        let db = db.clone();
        move || db.current().map(|current| current.password().to_owned())
    });
    assert_eq!(read.join().expect("no panic"), Ok("password-1".to_owned()));
    settle().await;
}

#[test]
fn handles_clients_and_guards_go_anywhere() {
    fn anywhere<T: Send + Sync + 'static>() {}
    anywhere::<SecretHandle<Login>>();
    anywhere::<SecretsClient>();
    anywhere::<Current<Login>>();
    anywhere::<ClientError>();
}
