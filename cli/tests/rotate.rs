//! `run`, `verify`, `plan` and `status` on a secret in good order.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use harness::proxy::{Fault, HttpAction, TcpMode};
use serde_json::json;
use support::{FIRST, SECOND, SECRET, Stage, token};

#[tokio::test]
async fn a_secret_without_a_function_rotates_twice() {
    let stage = Stage::start().await;
    let mut passwords = vec![FIRST.to_owned()];
    for _ in 0..2 {
        let ended = stage.json(&["run", SECRET]).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        let json = ended.json();
        let steps = json["steps"].as_array().expect("steps");
        let outcomes: Vec<_> = steps.iter().map(|step| &step["outcome"]).collect();
        assert_eq!(outcomes, ["created", "set", "tested", "promoted"]);
        assert!(steps.iter().all(|step| step["ms"].is_u64()));
        assert_eq!(json["resumed"], false);
        assert_eq!(json["rotator"], "postgres");
        let version = json["version"].as_str().expect("a version");
        assert_eq!(
            stage.labels().await[version],
            json!(["AWSCURRENT", "AWSPENDING"])
        );
        let password = stage.password("AWSCURRENT").await.expect("a password");
        assert!(!passwords.contains(&password));
        passwords.push(password);
        assert!(stage.current_works().await);
    }
    assert_eq!(
        stage.password("AWSPREVIOUS").await.as_ref(),
        passwords.get(1)
    );
}

