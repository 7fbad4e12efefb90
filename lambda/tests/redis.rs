//! Users of Redis and Valkey as they are rotated when deployed: event, binary, Secrets Manager over the wire,
//! and a real server with TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::path::Path;
use std::time::Duration;

use harness::lambda_host::LambdaHost;
use harness::redis::{RedisBuilder, RedisServer};
use harness::secrets_manager::Moto;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::redis::{CaCertificates, RedisSettings, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(30);
const FIRST: &str = "sentinel:fir'st\"\\%41";
const ADMIN: &str = "sentinel-of-the-admin";

struct Stage {
    server: RedisServer,
    moto: Moto,
    lambda: LambdaHost,
    arn: String,
}

impl Stage {
    async fn start(builder: RedisBuilder) -> Self {
        let rights = "-@all +acl|getuser +acl|setuser +acl|save";
        let builder = builder
            .user(&format!("app on >{FIRST} ~* +@read"))
            .user(&format!("rotator on >{ADMIN} {rights}"));
        let (server, moto) = tokio::join!(builder.start(), Moto::start());
        let secrets = moto.client();
        let admin = json!({"username": "rotator", "password": ADMIN}).to_string();
        let admin = secrets.create_secret("Demo/redis_admin", &admin).await;
        let value = json!({
            "engine": "redis", "host": server.host(), "port": server.port(), "username": "app",
            "password": FIRST, "masterarn": admin, "kept": 1.50,
        });
        let arn = secrets
            .create_secret("Demo/redis", &value.to_string())
            .await;
        let env = [
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("CA_CERTIFICATE", &server.ca_pem()),
            ("PASSWORD_LENGTH", "40"),
        ];
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_redis")), &env);
        Self {
            server,
            moto,
            lambda,
            arn,
        }
    }

    async fn rotate(&self, n: usize) {
        let token = format!("00000000-0000-0000-0000-{n:012}");
        self.moto.client().begin_rotation(&self.arn, &token).await;
        for step in Step::ALL {
            let event = json!({
                "Step": step.as_str(), "SecretId": self.arn, "ClientRequestToken": token,
            });
            let answer = self.lambda.invoke(&event, TIMEOUT).await;
            assert!(answer.is_response(), "{step}: {answer:?}");
        }
    }

    async fn value(&self, label: &str) -> String {
        let value = self.moto.client().value(&self.arn, label).await;
        value.expect("a value")
    }

    /// Whether the server takes what the secret holds.
    async fn takes(&self, value: &str) -> Verdict {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let mut settings = RedisSettings::new(policy);
        settings.ca_certificate = CaCertificates::from_pem(&self.server.ca_pem()).ok();
        let rotator = SingleUser::new(MemoryStore::new(), settings);
        let candidate = &SecretDocument::from_text(value);
        let candidate = candidate.try_into().expect("a credential");
        let deadline = Instant::now() + TIMEOUT;
        let cx = Context::new("secret".into(), "version".into(), deadline);
        let verdict = rotator.test(&candidate, &cx).await;
        verdict.expect("the server answers")
    }

    async fn rotates(&self) {
        let first = self.value("AWSCURRENT").await;
        let mut seen = vec![password(&first)];
        for n in 1..=3 {
            self.rotate(n).await;
            let current = self.value("AWSCURRENT").await;
            assert_eq!(password(&current).len(), 40);
            assert!(current.contains("1.5"), "other keys are kept: {n}");
            assert_eq!(self.takes(&current).await, Verdict::Accepted);
            let previous = self.value("AWSPREVIOUS").await;
            assert_eq!(self.takes(&previous).await, Verdict::Accepted);
            seen.push(password(&current));
        }
        assert_eq!(self.takes(&first).await, Verdict::Rejected, "retired");
        // What was saved is what the server has after a restart.
        self.server.start_again().await;
        let current = self.value("AWSCURRENT").await;
        assert_eq!(self.takes(&current).await, Verdict::Accepted);

        seen.push(ADMIN.to_owned());
        let (logs, server) = (self.lambda.logs(), self.server.log());
        assert!(!logs.is_empty());
        for password in seen {
            assert_eq!(sentinel::found(&password, &logs), None);
            assert_eq!(sentinel::found(&password, &server), None);
        }
    }
}

fn password(value: &str) -> String {
    let value: Value = serde_json::from_str(value).expect("JSON");
    value["password"].as_str().expect("a password").to_owned()
}

#[tokio::test]
async fn a_user_of_redis_rotates() {
    Stage::start(RedisServer::builder()).await.rotates().await;
}

#[tokio::test]
async fn a_user_of_valkey_rotates() {
    let stage = Stage::start(RedisServer::builder().valkey()).await;
    stage.rotates().await;
}

#[tokio::test]
async fn a_user_that_takes_any_password_is_told_under_a_stable_type() {
    let builder = RedisServer::builder().user("open on nopass ~* +@read");
    let stage = Stage::start(builder).await;
    let secrets = stage.moto.client();
    let mut value: Value = serde_json::from_str(&stage.value("AWSCURRENT").await).expect("JSON");
    value["username"] = json!("open");
    let arn = secrets.create_secret("Demo/open", &value.to_string()).await;
    let token = "00000000-0000-0000-0000-000000000009";
    secrets.begin_rotation(&arn, token).await;
    let event = json!({"Step": "createSecret", "SecretId": arn, "ClientRequestToken": token});
    let answer = stage.lambda.invoke(&event, TIMEOUT).await;
    let (kind, message) = answer.error();
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(message.contains("`nopass`"), "{message}");
}
