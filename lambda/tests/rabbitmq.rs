//! Users of `RabbitMQ` as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a
//! real broker with TLS.
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
use harness::rabbitmq::RabbitMqServer;
use harness::secrets_manager::Moto;
use secrets_core::event::Step;
use serde_json::{Value, json};

use deployed::{hides, rotate, send, token};

const FIRST: &str = "sentinel:fir'st\"\\%41";
const ADMIN: &str = "sentinel-of-the-admin";

struct Stage {
    server: RabbitMqServer,
    moto: Moto,
    arn: String,
}

impl Stage {
    async fn start() -> Self {
        let (server, moto) = tokio::join!(RabbitMqServer::builder().start(), Moto::start());
        let user = json!({"password": FIRST, "tags": ""});
        server.put(&["users", "app"], &user).await;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        server.put(&["permissions", "/", "app"], &all).await;
        let admin = json!({"password": ADMIN, "tags": "administrator"});
        server.put(&["users", "rotator"], &admin).await;
        let secrets = moto.client();
        let admin = json!({"username": "rotator", "password": ADMIN}).to_string();
        let admin = secrets.create_secret("Demo/mq_admin", &admin).await;
        let value = json!({
            "engine": "rabbitmq", "host": server.host(), "port": server.amqps_port(),
            "management_port": server.https_port(), "username": "app", "password": FIRST,
            "masterarn": admin, "kept": 1.50,
        });
        let arn = secrets.create_secret("Demo/mq", &value.to_string()).await;
        Self { server, moto, arn }
    }

    fn function(&self, strategy: &str) -> LambdaHost {
        let env = [
            ("SECRETS_MANAGER_ENDPOINT", self.moto.endpoint()),
            ("CA_CERTIFICATE", &self.server.ca_pem()),
            ("PASSWORD_LENGTH", "40"),
            ("STRATEGY", strategy),
        ];
        LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_rabbitmq")), &env)
    }

    async fn rotate(&self, function: &LambdaHost, n: usize) {
        let rotated = rotate(&self.moto, function, &self.arn, n).await;
        rotated.expect("a rotation");
    }

    async fn value(&self, label: &str) -> Value {
        let value = self.moto.client().value(&self.arn, label).await;
        serde_json::from_str(&value.expect("a value")).expect("JSON")
    }

    /// Without the code under test, virtual host and all.
    async fn takes(&self, value: &Value) -> Result<(), u16> {
        let text = |key: &str| value[key].as_str().expect("a text");
        let login = self.server.log_in(text("username"), text("password"), "/");
        login.await.map(drop)
    }
}

#[tokio::test]
async fn users_of_rabbitmq_rotate() {
    let stage = Stage::start().await;
    let first = stage.value("AWSCURRENT").await;
    let mut seen = vec![FIRST.to_owned(), ADMIN.to_owned()];
    // Two users that take turns are what there is without a setting.
    let pair = stage.function("");
    for (n, user) in [(1, "app_clone"), (2, "app"), (3, "app_clone")] {
        stage.rotate(&pair, n).await;
        let current = stage.value("AWSCURRENT").await;
        assert_eq!(
            (&current["username"], &current["kept"]),
            (&json!(user), &json!(1.5))
        );
        let password = current["password"].as_str().expect("a text");
        assert_eq!(password.len(), 40);
        seen.push(password.to_owned());
        assert_eq!(stage.takes(&current).await, Ok(()));
        assert_eq!(stage.takes(&stage.value("AWSPREVIOUS").await).await, Ok(()));
    }
    assert_eq!(stage.takes(&first).await, Err(403));
    let one = stage.function("single_user");
    stage.rotate(&one, 4).await;
    let current = stage.value("AWSCURRENT").await;
    assert_eq!(current["username"], "app_clone");
    assert_eq!(stage.takes(&current).await, Ok(()));
    assert_eq!(
        stage.takes(&stage.value("AWSPREVIOUS").await).await,
        Err(403)
    );
    for logs in [pair.logs(), one.logs(), stage.server.log()] {
        hides(&logs, seen.iter().map(String::as_str));
    }

    // The admin's password was changed by somebody else.
    let user = json!({"password": "another", "tags": "administrator"});
    stage.server.put(&["users", "rotator"], &user).await;
    let token = token(9);
    stage.moto.client().begin_rotation(&stage.arn, &token).await;
    let created = send(&pair, Step::Create, &stage.arn, &token).await;
    created.expect("a pending value");
    let set = send(&pair, Step::Set, &stage.arn, &token).await;
    let (kind, message) = set.expect_err("a wrong password");
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(
        message.contains("`masterarn`") && message.contains("401"),
        "{message}"
    );
}
