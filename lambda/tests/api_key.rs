//! API keys as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a provider
//! that has room for three keys.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;
use std::time::Duration;

use harness::key_server::{ADMIN, KeyServer, Manners};
use harness::lambda_host::LambdaHost;
use harness::secrets_manager::Moto;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(30);

fn configuration(provider: &KeyServer) -> Value {
    let headers = json!({"Authorization": "Bearer {admin.api_token}"});
    json!({
        "create": {
            "url": provider.url("/keys"), "headers": headers, "json": {"name": "rotated {version}"},
            "value": "/key/secret", "id": "/key/id",
        },
        "list": {
            "url": provider.url("/keys"), "headers": headers,
            "items": "/keys", "id": "/id", "name": "/name",
        },
        "delete": {"url": provider.url("/keys/{retired.key_id}"), "headers": headers},
        "test": {
            "url": provider.url("/me"),
            "headers": {"Authorization": "Bearer {candidate.api_key}"},
        },
    })
}

fn host(moto: &Moto, configuration: &str) -> LambdaHost {
    let env = [
        ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
        ("CONFIGURATION", configuration),
    ];
    LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_api_key")), &env)
}

#[tokio::test]
async fn keys_rotate_and_old_ones_are_deleted() {
    let (provider, moto) = tokio::join!(KeyServer::start(Manners::default()), Moto::start());
    let secrets = moto.client();
    let admin = json!({"api_token": ADMIN}).to_string();
    let admin = secrets.create_secret("vendor/administrator", &admin).await;
    let (id, key) = provider.make("made by hand");
    let first = json!({"api_key": key, "key_id": id, "masterarn": admin, "note": 1.5});
    let arn = secrets
        .create_secret("app/api_key", &first.to_string())
        .await;
    let lambda = host(&moto, &configuration(&provider).to_string());
    let current = async || -> Value {
        let value = moto.client().value(&arn, "AWSCURRENT").await;
        serde_json::from_str(&value.expect("a value")).expect("JSON")
    };
    let mut before = first;
    for n in 1..=3 {
        let rotated = deployed::rotate(&moto, &lambda, &arn, n).await;
        rotated.expect("a rotation");
        let after = current().await;
        assert_ne!(after["api_key"], before["api_key"]);
        assert_eq!(after["previous_key_id"], before["key_id"]);
        assert_eq!(after["note"], before["note"]);
        for held in [&after, &before] {
            assert!(
                provider.serves(held["api_key"].as_str().expect("a key")),
                "no gap"
            );
        }
        assert_eq!(provider.live(), 2);
        before = after;
    }
    let logs = lambda.logs();
    for secret in provider.values().iter().map(String::as_str).chain([ADMIN]) {
        assert_eq!(sentinel::found(secret, &logs), None);
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_told_with_each_field() {
    let (provider, moto) = tokio::join!(KeyServer::start(Manners::default()), Moto::start());
    let mut wrong = configuration(&provider);
    wrong["create"]["url"] = json!("http://sentinel.example/keys");
    wrong["delete"]["when"] = json!("sentinel");
    let lambda = host(&moto, &wrong.to_string());
    let event = json!({
        "Step": "createSecret", "SecretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf",
        "ClientRequestToken": "00000000-0000-0000-0000-000000000001",
    });
    let answer = format!("{:?}", lambda.invoke(&event, TIMEOUT).await);
    for part in ["InvalidConfiguration", "`create.url`", "`delete.when`"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(
        !answer.contains("sentinel") && !lambda.logs().contains("sentinel"),
        "{answer}"
    );
    assert!(provider.calls().is_empty());
}
