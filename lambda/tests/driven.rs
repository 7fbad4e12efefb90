//! The emulator's own `RotateSecret` drives the built binary through all four steps.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::sync::Arc;

use harness::postgres::PostgresServer;
use harness::proxy::{TcpMode, TcpProxy};
use harness::secrets_manager::{Moto, RotationHook, SecretsManager};
use serde_json::{Value, json};
use support::{FIRST, function, token};

struct Driven {
    database: TcpProxy,
    secrets: SecretsManager,
    hook: RotationHook,
    arn: String,
    /// These stop when they are dropped.
    _servers: (PostgresServer, Moto),
}

impl Driven {
    async fn start() -> Self {
        let (postgres, hook) =
            tokio::join!(PostgresServer::builder().start(), RotationHook::start());
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
        let database = TcpProxy::start(postgres.host(), postgres.port()).await;
        let value = json!({
            "engine": "postgres", "host": database.host(), "port": database.port(),
            "username": "app", "password": FIRST, "ca_certificate": postgres.ca_pem(),
        });
        let secrets = moto.client();
        let arn = secrets
            .create_secret("Demo/postgres", &value.to_string())
            .await;
        Self {
            database,
            secrets,
            hook,
            arn,
            _servers: (postgres, moto),
        }
    }

    async fn rotate(&self, n: usize) {
        let rotate = json!({
            "SecretId": self.arn, "ClientRequestToken": token(n),
            "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotate-postgres",
            "RotationRules": {"AutomaticallyAfterDays": 30},
        });
        self.secrets.ok("RotateSecret", rotate).await;
    }

    async fn password(&self) -> String {
        let current = self
            .secrets
            .value(&self.arn, "AWSCURRENT")
            .await
            .expect("a value");
        let current: Value = serde_json::from_str(&current).expect("JSON");
        current["password"].as_str().expect("a password").to_owned()
    }
}

#[tokio::test]
async fn rotate_secret_rotates_twice() {
    let driven = Driven::start().await;
    let mut passwords = vec![FIRST.to_owned()];
    for n in 1..=2 {
        driven.rotate(n).await;
        let events = driven.hook.events();
        assert_eq!(events.len(), 4 * n, "{events:?}");
        for (event, answer) in &events {
            assert!(answer.is_response(), "{event}: {answer:?}");
        }
        let password = driven.password().await;
        assert!(!passwords.contains(&password));
        passwords.push(password);
    }
    let stages = driven.secrets.stages(&driven.arn).await;
    assert_eq!(stages[token(2)], json!(["AWSPENDING", "AWSCURRENT"]));
}

#[tokio::test]
async fn a_failed_step_ends_the_rotation_and_the_next_one_recovers() {
    let driven = Driven::start().await;
    driven.database.set_mode(TcpMode::Refuse).await;
    driven.rotate(1).await;
    let events = driven.hook.events();
    assert_eq!(
        events.len(),
        2,
        "createSecret, and setSecret that fails: {events:?}"
    );
    assert_eq!(events[1].1.error().0, "TargetUnreachable");
    assert_eq!(driven.password().await, FIRST);
    let stages = driven.secrets.stages(&driven.arn).await;
    assert_eq!(stages[token(1)], json!(["AWSPENDING"]));

    driven.database.set_mode(TcpMode::Forward).await;
    driven.rotate(2).await;
    let stages = driven.secrets.stages(&driven.arn).await;
    assert_eq!(stages[token(2)], json!(["AWSPENDING", "AWSCURRENT"]));
    assert_ne!(driven.password().await, FIRST);
}
