use serde_json::{Value, json};

use super::*;

fn secret(extra: &Value) -> SecretDocument {
    let mut secret = json!({"host": "cache.example", "password": "sentinel"});
    for (key, value) in extra.as_object().expect("an object") {
        secret[key] = value.clone();
    }
    SecretDocument::from_text(&secret.to_string())
}

fn read(extra: &Value) -> Result<RedisCredential, DocumentError> {
    RedisCredential::try_from(&secret(extra))
}

fn at(host: &str, port: u16) -> Node {
    Node {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn a_host_and_a_password_are_enough() {
    let credential = read(&json!({})).expect("a credential");
    assert_eq!(credential.nodes, [at("cache.example", 6379)]);
    assert_eq!(credential.login.username, "default");
    assert!(credential.admin.is_none());
    let Tls::Verified { server_name, ca } = credential.tls else {
        panic!("TLS unless the secret says otherwise");
    };
    assert!(server_name.is_none() && ca.is_none());
}

#[test]
fn every_key_is_read() {
    let credential = read(&json!({
        "engine": "valkey", "port": "6380", "username": "app\"'%#>é", "masterarn": "arn:admin",
        "nodes": ["a.example:1", "10.0.0.1:65535", "[::1]:7000"], "tls_server_name": "alias.example",
    }))
    .expect("a credential");
    let nodes = [at("a.example", 1), at("10.0.0.1", 65535), at("::1", 7000)];
    assert_eq!(credential.nodes, nodes);
    assert_eq!(credential.login.username, "app\"'%#>é");
    assert_eq!(credential.admin, Some("arn:admin".into()));
    assert!(matches!(
        credential.tls,
        Tls::Verified { server_name: Some(name), .. } if name == "alias.example"
    ));
}

#[test]
fn only_false_means_plaintext() {
    for (ssl, plaintext) in [
        (json!(false), true),
        (json!("false"), true),
        (json!(true), false),
        (Value::Null, false),
    ] {
        let credential = read(&json!({ "ssl": ssl })).expect("a credential");
        assert_eq!(matches!(credential.tls, Tls::Plaintext), plaintext, "{ssl}");
    }
}

#[test]
fn what_does_not_fit_is_told_by_its_key() {
    for (key, value) in [
        ("engine", json!("postgres")),
        ("host", json!("")),
        ("port", json!(0)),
        ("password", json!("")),
        ("username", json!("")),
        ("username", json!("a b")),
        ("username", json!("a\0b")),
        ("username", json!("a\u{b}b")),
        ("username", json!("a\nb")),
        ("nodes", json!([])),
        ("nodes", json!(["a.example"])),
        ("nodes", json!(["a.example:0"])),
        ("nodes", json!(["a.example:port"])),
        ("nodes", json!([":1"])),
        ("nodes", json!(["::1:7000"])),
        ("nodes", json!(["[::1:7000"])),
        ("nodes", json!("a.example:1")),
        ("ca_certificate", json!("no PEM")),
    ] {
        let fault = read(&json!({ key: value })).expect_err(key).to_string();
        assert!(fault.contains(&format!("`{key}`")), "{fault}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let credential = read(&json!({})).expect("a credential");
    assert_eq!(
        format!("{credential:?}"),
        "RedisCredential { nodes: [Node { host: \"cache.example\", port: 6379 }], .. }"
    );
}
