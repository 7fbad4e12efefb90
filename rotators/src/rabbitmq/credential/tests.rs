use serde_json::{Value, json};

use super::*;

fn credential(extra: &Value) -> Result<RabbitMqCredential, DocumentError> {
    let mut secret = json!({"host": "mq.example", "username": "app", "password": "sentinel"});
    for (key, value) in extra.as_object().expect("an object") {
        secret[key] = value.clone();
    }
    RabbitMqCredential::try_from(&SecretDocument::from_text(&secret.to_string()))
}

#[test]
fn ports_follow_from_tls_and_host() {
    let amazon = "b-c8352341.mq.us-west-2.amazonaws.com";
    for (extra, ports) in [
        (json!({}), (5671, 15671)),
        (json!({"ssl": false}), (5672, 15672)),
        (json!({"ssl": true}), (5671, 15671)),
        (json!({"host": amazon}), (5671, 443)),
        (json!({"host": amazon.to_uppercase()}), (5671, 443)),
        (
            json!({"host": "b-1.mq.cn-north-1.amazonaws.com.cn"}),
            (5671, 443),
        ),
        (json!({"host": "b-1.mq.us-west-2.on.aws"}), (5671, 443)),
        (json!({"host": "mq.amazonaws.com.example"}), (5671, 15671)),
        (json!({"host": "db.rds.amazonaws.com"}), (5671, 15671)),
        (json!({"port": 1, "management_port": "2"}), (1, 2)),
    ] {
        let found = credential(&extra).expect("a credential");
        assert_eq!((found.port, found.management_port), ports, "{extra}");
    }
}

#[test]
fn the_key_at_fault_is_named() {
    for (extra, key) in [
        (json!({"engine": "redis"}), "engine"),
        (json!({"host": null}), "host"),
        (json!({"username": "a\0b"}), "username"),
        (json!({"password": "a\0b"}), "password"),
        (json!({"management_port": 0}), "management_port"),
        (json!({"ca_certificate": "none"}), "ca_certificate"),
    ] {
        let fault = credential(&extra).expect_err(key).to_string();
        assert!(fault.contains(key), "{fault}");
        assert!(!fault.contains("sentinel"), "{fault}");
    }
    assert!(credential(&json!({"engine": "rabbitmq"})).is_ok());
    let wrong = credential(&json!({"usernames": ["app"]})).expect("matters to pairs only");
    assert!(wrong.usernames.is_err());
    let fault = wrong.admin().expect_err("nobody").to_string();
    assert!(fault.contains("`masterarn`"), "{fault}");
}

#[test]
fn debug_shows_the_way_and_not_who_goes_it() {
    let shown = format!("{:?}", credential(&json!({})).expect("a credential"));
    assert_eq!(
        shown,
        "RabbitMqCredential { host: \"mq.example\", port: 5671, management_port: 15671, .. }"
    );
}

#[test]
fn the_second_users_name_ends_at_the_limit() {
    let partner = |username: &str| {
        let user = credential(&json!({"username": username, "masterarn": "arn:aws:admin"}));
        let user = user.expect("a credential");
        let turn = user.turn("_clone").map(|turn| turn.partner.name);
        turn.map_err(|fault| fault.to_string())
    };
    assert_eq!(partner("app").as_deref(), Ok("app_clone"));
    assert_eq!(partner("app_clone").as_deref(), Ok("app"));
    assert!(partner(&"x".repeat(249)).is_ok());
    let fault = partner(&"é".repeat(125)).expect_err("256 bytes");
    assert!(fault.contains("255 bytes"), "{fault}");
}
