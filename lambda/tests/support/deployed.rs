//! A function as it is deployed, and one secret: what the tests of all targets do with them.

use std::time::Duration;

use harness::lambda_host::LambdaHost;
use harness::secrets_manager::Moto;
use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use tokio::time::Instant;

/// As AWS's functions have it.
const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Deployed {
    pub moto: Moto,
    pub lambda: LambdaHost,
    pub arn: String,
}

impl Deployed {
    /// The four events of the `n`th rotation; else the type of the error and its message.
    pub async fn rotate(&self, n: usize) -> Result<(), (String, String)> {
        rotate(&self.moto, &self.lambda, &self.arn, n).await
    }

    /// The first event of a rotation, which fails: the type of the error and its message.
    pub async fn fails_to_create(&self, arn: &str) -> (String, String) {
        let token = token(9);
        self.moto.client().begin_rotation(arn, &token).await;
        let sent = send(&self.lambda, Step::Create, arn, &token).await;
        sent.expect_err("createSecret fails")
    }

    pub async fn value(&self, label: &str) -> Value {
        let value = self.moto.client().value(&self.arn, label).await;
        serde_json::from_str(&value.expect("a value")).expect("JSON")
    }

    /// User and password under a label; other keys are what they were.
    pub async fn login(&self, label: &str) -> (String, String) {
        let value = self.value(label).await;
        assert_eq!(value["kept"], json!(1.5));
        let text = |key: &str| value[key].as_str().expect("a text").to_owned();
        (text("username"), text("password"))
    }

    /// Three rotations of one user, in which the old password works beside the new one, and the one before
    /// them no longer; gives all passwords.
    pub async fn rotates_two_passwords<R: Rotator>(&self, rotator: &R) -> Vec<String> {
        let first = self.value("AWSCURRENT").await;
        let mut seen = vec![password(&first)];
        for n in 1..=3 {
            self.rotate(n).await.expect("a rotation");
            let current = self.value("AWSCURRENT").await;
            assert_eq!(password(&current).len(), 40);
            assert_eq!(current["kept"], json!(1.5), "other keys are kept: {n}");
            assert_eq!(verdict(rotator, &current).await, Verdict::Accepted);
            let previous = self.value("AWSPREVIOUS").await;
            assert_eq!(verdict(rotator, &previous).await, Verdict::Accepted);
            seen.push(password(&current));
        }
        let first = verdict(rotator, &first).await;
        assert_eq!(first, Verdict::Rejected, "retired");
        seen
    }
}

/// The four events of the `n`th rotation; else the type of the error and its message.
pub async fn rotate(
    moto: &Moto,
    lambda: &LambdaHost,
    arn: &str,
    n: usize,
) -> Result<(), (String, String)> {
    let token = token(n);
    moto.client().begin_rotation(arn, &token).await;
    for step in Step::ALL {
        send(lambda, step, arn, &token).await?;
    }
    Ok(())
}

/// One event; else the type of the error and its message.
pub async fn send(
    lambda: &LambdaHost,
    step: Step,
    arn: &str,
    token: &str,
) -> Result<(), (String, String)> {
    let event = json!({"Step": step.as_str(), "SecretId": arn, "ClientRequestToken": token});
    let answer = lambda.invoke(&event, TIMEOUT).await;
    if answer.is_response() {
        return Ok(());
    }
    let (kind, message) = answer.error();
    Err((kind.to_owned(), message.to_owned()))
}

/// A version id for the `n`th rotation.
pub fn token(n: usize) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

/// What the server says to what the secret holds.
pub async fn verdict<R: Rotator>(rotator: &R, value: &Value) -> Verdict {
    let candidate = &SecretDocument::from_text(&value.to_string());
    let candidate = candidate.try_into().expect("a credential");
    let deadline = Instant::now() + TIMEOUT;
    let cx = Context::new("secret".into(), "version".into(), deadline);
    let verdict = rotator.test(&candidate, &cx).await;
    verdict.expect("the server answers")
}

pub fn password(value: &Value) -> String {
    value["password"].as_str().expect("a password").to_owned()
}

/// There is a log, and no password is in it.
pub fn hides<'p>(log: &str, passwords: impl IntoIterator<Item = &'p str>) {
    assert!(!log.is_empty());
    for password in passwords {
        assert_eq!(sentinel::found(password, log), None, "{log}");
    }
}
