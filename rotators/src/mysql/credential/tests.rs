use serde_json::{Value, json};

use super::*;

const MINIMAL: &str = r#"{"engine":"mysql","host":"db","username":"app","password":"sentinel"}"#;

/// The minimal secret with this JSON under that key.
fn with(key: &str, json: &str) -> SecretDocument {
    let before = MINIMAL.strip_suffix('}').expect("an object");
    SecretDocument::from_text(&format!(r#"{before},"{key}":{json}}}"#))
}

fn read(secret: &SecretDocument) -> MySqlCredential {
    MySqlCredential::try_from(secret).expect("a good secret")
}

fn fault(secret: &SecretDocument) -> DocumentError {
    MySqlCredential::try_from(secret).expect_err("a bad secret")
}

#[test]
fn what_a_secret_leaves_out_has_a_default() {
    let credential = read(&SecretDocument::from_text(MINIMAL));
    assert_eq!(credential.port, 3306);
    assert_eq!(credential.database, None);
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
    assert_eq!(read(&with("port", r#""6033""#)).port, 6033);
    assert_eq!(read(&with("port", "6033")).port, 6033);
    assert_eq!(
        read(&with("dbname", r#""orders""#)).database.as_deref(),
        Some("orders")
    );
    for engine in [r#""aurora-mysql""#, r#""mariadb""#] {
        read(&with("engine", engine));
    }
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
        ("engine", r#""postgres""#),
        ("engine", r#""MySQL""#),
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
}

#[test]
fn debug_shows_no_secret() {
    let secret = SecretDocument::from_text(MINIMAL);
    let credential = read(&secret);
    assert_eq!(
        format!("{credential:?}"),
        r#"MySqlCredential { host: "db", port: 3306, .. }"#
    );
}

/// Characters, not bytes: `MySQL` manual, "Account Names", and `MariaDB`'s "Identifier Names".
#[test]
fn the_second_users_name_ends_at_the_limit() {
    let partner = |engine: &str, username: &str, usernames: Value| {
        let secret = json!({
            "engine": engine, "host": "h", "username": username, "password": "p", "usernames": usernames,
            "masterarn": "arn:aws:admin",
        });
        let turn = read(&SecretDocument::from_text(&secret.to_string()));
        let turn = turn.turn("_clone").map(|turn| turn.partner.name);
        turn.map_err(|fault| fault.to_string())
    };
    for (engine, longest) in [("mysql", 32), ("aurora-mysql", 32), ("mariadb", 128)] {
        let fits = "é".repeat(longest - 6);
        let found = partner(engine, &fits, Value::Null);
        assert_eq!(found, Ok(format!("{fits}_clone")));
        let long = format!("{fits}é");
        let named = json!([long, "é".repeat(longest)]);
        assert!(partner(engine, &long, named).is_ok());
        let too_long = json!([long, "é".repeat(longest + 1)]);
        for usernames in [Value::Null, too_long] {
            let fault = partner(engine, &long, usernames).expect_err(engine);
            assert!(fault.contains(&format!("{longest} characters")), "{fault}");
            assert!(!fault.contains(&fits), "{fault}");
        }
    }
    let fault = partner("mysql", "a", json!(["a", "b\0"])).expect_err("a zero byte");
    assert!(fault.contains("`usernames`"), "{fault}");
}
