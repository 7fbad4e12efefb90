//! Users of Amazon Redshift as they are rotated when deployed: event, binary, Secrets Manager over the wire,
//! and a protocol fake with TLS.
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
use harness::redshift::{Kind, RedshiftFake, StoredAs};
use harness::secrets_manager::Moto;
use serde_json::json;

use deployed::{Deployed, hides};

const FIRST: &str = "Sentinel:first~%41";
const ADMIN: &str = "Sentinel-of-the-admin-1";

struct Stage {
    fake: RedshiftFake,
    function: Deployed,
}

impl Stage {
    async fn start(stored: StoredAs, variables: &[(&str, &str)]) -> Self {
        let (fake, moto) = tokio::join!(RedshiftFake::start(), Moto::start());
        fake.put_user("app", FIRST, stored);
        fake.put_user("manager", ADMIN, StoredAs::Sha256);
        fake.run(
            "ALTER USER manager CREATEUSER\nCREATE GROUP readers\nALTER GROUP readers ADD USER app",
        );
        fake.add(Kind::Table, &["public", "goods"], RedshiftFake::SUPERUSER);
        fake.run("GRANT SELECT ON TABLE public.goods TO app WITH GRANT OPTION");
        let secrets = moto.client();
        let admin = json!({"username": "manager", "password": ADMIN}).to_string();
        let admin = secrets.create_secret("Demo/redshift_admin", &admin).await;
        let value = json!({
            "engine": "redshift", "host": fake.host(), "port": fake.port(), "username": "app",
            "password": FIRST, "masterarn": admin, "kept": 1.50,
        });
        let arn = secrets
            .create_secret("Demo/redshift", &value.to_string())
            .await;
        let ca = fake.ca_pem();
        let mut env = vec![
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("CA_CERTIFICATE", ca.as_str()),
            ("PASSWORD_LENGTH", "40"),
        ];
        env.extend(variables);
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_redshift")), &env);
        Self {
            fake,
            function: Deployed { moto, lambda, arn },
        }
    }

    /// Three rotations; gives the users that were current.
    async fn rotates(&self, previous_works: bool) -> Vec<String> {
        let mut seen = vec![self.function.login("AWSCURRENT").await];
        for n in 1..=3 {
            self.function.rotate(n).await.expect("a rotation");
            let current = self.function.login("AWSCURRENT").await;
            assert_eq!(current.1.len(), 40);
            assert!(self.fake.takes(&current.0, &current.1), "{n}");
            let previous = self.function.login("AWSPREVIOUS").await;
            assert_eq!(
                self.fake.takes(&previous.0, &previous.1),
                previous_works,
                "{n}"
            );
            seen.push(current);
        }
        let passwords = seen.iter().map(|login| login.1.as_str());
        hides(&self.function.lambda.logs(), passwords.chain([ADMIN]));
        seen.into_iter().map(|login| login.0).collect()
    }
}

#[tokio::test]
async fn a_user_rotates_by_itself() {
    for stored in [StoredAs::Md5, StoredAs::Sha256] {
        let stage = Stage::start(stored, &[]).await;
        assert_eq!(stage.rotates(false).await, ["app"; 4]);
        assert_eq!(stage.fake.stored_as("app"), Some(stored));
    }
}

#[tokio::test]
async fn two_users_take_turns() {
    let variables = [("STRATEGY", "alternating_users"), ("PASSWORD_HASH", "md5")];
    let stage = Stage::start(StoredAs::Sha256, &variables).await;
    assert_eq!(
        stage.rotates(true).await,
        ["app", "app_clone", "app", "app_clone"]
    );
    assert_eq!(stage.fake.portrait("app"), stage.fake.portrait("app_clone"));
    assert_eq!(stage.fake.stored_as("app"), Some(StoredAs::Md5));
}

#[tokio::test]
async fn settings_that_redshift_does_not_take_are_told_under_a_stable_type() {
    let stage = Stage::start(StoredAs::Md5, &[("PASSWORD_LENGTH", "65")]).await;
    let (kind, message) = stage.function.fails_to_create(&stage.function.arn).await;
    assert_eq!(kind, "InvalidConfiguration");
    assert!(message.contains("8 to 64 characters"), "{message}");
}
