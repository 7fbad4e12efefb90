//! The emulator's own `RotateSecret` drives the built binary through all four steps.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::sync::Arc;

use harness::postgres::PostgresServer;
use harness::secrets_manager::{Moto, RotationHook};
use serde_json::{Value, json};
use support::{FIRST, function, token};

#[tokio::test]
async fn rotate_secret_rotates_twice() {
    let (postgres, hook) = tokio::join!(PostgresServer::builder().start(), RotationHook::start());
    let moto = Moto::start_with_rotation_hook(&hook.url()).await;
    hook.connect(Arc::new(function(moto.endpoint(), &[])));
    let create = format!(
        "CREATE ROLE app LOGIN PASSWORD '{}'",
        FIRST.replace('\'', "''")
    );
    postgres
        .admin()
        .await
        .batch_execute(&create)
        .await
        .expect("a role");
    let value = json!({
        "engine": "postgres", "host": postgres.host(), "port": postgres.port(),
        "username": "app", "password": FIRST, "ca_certificate": postgres.ca_pem(),
    });
    let secrets = moto.client();
    let arn = secrets
        .create_secret("Demo/postgres", &value.to_string())
        .await;

    let mut passwords = vec![FIRST.to_owned()];
    for n in 1..=2 {
        let rotate = json!({
            "SecretId": arn, "ClientRequestToken": token(n),
            "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotate-postgres",
            "RotationRules": {"AutomaticallyAfterDays": 30},
        });
        secrets.ok("RotateSecret", rotate).await;
        let events = hook.events();
        assert_eq!(events.len(), 4 * n, "{events:?}");
        for (event, answer) in &events {
            assert!(answer.is_response(), "{event}: {answer:?}");
        }
        let current = secrets.value(&arn, "AWSCURRENT").await.expect("a value");
        let current: Value = serde_json::from_str(&current).expect("JSON");
        let password = current["password"].as_str().expect("a password").to_owned();
        assert!(!passwords.contains(&password));
        passwords.push(password);
    }
    assert_eq!(
        secrets.stages(&arn).await[token(2)],
        json!(["AWSPENDING", "AWSCURRENT"])
    );
}
