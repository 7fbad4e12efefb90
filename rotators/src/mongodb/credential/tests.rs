use serde_json::{Value, json};

use super::*;

fn read(extra: &Value) -> Result<MongoDbCredential, DocumentError> {
    let mut secret = json!({"host": "db", "username": "app", "password": "sentinel"});
    for (key, value) in extra.as_object().expect("an object") {
        secret[key] = value.clone();
    }
    MongoDbCredential::try_from(&SecretDocument::from_text(&secret.to_string()))
}

#[test]
fn the_keys_of_awss_functions_are_enough() {
    let secret = read(&json!({"engine": "mongo", "ssl": true})).expect("all that is needed");
    assert_eq!(secret.node.to_string(), "db:27017");
    assert_eq!(secret.user.login.username, "app");
    assert_eq!(secret.user.login.password.expose_secret(), "sentinel");
    assert_eq!(secret.user.database, "admin");
    assert!(secret.admin.is_none());
    assert!(matches!(secret.tls, Tls::Verified { .. }));
    let plaintext = read(&json!({"ssl": false})).expect("without TLS");
    assert!(matches!(plaintext.tls, Tls::Plaintext));
    let port = read(&json!({"port": "1"})).expect("a port as text");
    assert_eq!(port.node.port, 1);
    for engine in ["mongo", "mongodb", "documentdb", "docdb"] {
        assert!(read(&json!({"engine": engine})).is_ok(), "{engine}");
    }
    assert!(read(&json!({"engine": "postgres"})).is_err());
}

#[test]
fn users_live_where_the_secret_says() {
    for (extra, expected) in [
        (json!({"dbname": "shop"}), "shop"),
        (json!({"authSource": "users", "dbname": "shop"}), "users"),
        (
            json!({"authentication_database": "admin", "authSource": "users", "dbname": "shop"}),
            "admin",
        ),
    ] {
        assert_eq!(read(&extra).expect("a name").user.database, expected);
    }
    for wrong in ["", "$external", "a.b", "a b"] {
        let fault = read(&json!({"authentication_database": wrong})).expect_err(wrong);
        assert!(
            fault.to_string().contains("`authentication_database`"),
            "{fault}"
        );
    }
}

#[test]
fn servers_name_each_other() {
    for (text, expected) in [
        ("db:1", Some(("db", 1))),
        ("[::1]:27017", Some(("::1", 27017))),
        ("db", None),
        (":1", None),
        ("[::1:27017", None),
        ("db:70000", None),
    ] {
        let node = Node::named(text);
        let found = node.as_ref().map(|it| (it.host.as_str(), it.port));
        assert_eq!(found, expected, "{text}");
        if let Some(node) = node {
            assert_eq!(node.to_string(), text);
        }
    }
}

#[test]
fn debug_shows_no_password() {
    let secret = read(&json!({})).expect("a credential");
    assert_eq!(
        format!("{secret:?} {:?}", secret.user),
        "MongoDbCredential { node: Node { host: \"db\", port: 27017 }, .. } \
         User { login: Login([redacted]), database: \"admin\" }"
    );
}
