//! Rotations as they are deployed: event, binary, Secrets Manager over the wire, PostgreSQL over TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::collections::BTreeSet;

use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::Value;
use support::{FIRST, Stage, allowed, lines};

/// Two rotations; gives all passwords that there ever were.
async fn rotates_twice(major: u32, role: &str) -> Stage {
    let stage = Stage::start(major, role).await;
    let mut passwords = vec![FIRST.to_owned()];
    for n in 1..=2 {
        let token = stage.begin(n).await;
        stage.store.reset();
        for step in Step::ALL {
            let answer = stage.send(step, &token).await;
            assert!(answer.is_response(), "{step}: {answer:?}");
        }
        assert_eq!(
            stage.store.operations().join(" "),
            "DescribeSecret GetSecretValue GetSecretValue PutSecretValue \
             DescribeSecret GetSecretValue GetSecretValue \
             GetSecretValue \
             DescribeSecret GetSecretValue UpdateSecretVersionStage",
            "11 calls"
        );
        assert!(stage.logs_in("AWSCURRENT").await);
        assert!(
            !stage.logs_in("AWSPREVIOUS").await,
            "one role has one password"
        );
        passwords.push(stage.password("AWSCURRENT").await.expect("a password"));
        assert_eq!(passwords[n].len(), 32);
        assert_ne!(passwords[n], passwords[n - 1]);
    }
    assert_eq!(
        stage.labels().await,
        "AWSCURRENT=2 AWSPENDING=2 AWSPREVIOUS=1"
    );
    let value: Value =
        serde_json::from_str(&stage.value("AWSCURRENT").await.expect("a value")).expect("JSON");
    assert_eq!(value["note"]["kept"].to_string(), "1.5");
    assert_eq!(value["username"], role);

    let admin = stage.postgres.admin().await;
    let statements = admin
        .query("SELECT query FROM pg_stat_statements", &[])
        .await
        .expect("statistics");
    let statements: Vec<String> = statements.iter().map(|row| row.get(0)).collect();
    let (server, function) = (stage.postgres.log(), stage.lambda.logs());
    assert!(
        server.contains("SCRAM-SHA-256$"),
        "the log holds the statement: {server}"
    );
    for password in &passwords {
        for (place, text) in [
            ("server log", &server),
            ("statistics", &statements.join("\n")),
            ("function log", &function),
        ] {
            assert_eq!(
                sentinel::found(password, text),
                None,
                "a password in the {place}"
            );
        }
    }
    stage
}

#[tokio::test]
async fn a_role_on_postgresql_15_rotates() {
    let stage = rotates_twice(15, "app").await;
    let lines = lines(&stage.lambda.logs());
    let outcomes: Vec<_> = lines
        .iter()
        .map(|line| line["outcome"].as_str().expect("an outcome"))
        .collect();
    let once = ["created", "set", "tested", "promoted"];
    assert_eq!(outcomes, [once, once].concat(), "one line a step");
    for line in &lines {
        assert_eq!(line["secret"], stage.arn);
        assert_eq!(line["level"], "INFO");
        assert!(line["version"].is_string() && line["step"].is_string() && line["ms"].is_u64());
    }
    assert_eq!(
        stage.lambda.logs().lines().count(),
        lines.len(),
        "nothing else is logged"
    );
}

/// What those who watch rotations see: each line belongs to a request and a trace, the calls to Secrets
/// Manager to the same trace, and the numbers are there.
#[tokio::test]
async fn a_rotation_can_be_watched() {
    let stage = Stage::start(18, "app").await;
    let token = stage.begin(1).await;
    stage.store.reset();
    stage.send_all(&token).await.expect("a rotation");
    let lines = lines(&stage.lambda.logs());
    let mut calls = stage.store.calls().into_iter();
    for (line, of_this_step) in lines.iter().zip([4, 3, 1, 3]) {
        let trace = line["trace_id"].as_str().expect("a trace");
        assert!(trace.starts_with("Root=1-"), "{trace}");
        for call in calls.by_ref().take(of_this_step) {
            assert_eq!(call.trace.as_deref(), Some(trace), "{}", call.operation);
        }
        assert_eq!(line["function"], "function-under-test");
        assert!(line["request_id"].as_str().is_some_and(|id| id.len() == 36));
        assert_eq!(line["Failures"], 0);
        assert_eq!(line["Attempts"], 1);
        assert!(line["_aws"]["CloudWatchMetrics"].is_array());
    }
    assert_eq!(calls.next().map(|call| call.operation), None);
    let called: BTreeSet<_> = stage.store.operations().into_iter().collect();
    let called: Vec<_> = called
        .iter()
        .map(|name| format!("secretsmanager:{name}"))
        .collect();
    assert_eq!(
        called,
        allowed("rotated_secret"),
        "what the policies are held against"
    );
    let traces: BTreeSet<_> = lines.iter().map(|line| line["trace_id"].as_str()).collect();
    assert_eq!(traces.len(), 4, "one a step");
    for (line, age) in lines.iter().zip([true, true, false, false]) {
        assert_eq!(line["CredentialAge"].is_u64(), age, "{}", line["step"]);
        assert_eq!(line["cold_start"], line["step"] == "createSecret");
    }
    let gap = lines[3]["Gap"].as_u64().expect("one role has a gap");
    assert!(gap < 60_000, "from the pending value on: {gap} ms");
    assert_eq!(lines[3]["Promotions"], 1);

    let quiet = [("METRICS", "off")];
    let stage = Stage::start_with(15, "app", &quiet).await;
    let token = stage.begin(1).await;
    stage.send_all(&token).await.expect("a rotation");
    assert!(!stage.lambda.logs().contains("_aws"));
}

#[tokio::test]
async fn a_role_on_postgresql_18_rotates() {
    rotates_twice(18, "app").await;
}

#[tokio::test]
async fn names_that_need_quoting_rotate() {
    let long = "n".repeat(63);
    for (major, role) in [(15, "ro\"le"), (18, "rôle"), (15, "a b"), (18, &long)] {
        rotates_twice(major, role).await;
    }
}

#[tokio::test]
async fn all_seven_settings_of_the_password_are_heeded() {
    let env = [
        ("PASSWORD_LENGTH", "12"),
        ("EXCLUDE_CHARACTERS", "abc"),
        ("EXCLUDE_NUMBERS", "true"),
        ("EXCLUDE_PUNCTUATION", "yes"),
        ("EXCLUDE_UPPERCASE", "1"),
        ("EXCLUDE_LOWERCASE", "n"),
        ("REQUIRE_EACH_INCLUDED_TYPE", "false"),
    ];
    let stage = Stage::start_with(15, "app", &env).await;
    let token = stage.begin(1).await;
    stage.send_all(&token).await.expect("a rotation");
    let password = stage.password("AWSCURRENT").await.expect("a password");
    assert_eq!(password.len(), 12);
    assert!(
        password.chars().all(|c| matches!(c, 'd'..='z')),
        "of d to z only"
    );
}
