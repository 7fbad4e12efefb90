//! Access keys as they are rotated when deployed: event, binary, and Secrets Manager, IAM and STS over the
//! wire, which check keys and rights.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::path::Path;
use std::time::Duration;

use harness::iam::MotoIam;
use harness::lambda_host::{Invocation, LambdaHost};
use harness::secrets_manager::Moto;
use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};

const SECRET: &str = "Demo/iam_key";
const USER: &str = "app";
const TIMEOUT: Duration = Duration::from_secs(30);

const RIGHTS: [&str; 4] = [
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
];

struct Stage {
    moto: Moto,
    iam: MotoIam,
    lambda: LambdaHost,
    arn: String,
    /// Of the key that stands in for the role's.
    role_secret: String,
}

impl Stage {
    /// A user with a key in a secret, and a function whose role has these rights.
    async fn start(rights: &[&str], env: &[(&str, &str)]) -> Self {
        let moto = Moto::start_that_checks_keys().await;
        let iam = MotoIam::at(moto.endpoint());
        iam.create_user("role", rights).await;
        let (role_id, role_secret) = iam.create_key("role").await;
        iam.create_user(USER, &[]).await;
        let (id, secret) = iam.create_key(USER).await;
        let value = json!({
            "access_key_id": id, "secret_access_key": secret, "user_name": USER, "bucket": "files",
        });
        let arn = moto
            .client()
            .create_secret(SECRET, &value.to_string())
            .await;
        let mut all = vec![
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("IAM_ENDPOINT", moto.endpoint()),
            ("STS_ENDPOINT", moto.endpoint()),
            ("AWS_ACCESS_KEY_ID", &role_id),
            ("AWS_SECRET_ACCESS_KEY", &role_secret),
            // The emulator's users have no session.
            ("AWS_SESSION_TOKEN", ""),
        ];
        all.extend(env);
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_iam_key")), &all);
        Self {
            moto,
            iam,
            lambda,
            arn,
            role_secret,
        }
    }

    async fn begin(&self, n: usize) -> String {
        let token = format!("00000000-0000-0000-0000-{n:012}");
        self.moto.client().begin_rotation(&self.arn, &token).await;
        token
    }

    async fn send(&self, step: Step, token: &str) -> Invocation {
        let event = json!({
            "Step": step.as_str(), "SecretId": self.arn, "ClientRequestToken": token,
        });
        self.lambda.invoke(&event, TIMEOUT).await
    }

    async fn rotate(&self, n: usize) {
        let token = self.begin(n).await;
        for step in Step::ALL {
            let answer = self.send(step, &token).await;
            assert!(answer.is_response(), "{step}: {answer:?}");
        }
    }

    async fn value(&self, label: &str) -> Value {
        let value = self.moto.client().value(&self.arn, label).await;
        serde_json::from_str(&value.expect("a value")).expect("JSON")
    }

    fn assert_quiet(&self, values: &[&Value]) {
        let logs = self.lambda.logs();
        assert!(logs.contains("createSecret"), "{logs}");
        assert_eq!(sentinel::found(&self.role_secret, &logs), None);
        for value in values {
            assert_eq!(sentinel::found(secret(value), &logs), None);
        }
    }
}

fn id(value: &Value) -> &str {
    value["access_key_id"].as_str().expect("an id")
}

fn secret(value: &Value) -> &str {
    value["secret_access_key"].as_str().expect("a secret")
}

#[tokio::test]
async fn keys_rotate_and_the_one_before_works_on() {
    let stage = Stage::start(&RIGHTS, &[]).await;
    let mut values = vec![stage.value("AWSCURRENT").await];
    for n in 1..=3 {
        stage.rotate(n).await;
        let before = values.last().expect("a value");
        let after = stage.value("AWSCURRENT").await;
        assert_eq!(after["previous_access_key_id"], before["access_key_id"]);
        assert_eq!(after["user_name"], USER);
        assert_eq!(after["bucket"], "files");
        assert_ne!(secret(&after), secret(before));
        assert_eq!(stage.iam.keys(USER).await, [id(before), id(&after)]);
        values.push(after);
    }
    stage.assert_quiet(&values.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_one_before_can_go_at_once() {
    let env = [("RETIRE_PREVIOUS_KEY", "after-promotion")];
    let stage = Stage::start(&RIGHTS, &env).await;
    let before = stage.value("AWSCURRENT").await;
    stage.rotate(1).await;
    let after = stage.value("AWSCURRENT").await;
    assert_eq!(stage.iam.keys(USER).await, [id(&after)]);
    stage.assert_quiet(&[&before, &after]);
}

/// `template.yaml` gives these, and none of them can be left out.
#[tokio::test]
async fn each_right_of_the_template_is_needed() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-tests/actions.json");
    let lists = std::fs::read_to_string(file).expect(file);
    let lists: Value = serde_json::from_str(&lists).expect("JSON");
    let mut rights = RIGHTS;
    rights.sort_unstable();
    assert_eq!(lists["access_keys"], json!(rights));
    // The fourth is asked for only after a crash, about a key whose making nobody lived to report.
    for missing in RIGHTS
        .into_iter()
        .filter(|it| *it != "iam:GetAccessKeyLastUsed")
    {
        let rest: Vec<_> = RIGHTS
            .into_iter()
            .filter(|right| *right != missing)
            .collect();
        let stage = Stage::start(&rest, &[]).await;
        let mut ends = Vec::new();
        for n in 1..=2 {
            let token = stage.begin(n).await;
            for step in Step::ALL {
                let answer = stage.send(step, &token).await;
                if !answer.is_response() {
                    ends.push(format!("{answer:?}"));
                    break;
                }
            }
        }
        assert!(
            ends.iter().any(|end| end.contains(missing)),
            "without {missing}: {ends:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_right_is_reported_by_its_name() {
    let stage = Stage::start(&["iam:ListAccessKeys"], &[]).await;
    let token = stage.begin(1).await;
    let answer = format!("{:?}", stage.send(Step::Create, &token).await);
    assert!(
        answer.contains(
            "the function's role may not do iam:CreateAccessKey on \
             arn:aws:iam::123456789012:user/app"
        ),
        "{answer}"
    );
    stage.assert_quiet(&[&stage.value("AWSCURRENT").await]);
}
