//! Secrets Manager or the server out of reach, in every way: a clear error, nothing lost, and the same
//! rotation completes when the fault is gone.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::time::Duration;

use harness::proxy::{Fault, HttpAction, TcpAction, TcpMode};
use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use support::{FIRST, Stage};

/// Runs a rotation with every call from the `n`th on failing; gives the error. Then the fault goes, and
/// the same rotation must complete.
async fn strikes(stage: &Stage, n: usize, call: usize, action: HttpAction) -> (String, String) {
    let token = stage.begin(n).await;
    stage.store.reset();
    stage.store.fault_from(call, Fault::Before(action));
    let answer = stage.send_all(&token).await.expect_err("a fault");
    stage.store.clear_faults();
    let (kind, text) = answer.error();
    for place in [text, &stage.lambda.logs()] {
        assert_eq!(sentinel::found(FIRST, place), None);
    }
    assert!(stage.logs_in("AWSCURRENT").await || stage.logs_in("AWSPENDING").await);
    stage
        .send_all(&token)
        .await
        .expect("the same rotation, tried again");
    assert!(stage.logs_in("AWSCURRENT").await);
    (kind.to_owned(), text.to_owned())
}

#[tokio::test]
async fn secrets_manager_that_says_no_is_quoted_with_a_remedy() {
    let stage = Stage::start(15, "app").await;
    let mut n = 0;
    for (code, aws_code, kind, remedy) in [
        (
            400,
            "ThrottlingException",
            "StoreThrottled",
            "try again later",
        ),
        (
            400,
            "AccessDeniedException",
            "StoreDenied",
            "grant this action",
        ),
        (400, "ExpiredTokenException", "StoreDenied", "have expired"),
        (400, "DecryptionFailure", "StoreKeyUnusable", "KMS key"),
        (
            500,
            "InternalServiceError",
            "StoreUnavailable",
            "the service failed",
        ),
    ] {
        // One call of each kind: describe, get, put, describe of setSecret, get of testSecret, promote.
        for call in [1, 2, 4, 5, 8, 11] {
            n += 1;
            let action = HttpAction::Status {
                code,
                aws_code: aws_code.to_owned(),
            };
            // A read of the placeholder that is denied must not pass for an empty one.
            let (got, text) = strikes(&stage, n, call, action).await;
            assert_eq!(got, kind, "call {call}: {text}");
            assert!(text.contains(aws_code) && text.contains(remedy), "{text}");
            assert!(text.contains(&stage.arn), "{text}");
        }
    }
}

#[tokio::test]
async fn secrets_manager_that_answers_nonsense_or_hangs_up_is_unavailable() {
    let stage = Stage::start(15, "app").await;
    let mut n = 0;
    for action in [HttpAction::Garbage, HttpAction::Drop] {
        for call in [1, 4, 11] {
            n += 1;
            let (kind, text) = strikes(&stage, n, call, action.clone()).await;
            assert_eq!(kind, "StoreUnavailable", "{action:?} at {call}: {text}");
        }
    }
}

#[tokio::test]
async fn secrets_manager_that_never_answers_is_given_up_in_time() {
    let stage = Stage::start(15, "app").await;
    let (kind, text) = strikes(&stage, 1, 5, HttpAction::Hang).await;
    assert_eq!(kind, "StoreUnavailable");
    assert!(
        text.contains("in a VPC, that it has an endpoint for Secrets Manager"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_out_of_reach_is_named_and_nothing_is_changed() {
    let stage = Stage::start(18, "app").await;
    let token = stage.begin(1).await;
    assert!(stage.send(Step::Create, &token).await.is_response());
    for mode in [TcpMode::Refuse, TcpMode::Silent] {
        stage.database.set_mode(mode).await;
        for step in [Step::Set, Step::Test, Step::Finish] {
            let answer = stage.send(step, &token).await;
            let (kind, text) = answer.error();
            assert_eq!(kind, "TargetUnreachable", "{mode:?}: {text}");
            assert!(
                text.contains(&format!("127.0.0.1:{}", stage.database.port())),
                "{text}"
            );
        }
    }
    stage.database.set_mode(TcpMode::Forward).await;
    // Cut off in the middle of every message: what came of it is unknown, and found out.
    for chunk in 1..=12 {
        stage.database.reset();
        stage
            .database
            .fault_at(chunk, Fault::After(TcpAction::Drop));
        let answer = stage.send(Step::Set, &token).await;
        if !answer.is_response() {
            assert_eq!(
                answer.error().0,
                "TargetUnreachable",
                "message {chunk}: {answer:?}"
            );
        }
    }
    stage.database.clear_faults();
    stage
        .send_all(&token)
        .await
        .expect("the same rotation, tried again");
    assert!(stage.logs_in("AWSCURRENT").await);
}

#[tokio::test]
async fn a_step_whose_time_is_up_says_so_itself() {
    let stage = Stage::start(15, "app").await;
    let token = stage.begin(1).await;
    stage.store.reset();
    stage.store.fault_from(1, Fault::Before(HttpAction::Hang));
    let event = support::event(Step::Create, &stage.arn, &token);
    let answer = stage.lambda.invoke(&event, Duration::from_secs(2)).await;
    assert_eq!(answer.error().0, "OutOfTime", "{answer:?}");
    stage.store.clear_faults();
    stage
        .send_all(&token)
        .await
        .expect("the same rotation, tried again");
}
