//! Sessions on a terminal, read back: colour, progress, the question, and Ctrl-C.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use harness::proxy::{Fault, Hook, HttpAction, TcpMode};
use serde_json::json;
use support::terminal::Terminal;
use support::{FIRST, SECOND, SECRET, Stage, token};
use tokio::sync::Notify;
use tokio::time::timeout;

const CTRL_C: &str = "\x03";
const GREEN: &str = "\x1b[32m";
const ERASE: &str = "\r\x1b[2K";

#[tokio::test]
async fn a_run_shows_progress_and_colours_unless_they_are_not_wanted() {
    let stage = Stage::start().await;
    let (screen, code) = Terminal::start(&stage, &["run", SECRET], &[]).end().await;
    assert_eq!(code, 0, "{screen}");
    for text in [
        &format!("{GREEN}created"),
        &format!("{GREEN}promoted"),
        &format!("{ERASE}  setSecret     0 s ..."),
        "AWSCURRENT is the new version",
    ] {
        assert!(screen.contains(text), "{text:?} in {screen:?}");
    }
    stage.holds_no_secret(&screen).await;

    for env in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let session = Terminal::start(&stage, &["run", SECRET], &[env]);
        let (screen, code) = session.end().await;
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.contains("\x1b[3"), "{env:?}: {screen:?}");
        assert_eq!(screen.contains(ERASE), env.0 == "NO_COLOR", "{screen:?}");
        stage.holds_no_secret(&screen).await;
    }
    assert!(stage.current_works().await);
}

#[tokio::test]
async fn unstick_asks_and_does_only_what_is_confirmed() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    for (answer, expected) in [("n\r", 5), ("\r", 5), ("yes\r", 0)] {
        stage.store.reset();
        let mut session = Terminal::start(&stage, &["unstick", SECRET], &[]);
        session.expect("to AWSCURRENT? [y/N] ").await;
        assert_eq!(stage.writes(), Vec::<String>::new());
        session.type_in(answer).await;
        let (screen, code) = session.end().await;
        assert_eq!(code, expected, "{screen}");
        assert!(screen.contains("PendingNotSet"), "{screen}");
        assert_eq!(screen.contains("not confirmed"), expected == 5);
        assert_eq!(stage.writes().is_empty(), expected == 5, "{screen}");
        stage.holds_no_secret(&screen).await;
    }
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn nobody_is_asked_without_a_terminal() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.store.reset();
    let ended = stage.json(&["unstick", SECRET]).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (5, &json!("NotConfirmed"))
    );
    assert!(
        ended.json()["error"]["message"]
            .to_string()
            .contains("--yes")
    );
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn ctrl_c_twice_drops_the_step_and_the_next_run_finishes() {
    let stage = Stage::start().await;
    stage.database.set_mode(TcpMode::Silent).await;
    let mut session = Terminal::start(&stage, &["run", SECRET], &[]);
    session.expect("setSecret").await;
    session.type_in(CTRL_C).await;
    session.expect("stopping:").await;
    session.type_in(CTRL_C).await;
    let (screen, code) = session.end().await;
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("interrupted in setSecret"), "{screen}");
    stage.holds_no_secret(&screen).await;
    let pending = stage.password("AWSPENDING").await.expect("it was made");

    stage.database.set_mode(TcpMode::Forward).await;
    let ended = stage.json(&["run", SECRET]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["resumed"], true);
    assert_eq!(stage.password("AWSCURRENT").await, Some(pending));
    assert!(stage.current_works().await);
}

/// The n-th write of a run waits until it is let go.
fn hold(stage: &Stage, call: usize) -> Arc<Notify> {
    let go = Arc::new(Notify::new());
    let waits = Arc::clone(&go);
    let hook = Hook::new_async(move || {
        let waits = Arc::clone(&waits);
        async move { waits.notified().await }
    });
    stage.store.reset();
    stage
        .store
        .fault_at(call, Fault::Before(HttpAction::Call(hook)));
    go
}

async fn reached(stage: &Stage, call: usize) {
    let reached = timeout(Duration::from_mins(1), stage.store.reached(call)).await;
    assert!(
        reached.is_ok(),
        "no call {call}: {:?}",
        stage.store.operations()
    );
}

/// The calls of a run up to the one that stores the value, and to the one that publishes it.
const PUT: usize = 7;
const PROMOTE: usize = 15;

