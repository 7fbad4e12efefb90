//! The host treats a function's process as the service does.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use harness::lambda_host::{Invocation, LambdaHost};
use harness::proxy::{Fault, Hook, HttpAction, HttpProxy};
use serde_json::json;

const LONG: Duration = Duration::from_secs(20);

fn host(env: &[(&str, &str)]) -> LambdaHost {
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_function.py");
    LambdaHost::start(&fake, env)
}

#[tokio::test]
async fn an_event_reaches_the_function_with_the_headers_and_environment_of_the_service() {
    let host = host(&[("OWN_SETTING", "own value")]);
    let before = epoch_ms();
    let answer = host.invoke(&json!({"do": "echo", "n": 1}), LONG).await;
    let answer = answer.response();
    assert_eq!(answer["event"], json!({"do": "echo", "n": 1}));

    let headers = &answer["headers"];
    let deadline = headers["lambda-runtime-deadline-ms"].as_str();
    let deadline: u128 = deadline.and_then(|ms| ms.parse().ok()).expect("a number");
    let window = before + LONG.as_millis()..=epoch_ms() + LONG.as_millis();
    assert!(window.contains(&deadline), "{deadline} not in {window:?}");
    let request_id = headers["lambda-runtime-aws-request-id"].as_str();
    assert_eq!(request_id.map(str::len), Some(36));
    let arn = headers["lambda-runtime-invoked-function-arn"].as_str();
    assert!(arn.is_some_and(|arn| arn.starts_with("arn:aws:lambda:us-east-1:")));
    let trace = headers["lambda-runtime-trace-id"].as_str();
    assert!(trace.is_some_and(|trace| trace.starts_with("Root=1-")));

    let env = &answer["env"];
    assert_eq!(env["OWN_SETTING"], "own value");
    assert_eq!(env["AWS_REGION"], "us-east-1");
    assert_eq!(env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert!(env["CARGO_MANIFEST_DIR"].is_null(), "nothing is inherited");
}

#[tokio::test]
async fn a_process_handles_one_event_after_another() {
    let host = host(&[]);
    for handled in 1..=3 {
        let answer = host.invoke(&json!({"do": "echo"}), LONG).await;
        assert_eq!(answer.response()["handled"], handled);
    }
    assert_eq!(host.cold_starts(), 1);
}

#[tokio::test]
async fn an_error_report_is_passed_on_and_the_process_goes_on() {
    let host = host(&[]);
    let event = json!({"do": "fail", "message": "not today"});
    let failed = host.invoke(&event, LONG).await;
    assert_eq!(failed.error(), ("Function.Broken", "not today"));
    assert!(
        host.invoke(&json!({"do": "echo"}), LONG)
            .await
            .is_response()
    );
    assert_eq!(host.cold_starts(), 1);
}

#[tokio::test]
async fn after_a_crash_the_next_event_gets_a_new_process() {
    let host = host(&[]);
    let crashed = host.invoke(&json!({"do": "crash"}), LONG).await;
    let Invocation::Crashed { status } = crashed else {
        panic!("{crashed:?}");
    };
    assert_eq!(status.signal(), Some(6));
    let next = host.invoke(&json!({"do": "echo"}), LONG).await;
    assert_eq!(next.response()["handled"], 1);
    assert_eq!(host.cold_starts(), 2);
    assert_eq!(host.logs().matches("starting").count(), 2);
}

#[tokio::test]
async fn a_failed_initialisation_is_an_error_report() {
    let host = host(&[("FAIL_INIT", "1")]);
    for _ in 0..2 {
        let failed = host.invoke(&json!({"do": "echo"}), LONG).await;
        assert_eq!(failed.error(), ("Init.Broken", "no configuration"));
    }
    assert_eq!(host.cold_starts(), 2);
}

#[tokio::test]
async fn a_function_that_exceeds_its_time_is_killed() {
    let host = host(&[]);
    let hang = json!({"do": "hang"});
    let late = host.invoke(&hang, Duration::from_millis(50)).await;
    assert!(matches!(late, Invocation::TimedOut), "{late:?}");
    assert!(
        host.invoke(&json!({"do": "echo"}), LONG)
            .await
            .is_response()
    );
    assert_eq!(host.cold_starts(), 2);
}

#[tokio::test]
async fn a_kill_ends_the_running_invocation_as_a_crash() {
    let host = Arc::new(host(&[]));
    // The function calls the proxy in the middle of its work: that is the moment of the kill.
    let proxy = HttpProxy::start("http://127.0.0.1:9").await;
    let victim = Arc::clone(&host);
    let kill = Hook::new(move || victim.kill());
    proxy.fault_at(1, Fault::Before(HttpAction::CallAndDrop(kill)));

    let event = json!({"do": "call", "url": proxy.endpoint()});
    let killed = host.invoke(&event, LONG).await;
    let Invocation::Crashed { status } = killed else {
        panic!("{killed:?}");
    };
    assert_eq!(status.signal(), Some(9));
    assert!(
        host.invoke(&json!({"do": "echo"}), LONG)
            .await
            .is_response()
    );
    assert_eq!(host.cold_starts(), 2);
}

#[tokio::test]
async fn a_kill_between_invocations_is_a_cold_start() {
    let host = host(&[]);
    host.kill();
    for cold_starts in 1..=2 {
        let answer = host.invoke(&json!({"do": "echo"}), LONG).await;
        assert_eq!(answer.response()["handled"], 1);
        assert_eq!(host.cold_starts(), cold_starts);
        host.kill();
    }
}

#[tokio::test]
async fn the_logs_hold_what_was_written_before_the_answer() {
    let host = host(&[]);
    let event = json!({"do": "print", "text": "a line of the function"});
    assert!(host.invoke(&event, LONG).await.is_response());
    assert!(host.logs().contains("starting\na line of the function\n"));
}

#[tokio::test]
async fn the_process_is_gone_after_drop() {
    let host = host(&[]);
    assert!(
        host.invoke(&json!({"do": "echo"}), LONG)
            .await
            .is_response()
    );
    let children = children();
    assert_eq!(children.len(), 1, "{children:?}");
    drop(host);
    assert_eq!(self::children(), Vec::<String>::new());
}

/// The numbers of this process' children.
fn children() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux has it");
    let lists = tasks.flatten().map(|task| {
        let list = std::fs::read_to_string(task.path().join("children"));
        list.unwrap_or_default()
    });
    let lists: Vec<String> = lists.collect();
    let numbers = lists.iter().flat_map(|list| list.split_whitespace());
    numbers.map(str::to_owned).collect()
}

fn epoch_ms() -> u128 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("the clock is right").as_millis()
}
