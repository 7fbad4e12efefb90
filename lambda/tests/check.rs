//! Checks: what is found out before a rotation would fail on it, through the built binary.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use support::{FIRST, Stage, TIMEOUT};

/// What the function answers to a check, and the line that it logs.
async fn checked(stage: &Stage) -> (Value, Value) {
    let event = json!({"Check": stage.arn});
    let answer = stage.lambda.invoke(&event, TIMEOUT).await;
    let answer = answer.response();
    (answer, line(stage))
}

/// The last line of a check.
fn line(stage: &Stage) -> Value {
    let logs = stage.lambda.logs();
    let mut lines = logs
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = lines.rfind(|line| line["message"] == "check");
    last.expect("a line")
}

fn codes(answer: &Value) -> Vec<&str> {
    let findings = answer["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|it| it["code"].as_str().expect("a code"))
        .collect()
}

#[tokio::test]
async fn a_check_tells_how_a_rotation_stands_and_writes_nothing() {
    let stage = Stage::start(18, "app").await;
    let (answer, line) = checked(&stage).await;
    assert_eq!(
        (codes(&answer), &answer["needs_action"]),
        (vec!["Healthy"], &json!(false))
    );
    assert_eq!(
        (&line["level"], &line["Stuck"], &line["Overdue"]),
        (&json!("INFO"), &json!(0), &json!(0))
    );
    assert!(
        line["CredentialAge"].is_u64() && line["secret"] == stage.arn,
        "{line}"
    );

    // A rotation that has just begun is no alarm yet.
    let token = stage.begin(1).await;
    assert!(stage.send(Step::Create, &token).await.is_response());
    let (answer, line) = checked(&stage).await;
    assert_eq!(codes(&answer), ["PendingNotSet"]);
    assert_eq!(
        (&line["level"], &line["Stuck"]),
        (&json!("ERROR"), &json!(0))
    );
    for step in [Step::Set, Step::Test, Step::Finish] {
        assert!(stage.send(step, &token).await.is_response());
    }

    // Somebody changes the password past Secrets Manager.
    let admin = stage.postgres.admin().await;
    admin
        .batch_execute("ALTER ROLE app PASSWORD 'other'")
        .await
        .expect("a new password");
    let before = stage.store.operations().len();
    let (answer, line) = checked(&stage).await;
    assert_eq!(
        (codes(&answer), &answer["needs_action"]),
        (vec!["NoCredentialAccepted"], &json!(true))
    );
    assert_eq!(
        (&line["level"], &line["Stuck"]),
        (&json!("ERROR"), &json!(1))
    );
    for operation in &stage.store.operations()[before..] {
        assert!(
            ["DescribeSecret", "GetSecretValue"].contains(&operation.as_str()),
            "{operation}"
        );
    }
    let password = stage.password("AWSCURRENT").await.expect("a password");
    let texts = format!("{answer}{}", stage.lambda.logs());
    for secret in [FIRST, &password] {
        assert_eq!(sentinel::found(secret, &texts), None);
    }
}

/// What Secrets Manager does after a deployment: a version with a copy of the current value, and testSecret.
async fn tried_out(stage: &Stage) -> Result<(), (String, String)> {
    let token = stage.begin(7).await;
    let value = stage.value("AWSCURRENT").await.expect("a value");
    let copy = json!({
        "SecretId": stage.arn, "ClientRequestToken": token, "SecretString": value,
        "VersionStages": ["AWSPENDING"],
    });
    stage.secrets().ok("PutSecretValue", copy).await;
    let answer = stage.send(Step::Test, &token).await;
    if answer.is_response() {
        return Ok(());
    }
    let (kind, text) = answer.error();
    Err((kind.to_owned(), text.to_owned()))
}

#[tokio::test]
async fn a_function_that_is_tried_out_says_what_the_next_rotation_would_fail_on() {
    let stage = Stage::start(15, "app").await;
    tried_out(&stage).await.expect("all is well");
    assert_eq!(codes(&line(&stage)), ["PendingIsCurrent"]);

    let stage = Stage::start(15, "app").await;
    let value = stage.value("AWSCURRENT").await.expect("a value");
    let mut value: Value = serde_json::from_str(&value).expect("JSON");
    value["masterarn"] = json!("arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-abcdef");
    let put = json!({"SecretId": stage.arn, "SecretString": value.to_string()});
    stage.secrets().ok("PutSecretValue", put).await;
    let (kind, text) = tried_out(&stage)
        .await
        .expect_err("the second secret is not there");
    assert_eq!(kind, "NotReady");
    for part in [
        "the next rotation would fail",
        "secret:gone-abcdef",
        "correct `masterarn`",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(sentinel::found(FIRST, &text), None);
}

#[tokio::test]
async fn a_rotation_that_a_new_process_tests_is_no_trial() {
    let stage = Stage::start(18, "app").await;
    let token = stage.begin(1).await;
    for step in [Step::Create, Step::Set] {
        assert!(stage.send(step, &token).await.is_response());
    }
    stage.lambda.kill();
    assert!(stage.send(Step::Test, &token).await.is_response());
    assert_eq!(stage.lambda.cold_starts(), 2);
    let logs = stage.lambda.logs();
    assert!(!logs.contains("\"message\":\"check\""), "{logs}");
}

#[tokio::test]
async fn a_function_that_is_set_up_wrongly_says_so_to_a_check() {
    let stage = Stage::start_with(15, "app", &[("PASSWORD_LENGTH", "many")]).await;
    let event = json!({"Check": stage.arn});
    let answer = stage.lambda.invoke(&event, TIMEOUT).await;
    let (kind, text) = answer.error();
    assert_eq!(kind, "InvalidConfiguration");
    assert!(text.contains("`PASSWORD_LENGTH`"), "{text}");
}
