//! Logins: what is a verdict, and what is none; TLS.

use std::time::Duration;

use harness::redshift::{Fault, RedshiftFake, StoredAs, When};
use harness::tls::TestCa;
use rotators::redshift::{RedshiftCredential, RedshiftSettings, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, Rotator, RotatorError, RotatorErrorKind as Kind, Verdict};
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::hidden;
use crate::support::{FIRST, settings};

async fn fake() -> RedshiftFake {
    let fake = RedshiftFake::start().await;
    fake.put_user("app", FIRST, StoredAs::Md5);
    fake.put_user("digest", FIRST, StoredAs::Sha256);
    fake
}

fn secret(fake: &RedshiftFake, extra: &Value) -> SecretDocument {
    let mut value = json!({
        "engine": "redshift", "host": fake.host(), "port": fake.port(), "username": "app",
        "password": FIRST, "ca_certificate": fake.ca_pem(),
    });
    for (key, more) in extra.as_object().expect("an object") {
        value[key] = more.clone();
    }
    SecretDocument::from_text(&value.to_string())
}

async fn test_with(
    settings: RedshiftSettings,
    secret: &SecretDocument,
) -> Result<Verdict, RotatorError> {
    let rotator = SingleUser::new(MemoryStore::new(), settings);
    let candidate = RedshiftCredential::try_from(secret).expect("complete");
    hidden::assert_absent(&format!("{candidate:?} {candidate:#?}"), FIRST);
    let deadline = Instant::now() + Duration::from_secs(30);
    let tested = rotator
        .test(&candidate, &Context::new("s".into(), "v".into(), deadline))
        .await;
    if let Err(fault) = &tested {
        hidden::assert_absent(&hidden::shown(fault), FIRST);
    }
    tested
}

async fn test(fake: &RedshiftFake, extra: &Value) -> Result<Verdict, RotatorError> {
    test_with(settings(), &secret(fake, extra)).await
}

#[tokio::test]
async fn both_kinds_of_password_log_in_with_and_without_tls() {
    let fake = fake().await;
    for user in ["app", "digest"] {
        for ssl in [true, false] {
            let right = test(&fake, &json!({"username": user, "ssl": ssl})).await;
            assert_eq!(right, Ok(Verdict::Accepted), "{user} {ssl}");
            let wrong = json!({"username": user, "ssl": ssl, "password": "Sentinel-wrong-1"});
            assert_eq!(
                test(&fake, &wrong).await,
                Ok(Verdict::Rejected),
                "{user} {ssl}"
            );
        }
    }
    assert_eq!(fake.refused_logins(), 4, "one login a credential");
}

#[tokio::test]
async fn unknown_disabled_and_expired_are_refused_like_a_wrong_password() {
    let fake = fake().await;
    fake.put_user("disabled", FIRST, StoredAs::Disabled);
    fake.put_user("over", FIRST, StoredAs::Sha256);
    fake.expire("over", -5);
    for user in ["nobody", "disabled", "over"] {
        let tested = test(&fake, &json!({"username": user})).await;
        assert_eq!(tested, Ok(Verdict::Rejected), "{user}");
    }
}

#[tokio::test]
async fn whatever_else_is_refused_is_no_verdict() {
    let fake = fake().await;
    let plan = |code| fake.plan("LOGIN", 0, Fault::Refuse(code), When::Before);
    for (code, kind) in [
        ("28000", Kind::Refused),
        ("53300", Kind::Unreachable),
        ("57P03", Kind::Unreachable),
        ("XX000", Kind::Unreachable),
        ("0A000", Kind::Refused),
    ] {
        plan(code);
        let fault = test(&fake, &json!({})).await.expect_err(code);
        assert_eq!((fault.kind(), fault.code()), (kind, Some(code)), "{fault}");
    }
    let fault = test(&fake, &json!({"dbname": "other"}))
        .await
        .expect_err("none");
    assert_eq!(
        (fault.kind(), fault.code()),
        (Kind::Misconfigured, Some("3D000"))
    );
    fake.run("ALTER USER app CONNECTION LIMIT 0");
    let fault = test(&fake, &json!({})).await.expect_err("full");
    assert_eq!(
        (fault.kind(), fault.code()),
        (Kind::Unreachable, Some("53300"))
    );
    fake.plan("LOGIN", 0, Fault::Drop, When::Before);
    let fault = test(&fake, &json!({})).await.expect_err("cut");
    assert_eq!((fault.kind(), fault.code()), (Kind::Unreachable, None));
    assert_eq!(fake.refused_logins(), 0);
}

#[tokio::test]
async fn who_is_silent_is_waited_for_within_bounds() {
    let fake = fake().await;
    let mut settings = settings();
    settings.timeouts.login = Duration::from_millis(300);
    fake.plan("LOGIN", 0, Fault::Hang, When::Before);
    let fault = test_with(settings.clone(), &secret(&fake, &json!({}))).await;
    assert_eq!(fault.expect_err("silence").kind(), Kind::Unreachable);
    settings.timeouts.login = Duration::from_secs(20);
    settings.timeouts.statement = Duration::from_millis(300);
    fake.plan("SELECT 1", 0, Fault::Hang, When::Before);
    let fault = test_with(settings, &secret(&fake, &json!({}))).await;
    assert_eq!(fault.expect_err("silence").kind(), Kind::Unreachable);
}

#[tokio::test]
async fn a_server_must_prove_who_it_is() {
    let fake = fake().await;
    for (extra, word) in [
        (
            json!({"ca_certificate": TestCa::generate().pem()}),
            "no trusted authority",
        ),
        (
            json!({"ca_certificate": Value::Null}),
            "no trusted authority",
        ),
        (json!({"tls_server_name": "other.example"}), "another name"),
    ] {
        let fault = test(&fake, &extra).await.expect_err("not proved");
        assert_eq!(fault.kind(), Kind::Tls, "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
    }
    let named = test(&fake, &json!({"tls_server_name": "localhost"})).await;
    assert_eq!(named, Ok(Verdict::Accepted));
    assert!(
        fake.seen()
            .iter()
            .all(|(_, it)| it == "LOGIN app" || it == "SELECT 1")
    );

    fake.require_tls();
    let fault = test(&fake, &json!({"ssl": false}))
        .await
        .expect_err("refused");
    assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("28000")));
    assert!(fault.to_string().contains("require_ssl"), "{fault}");
}

#[tokio::test]
async fn a_closed_port_is_out_of_reach() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let fake = fake().await;
    let fault = test(&fake, &json!({"port": port}))
        .await
        .expect_err("closed");
    assert_eq!(fault.kind(), Kind::Unreachable, "{fault}");
}
