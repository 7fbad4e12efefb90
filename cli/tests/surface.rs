//! The command line itself: exit codes, settings, which rotator, completions.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use harness::proxy::{Fault, HttpAction};
use serde_json::json;
use support::{BINARY, FIRST, SECRET, Stage};
use tokio::process::Command;

async fn bare(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(BINARY).args(args).env_clear().output().await;
    let output = output.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn a_wrong_command_line_is_2_and_missing_settings_are_4() {
    for args in [
        &["rotate"][..],
        &["status"],
        &["run"],
        &["run", "s", "--rotator", "oracle"],
        &["run", "s", "--timeout", "0"],
        &["invoke", "--binary", "x"],
        &["invoke", "event.json"],
    ] {
        let (code, stdout, stderr) = bare(args).await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
    }
    for command in ["status", "plan", "run", "verify", "doctor", "unstick"] {
        let (code, _, stderr) = bare(&[command, "s"]).await;
        assert_eq!(code, Some(4), "{command}: {stderr}");
        for name in [
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "export-credentials",
        ] {
            assert!(stderr.contains(name), "{name}: {stderr}");
        }
        let (code, stdout, stderr) = bare(&[command, "s", "--json"]).await;
        let json: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!((code, stderr.as_str()), (Some(4), ""));
        assert_eq!(json["error"]["code"], "InvalidConfiguration");
        assert_eq!(json["command"], command);
    }
}

#[tokio::test]
async fn help_names_the_exit_codes_and_every_shell_gets_completions() {
    let (code, stdout, _) = bare(&["--help"]).await;
    assert_eq!(code, Some(0));
    for word in [
        "doctor",
        "unstick",
        "Exit codes",
        "130 interrupted",
        "AWS_SESSION_TOKEN",
    ] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, stdout, _) = bare(&["completions", shell]).await;
        assert_eq!(code, Some(0));
        let words = match shell {
            // They are not told the values of options.
            "elvish" | "powershell" => &["unstick", "even-if-disabled"][..],
            _ => &["unstick", "even-if-disabled", "bearer-token"],
        };
        for word in words {
            assert!(stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn the_rotator_comes_from_the_engine_or_from_the_command_line() {
    let stage = Stage::start().await;
    for (value, said) in [
        (
            json!({"engine": "sentinel-engine", "password": FIRST}),
            "no rotator is known",
        ),
        (json!({"password": FIRST}), "no `engine`"),
    ] {
        stage
            .put(
                1 + value.as_object().map_or(0, serde_json::Map::len),
                "AWSCURRENT",
                &value.to_string(),
            )
            .await;
        let ended = stage.json(&["verify", SECRET]).await;
        assert_eq!(ended.code, 4, "{ended:?}");
        let message = ended.json()["error"]["message"].to_string();
        assert!(
            message.contains(said) && message.contains("--rotator"),
            "{message}"
        );
        assert!(!message.contains("sentinel-engine"));
    }
    // Each name leads to its own settings.
    for (rotator, setting) in [
        ("bearer-token", "TWITTER_OAUTH2_TOKEN_URL"),
        ("oauth", "CONFIGURATION"),
        ("api-key", "CONFIGURATION"),
    ] {
        let ended = stage.json(&["verify", SECRET, "--rotator", rotator]).await;
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(
            ended.json()["error"]["message"]
                .to_string()
                .contains(setting)
        );
    }
    for (rotator, key) in [
        ("postgres", "engine"),
        ("rabbitmq", "host"),
        ("redis", "host"),
        ("redshift", "engine"),
        ("ldap", "host"),
        ("iam-key", "access_key"),
    ] {
        let ended = stage.json(&["verify", SECRET, "--rotator", rotator]).await;
        assert_eq!(
            (ended.code, &ended.json()["error"]["code"]),
            (1, &json!("InvalidSecret")),
            "{key}"
        );
    }
}

#[tokio::test]
async fn settings_come_from_a_file_and_the_environment_goes_first() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.json");
    let path = path.to_str().expect("UTF-8");
    std::fs::write(
        path,
        r#"{"PASSWORD_LENGTH": "40", "MIN_OVERLAP_SECONDS": "0"}"#,
    )
    .expect("a file");
    let ended = stage.run(&["run", SECRET, "--settings", path]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        stage.password("AWSCURRENT").await.map(|it| it.len()),
        Some(40)
    );

    let mut command = stage.command(&["run", SECRET, "--settings", path]);
    command.env("PASSWORD_LENGTH", "24");
    assert_eq!(stage.end(command).await.code, 0);
    assert_eq!(
        stage.password("AWSCURRENT").await.map(|it| it.len()),
        Some(24)
    );

    let mut command = stage.command(&["plan", SECRET, "--json"]);
    command.env("MIN_OVERLAP_SECONDS", "3600");
    let ended = stage.end(command).await;
    assert_eq!(
        (ended.code, &ended.json()["would_fail"]),
        (3, &json!("TooSoon"))
    );

    for broken in [
        "[\"sentinel-access-key\"]",
        "{\"STRATEGY\": 1}",
        "sentinel-access-key",
    ] {
        std::fs::write(path, broken).expect("a file");
        let ended = stage.json(&["run", SECRET, "--settings", path]).await;
        assert_eq!(ended.code, 4, "{ended:?}");
    }
    std::fs::write(path, r#"{"STRATEGY": "sentinel", "PASSWORD_LENGTH": "x"}"#).expect("a file");
    let ended = stage.json(&["run", SECRET, "--settings", path]).await;
    let message = ended.json()["error"]["message"].to_string();
    assert!(
        message.contains("STRATEGY") && message.contains("PASSWORD_LENGTH"),
        "all faults: {message}"
    );
}

#[tokio::test]
async fn no_answer_in_time_is_told() {
    let stage = Stage::start().await;
    stage.store.fault_from(2, Fault::Before(HttpAction::Hang));
    let ended = stage.json(&["verify", SECRET, "--timeout", "1"]).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (1, &json!("OutOfTime"))
    );
}
