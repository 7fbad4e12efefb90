//! Events and secrets that are wrong: a clear error, nothing lost, and the same rotation completes when
//! the fault is gone.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use support::{FIRST, SECRET, Stage, TIMEOUT, event, function, token};

#[tokio::test]
async fn events_that_are_none_are_answered_with_what_is_wrong() {
    let function = function("http://127.0.0.1:1", &[]);
    let long = "s".repeat(2049);
    let cases = [
        (r#"{"Step": "#.to_owned(), "DeserializeError", "EOF"),
        ("[]".to_owned(), "InvalidEvent", "not a JSON object"),
        ("{}".to_owned(), "InvalidEvent", "`Step` is missing"),
        (
            event(Step::Set, "", &token(1)).to_string(),
            "InvalidEvent",
            "`SecretId` of the event has 0",
        ),
        (
            event(Step::Set, &long, &token(1)).to_string(),
            "InvalidEvent",
            "has 2049 characters",
        ),
        (
            event(Step::Set, SECRET, "sentinel-short").to_string(),
            "InvalidEvent",
            "it must have 32 to 64",
        ),
        (
            event(Step::Set, SECRET, &token(1))
                .to_string()
                .replace("setSecret", "sentinelSecret"),
            "InvalidEvent",
            "must be createSecret, setSecret, testSecret or finishSecret",
        ),
        (
            json!({"Step": "setSecret", "SecretId": SECRET, "ClientRequestToken": token(1),
                   "RotationToken": "sentinel"})
            .to_string(),
            "InvalidEvent",
            "`RotationToken` of the event has 8",
        ),
    ];
    for (payload, error_type, message) in cases {
        let answer = function.invoke_bytes(payload.clone(), TIMEOUT).await;
        let (kind, text) = answer.error();
        assert!(kind.ends_with(error_type), "{payload}: {kind}");
        assert!(text.contains(message), "{payload}: {text}");
        assert_eq!(sentinel::found("sentinel", text), None);
    }
    assert_eq!(function.cold_starts(), 1, "none of them ends the process");
    assert_eq!(sentinel::found("sentinel", &function.logs()), None);
}

#[tokio::test]
async fn settings_that_are_wrong_are_all_named_in_every_answer() {
    let env = [
        ("PASSWORD_LENGTH", "many"),
        ("EXCLUDE_NUMBERS", "perhaps"),
        ("PASSWORD_FORM", "sentinel"),
        ("STRATEGY", "sentinel"),
        ("PASSWORD_VALID_DAYS", "0"),
        ("CA_CERTIFICATE", "sentinel"),
        ("MIN_OVERLAP_SECONDS", "-1"),
        ("SECRETS_MANAGER_ENDPOINT", "sentinel"),
    ];
    let function = support::function("http://127.0.0.1:1", &env);
    for _ in 0..2 {
        let answer = function
            .invoke(&event(Step::Create, SECRET, &token(1)), TIMEOUT)
            .await;
        let (kind, text) = answer.error();
        assert_eq!(kind, "InvalidConfiguration");
        for (name, _) in env {
            assert!(text.contains(name), "{name} is not in: {text}");
        }
        assert!(
            text.ends_with("correct the function's environment variables"),
            "{text}"
        );
    }
    assert_eq!(sentinel::found("sentinel", &function.logs()), None);
    let env = [
        ("STRATEGY", "alternating_users"),
        ("PASSWORD_LENGTH", "many"),
        ("PAIR_LAYOUT", "sentinel"),
        (
            "ALTERNATE_SUFFIX",
            "sentinel sentinel sentinel sentinel sentinel",
        ),
    ];
    let function = support::function("http://127.0.0.1:1", &env);
    let answer = function
        .invoke(&event(Step::Create, SECRET, &token(1)), TIMEOUT)
        .await;
    for (name, _) in &env[1..] {
        assert!(answer.error().1.contains(name), "{name}: {answer:?}");
    }
    assert_eq!(sentinel::found("sentinel", &function.logs()), None);
    let impossible = [("PASSWORD_LENGTH", "3")];
    let function = support::function("http://127.0.0.1:1", &impossible);
    let answer = function
        .invoke(&event(Step::Create, SECRET, &token(1)), TIMEOUT)
        .await;
    assert_eq!(
        answer.error().0,
        "InvalidConfiguration",
        "four classes do not fit into three characters"
    );
}

/// Sends events until one fails, and sees that it fails as it should and gives nothing away.
async fn must_fail(stage: &Stage, token: &str, error_type: &str, message: &str) {
    let answer = stage.send_all(token).await.expect_err(message);
    let (kind, text) = answer.error();
    assert_eq!(kind, error_type, "{text}");
    assert!(text.contains(message), "{text}");
    assert_eq!(sentinel::found(FIRST, text), None);
    assert_eq!(sentinel::found(FIRST, &stage.lambda.logs()), None);
}

/// What is to be lost in none of these tests.
async fn completes(stage: &Stage, token: &str) {
    assert!(
        stage.logs_in("AWSCURRENT").await,
        "the fault has cost the password"
    );
    stage
        .send_all(token)
        .await
        .expect("the same rotation, tried again");
    assert!(stage.logs_in("AWSCURRENT").await);
    assert_ne!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
}

#[tokio::test]
async fn secrets_that_do_not_fit_say_which_key_and_what_to_do() {
    let stage = Stage::start(15, "app").await;
    let good = stage.value("AWSCURRENT").await.expect("a value");
    let changed = |key: &str, value: Value| {
        let mut secret: Value = serde_json::from_str(&good).expect("JSON");
        match value {
            Value::Null => secret.as_object_mut().expect("an object").remove(key),
            value => secret
                .as_object_mut()
                .expect("an object")
                .insert(key.into(), value),
        };
        secret.to_string()
    };
    let cases = [
        (
            FIRST.to_owned(),
            "the secret is plain text; it must be a JSON object",
        ),
        (
            good.replace('}', ",}"),
            "the secret is broken JSON (at line 1, column",
        ),
        (changed("password", Value::Null), "`password` is missing"),
        (changed("username", Value::Null), "`username` is missing"),
        (changed("host", json!(7)), "`host` must be a string"),
        (
            changed("port", json!("sentinel")),
            "`port` must be a port from 1 to 65535",
        ),
        (
            changed("ssl", json!("sentinel")),
            "`ssl` must be true or false",
        ),
        (
            changed("engine", json!("mysql")),
            "`engine` does not fit this rotator",
        ),
        (changed("engine", Value::Null), "`engine` is missing"),
        (changed("username", json!("n".repeat(64))), "`username`"),
    ];
    let put = async |value: &str, n: usize| {
        let body =
            json!({"SecretId": stage.arn, "SecretString": value, "ClientRequestToken": token(n)});
        stage.secrets().ok("PutSecretValue", body).await;
    };
    for (n, (value, message)) in cases.iter().enumerate() {
        put(value, 100 + n).await;
        let token = stage.begin(200 + n).await;
        must_fail(&stage, &token, "InvalidSecret", message).await;
        assert_eq!(
            stage.value("AWSPENDING").await,
            None,
            "{message}: nothing was made"
        );
    }
    put(&good, 300).await;
    let token = stage.begin(301).await;
    completes(&stage, &token).await;
}

#[tokio::test]
async fn two_functions_given_the_same_event_end_as_one() {
    let stage = Stage::start(18, "app").await;
    let other = function(&stage.store.endpoint(), &[]);
    for n in 1..=5 {
        let token = stage.begin(n).await;
        for step in Step::ALL {
            let event = event(step, &stage.arn, &token);
            let (one, two) = tokio::join!(stage.send(step, &token), other.invoke(&event, TIMEOUT));
            // PostgreSQL refuses one of two changes of a role at once, and a login that was accepted a
            // moment ago may be refused now; and this emulator lets the second of two writers overwrite
            // a value, which the service does not. So one of the two may be told to try again.
            for answer in [one, two] {
                if !answer.is_response() {
                    let (kind, text) = answer.error();
                    let expected = [
                        "PendingRefused",
                        "NoCredentialAccepted",
                        "TargetUnreachable",
                        "TargetRefused",
                    ];
                    assert!(expected.contains(&kind), "{step}: {kind}: {text}");
                }
            }
        }
        stage.send_all(&token).await.expect("tried again, alone");
        assert!(stage.logs_in("AWSCURRENT").await);
        assert!(stage.labels().await.contains(&format!("AWSCURRENT={n} ")));
    }
}

#[tokio::test]
async fn an_unknown_secret_is_named() {
    let stage = Stage::start(15, "app").await;
    let event = event(
        Step::Create,
        "arn:aws:secretsmanager:us-east-1:1:secret:gone",
        &token(1),
    );
    let answer = stage.lambda.invoke(&event, TIMEOUT).await;
    let (kind, text) = answer.error();
    assert_eq!(kind, "StoreNotFound");
    assert!(
        text.contains("secret:gone") && text.contains("ResourceNotFoundException"),
        "{text}"
    );
    let token = stage.begin(1).await;
    completes(&stage, &token).await;
}
