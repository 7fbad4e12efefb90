//! Users of Redis and Valkey as they are rotated when deployed: event, binary, Secrets Manager over the wire,
//! and a real server with TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;

use harness::lambda_host::LambdaHost;
use harness::redis::{RedisBuilder, RedisServer};
use harness::secrets_manager::Moto;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::redis::{CaCertificates, RedisSettings, SingleUser};
use secrets_core::rotator::Verdict;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;

use deployed::{Deployed, hides, verdict};

const FIRST: &str = "sentinel:fir'st\"\\%41";
const ADMIN: &str = "sentinel-of-the-admin";

struct Stage {
    server: RedisServer,
    function: Deployed,
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
            function: Deployed { moto, lambda, arn },
        }
    }

    /// What asks the server whether it takes what the secret holds.
    fn rotator(&self) -> SingleUser<MemoryStore> {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let mut settings = RedisSettings::new(policy);
        settings.ca_certificate = CaCertificates::from_pem(&self.server.ca_pem()).ok();
        SingleUser::new(MemoryStore::new(), settings)
    }

    async fn rotates(&self) {
        let rotator = self.rotator();
        let mut seen = self.function.rotates_two_passwords(&rotator).await;
        // What was saved is what the server has after a restart.
        self.server.start_again().await;
        let current = self.function.value("AWSCURRENT").await;
        assert_eq!(verdict(&rotator, &current).await, Verdict::Accepted);

        seen.push(ADMIN.to_owned());
        for log in [self.function.lambda.logs(), self.server.log()] {
            hides(&log, seen.iter().map(String::as_str));
        }
    }
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
    let secrets = stage.function.moto.client();
    let mut value = stage.function.value("AWSCURRENT").await;
    value["username"] = json!("open");
    let arn = secrets.create_secret("Demo/open", &value.to_string()).await;
    let (kind, message) = stage.function.fails_to_create(&arn).await;
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(message.contains("`nopass`"), "{message}");
}
