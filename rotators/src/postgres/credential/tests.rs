use secrecy::ExposeSecret;
use secrets_core::event::SecretId;

use super::*;
use crate::database::Tls;

const MINIMAL: &str = r#"{"engine":"postgres","host":"db","username":"app","password":"sentinel"}"#;

/// The minimal secret with this JSON under that key.
fn with(key: &str, json: &str) -> SecretDocument {
    let before = MINIMAL.strip_suffix('}').expect("an object");
    SecretDocument::from_text(&format!(r#"{before},"{key}":{json}}}"#))
}

fn read(secret: &SecretDocument) -> Credential {
    PostgresCredential::try_from(secret)
        .expect("a good secret")
        .0
}

fn fault(secret: &SecretDocument) -> DocumentError {
    PostgresCredential::try_from(secret).expect_err("a bad secret")
}

#[test]
fn what_a_secret_leaves_out_has_a_default() {
    let credential = read(&SecretDocument::from_text(MINIMAL));
    assert_eq!(credential.port, 5432);
    assert_eq!(credential.database, "postgres");
    assert_eq!(credential.login.username, "app");
    assert_eq!(credential.login.password.expose_secret(), "sentinel");
    assert!(credential.admin.is_none());
    assert!(matches!(
        &credential.tls,
        Tls::Verified {
            server_name: None,
            ca: None
        }
    ));
}

#[test]
fn every_key_is_read() {
    assert_eq!(read(&with("port", r#""6432""#)).port, 6432);
    assert_eq!(read(&with("port", "6432")).port, 6432);
    assert_eq!(read(&with("dbname", r#""orders""#)).database, "orders");
    read(&with("engine", r#""aurora-postgresql""#));
    let admin = read(&with("masterarn", r#""arn:aws:admin""#)).admin;
    assert_eq!(admin, Some(SecretId::from("arn:aws:admin")));
    for plaintext in ["false", r#""false""#, r#""False""#] {
        assert!(matches!(read(&with("ssl", plaintext)).tls, Tls::Plaintext));
    }
    for tls in ["true", r#""true""#, "null"] {
        assert!(matches!(read(&with("ssl", tls)).tls, Tls::Verified { .. }));
    }
    let named = read(&with("tls_server_name", r#""db.internal""#));
    assert!(
        matches!(&named.tls, Tls::Verified { server_name: Some(name), .. } if name == "db.internal")
    );
    let pem = include_str!("../../../certs/rds-global-bundle.pem").replace('\n', "\\n");
    let own = read(&with("ca_certificate", &format!("\"{pem}\"")));
    assert!(matches!(own.tls, Tls::Verified { ca: Some(_), .. }));
}

#[test]
fn what_does_not_fit_is_refused_by_its_key() {
    for key in ["engine", "host", "username", "password"] {
        let without = MINIMAL.replace(&format!("\"{key}\""), "\"other\"");
        let fault = fault(&SecretDocument::from_text(&without));
        assert_eq!(fault, DocumentError::Missing { key });
    }
    for (key, json) in [
        ("engine", r#""mysql""#),
        ("engine", r#""Postgres""#),
        ("username", &format!("\"{}\"", "é".repeat(32))),
        ("username", r#""a\u0000b""#),
        ("password", r#""sentinel\u0000""#),
        ("dbname", r#""a\u0000b""#),
        ("port", "0"),
        ("ssl", r#""maybe""#),
        ("ca_certificate", r#""sentinel""#),
    ] {
        let fault = fault(&with(key, json));
        assert!(
            matches!(
                fault,
                DocumentError::Unsuitable { key: found, .. }
                | DocumentError::WrongType { key: found, .. } if found == key
            ),
            "{fault:?}"
        );
        assert!(!format!("{fault} {fault:?}").contains("sentinel"));
    }
    read(&with("username", &format!("\"{}x\"", "é".repeat(31))));
}

#[test]
fn debug_shows_no_secret() {
    let secret = SecretDocument::from_text(MINIMAL);
    let credential = PostgresCredential::try_from(&secret).expect("a good secret");
    assert_eq!(
        format!("{credential:?}"),
        r#"PostgresCredential { host: "db", port: 5432, .. }"#
    );
}