#[tokio::test]
async fn a_rotation_that_was_begun_is_gone_on_with() {
    let stage = Stage::start().await;
    // What the service does before createSecret, and nothing after it.
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let ended = stage.json(&["run", SECRET]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["version"], token(1));
    assert_eq!(ended.json()["resumed"], true);
    assert_eq!(ended.json()["steps"][0]["outcome"], "created");

    stage.put_pending(2, SECOND).await;
    let ended = stage.run(&["run", SECRET]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    for word in [
        "goes on with",
        &token(2),
        "kept",
        "set",
        "tested",
        "promoted",
    ] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
    assert!(
        !ended.stdout.contains('\x1b'),
        "no colour without a terminal"
    );
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn a_rotation_that_is_switched_off_runs_only_if_that_is_said() {
    let stage = Stage::start().await;
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let cancel = json!({"SecretId": SECRET});
    stage.secrets().ok("CancelRotateSecret", cancel).await;
    let ended = stage.json(&["run", SECRET]).await;
    assert_eq!(ended.code, 1);
    assert_eq!(ended.json()["error"]["code"], "RotationDisabled");
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
    let ended = stage.json(&["run", SECRET, "--even-if-disabled"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(stage.current_works().await);
}

/// The service refuses to move `AWSPENDING` from another version; the emulator does not, so a proxy says so.
#[tokio::test]
async fn of_two_runs_at_once_one_claims_awspending() {
    let stage = Stage::start().await;
    let refusal = HttpAction::Status {
        code: 400,
        aws_code: "InvalidParameterException".into(),
    };
    let calls = [
        "GetSecretValue", // which engine
        "DescribeSecret", // which version
        "DescribeSecret", // createSecret
        "GetSecretValue",
        "GetSecretValue",
        "DescribeSecret", // who holds AWSPENDING
        "PutSecretValue",
        "UpdateSecretVersionStage",
    ];
    stage.store.fault_at(calls.len(), Fault::Before(refusal));
    let ended = stage.json(&["run", SECRET]).await;
    assert_eq!(stage.store.operations()[..calls.len()], calls);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.json()["error"]["code"], "StoreConflict");
    assert_eq!(ended.json()["error"]["advice"], "retry");
    let put = &stage.store.calls()[6].body;
    assert_eq!(put["VersionStages"], json!(["PUT-BY-HAND"]));
    assert_eq!(stage.password("AWSPENDING").await, None);
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
    assert!(stage.current_works().await);
}

#[tokio::test]
async fn verify_asks_once_and_tells_refused_from_unreachable() {
    let stage = Stage::start().await;
    let ended = stage.json(&["verify", SECRET]).await;
    assert_eq!((ended.code, &ended.json()["accepted"]), (0, &json!(true)));
    let refused = |log: &str| log.matches("password authentication failed").count();
    let before = refused(&stage.postgres.log());

    stage.set_password(SECOND).await;
    let ended = stage.json(&["verify", SECRET]).await;
    assert_eq!((ended.code, &ended.json()["accepted"]), (3, &json!(false)));
    assert_eq!(refused(&stage.postgres.log()), before + 1, "one attempt");

    stage.database.set_mode(TcpMode::Refuse).await;
    let ended = stage.json(&["verify", SECRET]).await;
    assert_eq!(ended.code, 1);
    assert_eq!(ended.json()["error"]["code"], "TargetUnreachable");
    let ended = stage.run(&["verify", SECRET]).await;
    assert!(ended.stdout.is_empty(), "{ended:?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
}

#[tokio::test]
async fn a_plan_writes_nothing_and_tells_each_step() {
    let stage = Stage::start().await;
    stage.store.reset();
    let ended = stage.json(&["plan", SECRET]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = ended.json();
    let would: Vec<_> = (0..4).map(|n| json["steps"][n]["would"].clone()).collect();
    assert_eq!(
        would,
        [
            "would make a new value and store it as AWSPENDING",
            "would log in with AWSCURRENT and set the value",
            "would present the new value once",
            "would move AWSCURRENT",
        ]
    );
    assert!(
        json["gap"]
            .as_str()
            .expect("a gap")
            .contains("from setSecret to finishSecret")
    );
    assert_eq!(json["would_fail"], json!(null));
    assert_eq!(json["unseen"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["findings"][0]["code"], "Healthy");

    stage.put_pending(1, SECOND).await;
    stage.set_password(SECOND).await;
    stage.store.reset();
    let json = stage.json(&["plan", SECRET]).await.json();
    assert_eq!(
        json["steps"][0]["would"],
        "would keep the value of AWSPENDING"
    );
    let set = json["steps"][1]["would"].as_str().expect("a forecast");
    assert!(set.starts_with("would do nothing"), "{set}");

    stage.database.set_mode(TcpMode::Refuse).await;
    let ended = stage.json(&["plan", SECRET]).await;
    assert_eq!(ended.code, 3);
    assert_eq!(ended.json()["would_fail"], "TargetUnreachable");
    let ended = stage.run(&["plan", SECRET]).await;
    assert!(
        ended
            .stdout
            .contains("setSecret     would end with TargetUnreachable"),
        "{ended:?}"
    );
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_plan_names_the_right_that_is_missing() {
    let stage = Stage::start().await;
    let denied = HttpAction::Status {
        code: 400,
        aws_code: "AccessDeniedException".into(),
    };
    // Without --rotator the engine would be read before.
    stage.store.fault_from(1, Fault::Before(denied));
    let ended = stage.json(&["plan", SECRET, "--rotator", "postgres"]).await;
    assert_eq!(ended.code, 3);
    let json = ended.json();
    assert_eq!(json["would_fail"], "StoreDenied");
    assert_eq!(json["findings"][0]["advice"], "fix_permissions");
    let cause = json["findings"][0]["cause"].as_str().expect("a cause");
    assert!(cause.contains("DescribeSecret"), "{cause}");
}

#[tokio::test]
async fn status_tells_labels_ages_and_who_rotates() {
    let stage = Stage::start().await;
    let ended = stage.json(&["status", SECRET]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let json = ended.json();
    let secret = &json["secrets"][0];
    assert_eq!(secret["standing"], "at_rest");
    assert_eq!(secret["state"]["rotation_enabled"], json!(null));
    assert_eq!(secret["versions"][0]["label"], "AWSCURRENT");
    assert!(secret["versions"][0]["created"].is_u64());

    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let ended = stage.json(&["status", SECRET, "not/there"]).await;
    assert_eq!(ended.code, 1);
    let json = ended.json();
    let secret = &json["secrets"][0];
    assert_eq!(secret["standing"], "pending_empty");
    assert_eq!(secret["state"]["rotation_enabled"], true);
    assert!(secret["state"]["next_rotation"].is_u64(), "{secret}");
    assert_eq!(secret["versions"][1]["value"], "empty");
    assert_eq!(json["secrets"][1]["error"]["code"], "StoreNotFound");

    let ended = stage.run(&["status", SECRET]).await;
    assert_eq!(ended.code, 3);
    for word in [
        "rotation on",
        "AWSPENDING",
        "next rotation due in ",
        "made ",
    ] {
        assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
    }
    assert_eq!(stage.writes(), Vec::<String>::new());
}