#[tokio::test]
async fn ctrl_c_once_lets_the_step_come_to_its_end() {
    let stage = Stage::start().await;
    let go = hold(&stage, PUT);
    let mut session = Terminal::start(&stage, &["run", SECRET], &[]);
    reached(&stage, PUT).await;
    session.type_in(CTRL_C).await;
    session.expect("stopping:").await;
    go.notify_one();
    let (screen, code) = session.end().await;
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("stopped after createSecret"), "{screen}");
    assert_eq!(stage.store.operations()[PUT - 1], "PutSecretValue");
    assert!(stage.password("AWSPENDING").await.is_some());
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
    let ended = stage.json(&["run", SECRET]).await;
    assert_eq!((ended.code, &ended.json()["resumed"]), (0, &json!(true)));
}

#[tokio::test]
async fn a_signal_in_the_last_step_comes_too_late() {
    let stage = Stage::start().await;
    let go = hold(&stage, PROMOTE);
    let mut command = stage.command(&["run", SECRET, "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    reached(&stage, PROMOTE).await;
    signal(child.id(), "TERM");
    let output = child.wait_with_output();
    let (output, ()) = tokio::join!(output, async { go.notify_one() });
    let output = output.expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        stage.store.operations()[PROMOTE - 1],
        "UpdateSecretVersionStage"
    );
    assert!(stage.current_works().await);
}

#[tokio::test]
async fn sigterm_in_the_middle_is_told_to_machines() {
    let stage = Stage::start().await;
    let go = hold(&stage, PUT);
    let mut command = stage.command(&["run", SECRET, "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    reached(&stage, PUT).await;
    signal(child.id(), "TERM");
    // The value is stored only after the signal was noticed, which it says on standard error.
    let mut child = child;
    let mut said = child.stderr.take().expect("piped");
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("stopping:") {
        let read = tokio::io::AsyncReadExt::read_buf(&mut said, &mut text).await;
        assert_ne!(
            read.expect("a pipe"),
            0,
            "{:?}",
            String::from_utf8_lossy(&text)
        );
    }
    go.notify_one();
    let output = child.wait_with_output().await.expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["error"]["code"], "Interrupted");
    assert_eq!(
        json["steps"],
        json!([{"step": "createSecret", "outcome": "created", "ms": json["steps"][0]["ms"]}])
    );
}

#[tokio::test]
async fn a_run_that_is_killed_at_any_write_is_finished_by_the_next() {
    let stage = Stage::start().await;
    let (mut killed, mut writes) = (0, 0);
    for after in [false, true] {
        let mut call = PUT;
        loop {
            stage.store.reset();
            let hang = if after {
                Fault::After(HttpAction::Hang)
            } else {
                Fault::Before(HttpAction::Hang)
            };
            stage.store.fault_at(call, hang);
            let mut child = stage.command(&["run", SECRET]).spawn().expect("it runs");
            let ended = tokio::select! {
                biased;
                () = stage.store.reached(call) => false,
                _ = child.wait() => true,
            };
            if ended {
                break;
            }
            let operation = stage.store.operations()[call - 1].clone();
            if operation.starts_with("Update") || operation.starts_with("Put") {
                writes += 1;
            }
            child.kill().await.expect("it runs");
            killed += 1;
            stage.store.reset();
            let ended = stage.run(&["run", SECRET]).await;
            assert_eq!(ended.code, 0, "{operation}, after {after}: {ended:?}");
            assert!(stage.current_works().await, "{operation}, after {after}");
            call += 1;
        }
    }
    assert_eq!(killed, 2 * (PROMOTE - PUT + 1));
    assert_eq!(writes, 6, "put, claim and promotion, before and after each");
}

fn signal(process: Option<u32>, name: &str) {
    let process = process.expect("it runs").to_string();
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", name, &process])
        .status();
    assert!(sent.expect("a shell").success());
}

#[tokio::test]
async fn ctrl_c_at_the_question_changes_nothing() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.store.reset();
    let mut session = Terminal::start(&stage, &["unstick", SECRET], &[]);
    session.expect("[y/N] ").await;
    session.type_in(CTRL_C).await;
    let (_, code) = session.end().await;
    assert_eq!(code, 130);
    assert_eq!(stage.writes(), Vec::<String>::new());
    assert!(stage.labels().await[token(1)].is_array());
}
