//! `invoke`: events for a function on this machine.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use harness::proxy::{Fault, HttpAction};
use serde_json::json;
use support::{SECRET, Stage, fake_function, token};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

#[tokio::test]
async fn a_binary_gets_the_events_and_its_errors_are_told() {
    let stage = Stage::start().await;
    let function = fake_function();
    let all = [
        "invoke", "--binary", &function, "--step", "all", "--secret", SECRET,
    ];
    let path = |command: &mut Command| {
        command.env("PATH", "/usr/bin:/bin");
    };

    // Nothing is pending, so there is no token.
    let ended = stage.json(&all).await;
    assert_eq!(ended.code, 4, "{ended:?}");
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let mut command = stage.command(&[&all[..], &["--json"]].concat());
    path(&mut command);
    let ended = stage.end(command).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let steps = ended.json()["steps"].clone();
    let named: Vec<_> = steps
        .as_array()
        .expect("steps")
        .iter()
        .map(|it| it["step"].clone())
        .collect();
    assert_eq!(
        named,
        ["createSecret", "setSecret", "testSecret", "finishSecret"]
    );
    assert!(
        ended.stderr.contains("starting"),
        "the function's own output"
    );

    for (event, code) in [
        (
            json!({"do": "fail", "message": "as asked"}),
            "Function.Broken",
        ),
        (json!({"do": "crash"}), "Crashed"),
    ] {
        let mut command = stage.command(&["invoke", "--binary", &function, "-", "--json"]);
        path(&mut command);
        command.stdin(std::process::Stdio::piped());
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        stdin
            .write_all(event.to_string().as_bytes())
            .await
            .expect("a pipe");
        drop(stdin);
        let output = child.wait_with_output().await.expect("it ends");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(
            (output.status.code(), &json["error"]["code"]),
            (Some(1), &json!(code))
        );
    }

    let mut command = stage.command(&all);
    path(&mut command);
    command.env("FAIL_INIT", "1");
    let ended = stage.end(command).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("Init.Broken"), "{ended:?}");
    let ended = stage
        .json(&[
            "invoke",
            "--binary",
            "/not/there",
            "--step",
            "all",
            "--secret",
            "s",
            "--token",
            &token(1),
        ])
        .await;
    assert_eq!(ended.code, 4);
}

#[tokio::test]
async fn an_endpoint_gets_the_event() {
    let stage = Stage::start().await;
    let step = [
        "invoke",
        "--step",
        "testSecret",
        "--secret",
        "s",
        "--token",
        "t",
        "--endpoint",
    ];
    // The proxy stands for a function that listens: it answers with what it is told.
    let endpoint = stage.store.endpoint();
    stage.store.reset();
    let garbage = HttpAction::Garbage;
    stage.store.fault_at(1, Fault::Before(garbage));
    let ended = stage.json(&[&step[..], &[&endpoint]].concat()).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        stage.store.calls()[0].body,
        json!({"Step": "testSecret", "SecretId": "s", "ClientRequestToken": "t"})
    );
    let refused = HttpAction::Status {
        code: 500,
        aws_code: "X".into(),
    };
    stage.store.fault_at(2, Fault::Before(refused));
    let ended = stage.json(&[&step[..], &[&endpoint]].concat()).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (1, &json!("Refused"))
    );
    stage.store.fault_at(3, Fault::Before(HttpAction::Drop));
    let ended = stage.json(&[&step[..], &[&endpoint]].concat()).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (1, &json!("Unreachable"))
    );
    let ended = stage
        .json(&[&step[..], &["https://lambda.example"]].concat())
        .await;
    assert_eq!(ended.code, 4, "only plain HTTP of this machine");
}
