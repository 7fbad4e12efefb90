//! Users of MongoDB as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a
//! protocol fake of the server with TLS.
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
use harness::mongodb::FakeMongo;
use harness::secrets_manager::Moto;
use serde_json::json;

use deployed::{Deployed, hides};

const FIRST: &str = "sentinel:first~%41";
const ADMIN: &str = "sentinel-of-the-admin";
const DB: &str = "shop";

struct Stage {
    server: FakeMongo,
    function: Deployed,
}

impl Stage {
    /// A user `app`, an admin, and the function with this strategy.
    async fn start(strategy: &str) -> Self {
        let (server, moto) = tokio::join!(FakeMongo::builder().start(), Moto::start());
        let users: &[&str] = &["viewUser", "createUser", "changePassword"];
        let all: &[&str] = &["grantRole"];
        server.create_role("admin", "rotator", &[(DB, users), ("", all)]);
        server.create_user("admin", "rotator", ADMIN, &[("rotator", "admin")]);
        server.create_user(DB, "app", FIRST, &[("readWrite", DB)]);
        let secrets = moto.client();
        let admin = json!({"host": server.host(), "username": "rotator", "password": ADMIN});
        let admin = admin.to_string();
        let admin = secrets.create_secret("Demo/mongodb_admin", &admin).await;
        let value = json!({
            "engine": "mongo", "host": server.host(), "port": server.port(), "username": "app",
            "password": FIRST, "dbname": DB, "masterarn": admin, "kept": 1.50,
        });
        let value = value.to_string();
        let arn = secrets.create_secret("Demo/mongodb", &value).await;
        let env = [
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("CA_CERTIFICATE", &server.ca_pem()),
            ("PASSWORD_LENGTH", "40"),
            ("STRATEGY", strategy),
        ];
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_mongodb")), &env);
        Self {
            server,
            function: Deployed { moto, lambda, arn },
        }
    }

    /// User and password under a label; other keys are what they were.
    async fn login(&self, label: &str) -> (String, String) {
        assert_eq!(self.function.value(label).await["dbname"], DB);
        self.function.login(label).await
    }

    /// No password is in the function's log.
    fn assert_private(&self) {
        let log = self.function.lambda.logs();
        assert!(log.contains("finishSecret"), "{log}");
        hides(&log, self.server.passwords().iter().map(String::as_str));
    }
}

#[tokio::test]
async fn one_user_is_rotated_as_it_is_deployed() {
    let stage = Stage::start("single_user").await;
    for n in 1..=2 {
        stage.function.rotate(n).await.expect("a rotation");
        let (user, password) = stage.login("AWSCURRENT").await;
        assert_eq!((user.as_str(), password.len()), ("app", 40));
        assert!(stage.server.knows(DB, "app", &password));
    }
    stage.assert_private();
}

#[tokio::test]
async fn two_users_take_turns_as_they_are_deployed() {
    let stage = Stage::start("alternating_users").await;
    for (n, name) in [(1, "app_clone"), (2, "app"), (3, "app_clone")] {
        stage.function.rotate(n).await.expect("a rotation");
        for label in ["AWSCURRENT", "AWSPREVIOUS"] {
            let (user, password) = stage.login(label).await;
            assert!(stage.server.knows(DB, &user, &password), "{label}");
            assert_eq!(user == name, label == "AWSCURRENT");
        }
    }
    stage.assert_private();
}

#[tokio::test]
async fn a_right_that_is_missing_is_named() {
    let stage = Stage::start("single_user").await;
    stage
        .server
        .create_role("admin", "rotator", &[(DB, &["viewUser"])]);
    let (kind, message) = stage
        .function
        .rotate(1)
        .await
        .expect_err("a right is missing");
    assert_eq!(kind, "TargetRefused");
    assert!(message.contains("changePassword"), "{message}");
    assert!(stage.server.knows(DB, "app", FIRST));
}
