//! Stuck states, each made on purpose: `doctor` names it, and `unstick` frees it where it can.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use harness::proxy::{Fault, HttpAction, TcpMode};
use serde_json::{Value, json};
use support::{Ended, FIRST, OTHER, SECOND, SECRET, Stage, quoted, token};

/// What `doctor` says, having written nothing: the codes, what can be done here, and all of it.
async fn doctor(stage: &Stage, more: &[&str]) -> (Vec<String>, String, Ended) {
    stage.store.reset();
    let args: Vec<_> = ["doctor", SECRET].iter().chain(more).copied().collect();
    let ended = stage.json(&args).await;
    assert_eq!(
        stage.writes(),
        Vec::<String>::new(),
        "doctor writes nothing"
    );
    let repair = ended.json()["repair"]
        .as_str()
        .expect("a repair")
        .to_owned();
    (ended.codes(), repair, ended)
}

/// That `doctor` finds exactly this, and that somebody has to act.
async fn finds(stage: &Stage, codes: &[&str], repair: &str) -> Value {
    let (found, can, ended) = doctor(stage, &[]).await;
    assert_eq!(found, codes, "{ended:?}");
    assert_eq!(can, repair, "{ended:?}");
    assert_eq!(ended.code, 3, "{ended:?}");
    ended.json()
}

/// `unstick` frees it: afterwards `AWSCURRENT` works, and `doctor` finds nothing.
async fn unstick(stage: &Stage, more: &[&str]) -> Value {
    let args = ["unstick", SECRET, "--yes"];
    let args: Vec<_> = args.iter().chain(more).copied().collect();
    let ended = stage.json(&args).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(stage.current_works().await);
    let (codes, _, after) = doctor(stage, &[]).await;
    assert!(
        codes == ["PendingOnCurrent"] || codes == ["Healthy"],
        "{codes:?}"
    );
    assert_eq!(after.code, 0);
    ended.json()
}

/// `unstick` does nothing, and says that a person must act.
async fn stays(stage: &Stage) {
    stage.store.reset();
    let before = stage.labels().await;
    let ended = stage.json(&["unstick", SECRET, "--yes"]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!(stage.writes(), Vec::<String>::new());
    assert_eq!(stage.labels().await, before);
}

#[tokio::test]
async fn z01_a_pending_version_without_a_value() {
    let stage = Stage::start().await;
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let json = finds(&stage, &["PendingEmpty"], "roll_forward").await;
    assert_eq!(json["versions"][1]["standing"], "empty");
    let done = unstick(&stage, &[]).await;
    assert_eq!(done["done"]["version"], token(1), "the same version");
    assert_ne!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
}

#[tokio::test]
async fn z02_created_and_not_set_goes_forward_or_is_discarded_when_old() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    let json = finds(&stage, &["PendingNotSet"], "roll_forward").await;
    assert_eq!(json["discardable"], true);

    // Somebody may be at work with it.
    let young = ["unstick", SECRET, "--yes", "--discard"];
    let ended = stage.json(&young).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (5, &json!("TooYoung"))
    );
    assert_eq!(stage.password("AWSPENDING").await.as_deref(), Some(SECOND));
    unstick(&stage, &["--discard", "--min-age", "0"]).await;
    assert_eq!(stage.password("AWSPENDING").await, None);
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));

    stage.put_pending(2, SECOND).await;
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn z03_set_and_not_published_is_never_discarded() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.set_password(SECOND).await;
    let json = finds(&stage, &["PendingNotPublished"], "roll_forward").await;
    assert_eq!(json["discardable"], false);
    let discard = ["unstick", SECRET, "--yes", "--discard", "--min-age", "0"];
    let ended = stage.json(&discard).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (5, &json!("NotSafe"))
    );
    assert_eq!(stage.password("AWSPENDING").await.as_deref(), Some(SECOND));
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

/// Two users that take turns: the second works from setSecret on, and so does the first.
#[tokio::test]
async fn z04_both_work() {
    let stage = Stage::start().await;
    let admin = json!({"username": "postgres", "password": stage.postgres.superuser_password()});
    stage
        .secrets()
        .create_secret("Demo/admin", &admin.to_string())
        .await;
    let value = |user: &str, password: &str| {
        let mut value = stage.value(password);
        value["username"] = user.into();
        value["masterarn"] = "Demo/admin".into();
        value.to_string()
    };
    stage.put(1, "AWSCURRENT", &value("app", FIRST)).await;
    stage
        .put(2, "AWSPENDING", &value("app_clone", SECOND))
        .await;
    let create = format!("CREATE ROLE app_clone LOGIN PASSWORD {}", quoted(SECOND));
    stage.sql(&create).await;

    let mut command = stage.command(&["doctor", SECRET, "--json"]);
    command.env("STRATEGY", "alternating_users");
    let ended = stage.end(command).await;
    assert_eq!(ended.codes(), ["BothAccepted"], "{ended:?}");
    assert_eq!(
        (ended.code, &ended.json()["discardable"]),
        (3, &json!(false))
    );

    let mut command = stage.command(&["unstick", SECRET, "--yes", "--json"]);
    command.env("STRATEGY", "alternating_users");
    let ended = stage.end(command).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
    assert!(stage.current_works().await);
}

#[tokio::test]
async fn z05_neither_works_or_only_the_one_before() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.set_password(OTHER).await;
    finds(&stage, &["NoCredentialAccepted"], "none").await;
    stays(&stage).await;

    // AWSPREVIOUS has what works: the engine logs in with that.
    let other = stage.value(OTHER).to_string();
    stage.put(2, "AWSPREVIOUS", &other).await;
    finds(&stage, &["OnlyPreviousAccepted"], "roll_forward").await;
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn z06_pending_on_the_current_version_is_how_a_rotation_ends() {
    let stage = Stage::start().await;
    stage.run(&["run", SECRET]).await;
    let (codes, repair, ended) = doctor(&stage, &[]).await;
    assert_eq!(codes, ["PendingOnCurrent"]);
    assert_eq!((repair.as_str(), ended.code), ("none", 0));
    stage.store.reset();
    let ended = stage.json(&["unstick", SECRET, "--yes"]).await;
    assert_eq!(ended.code, 0);
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn z07_the_pending_version_belongs_to_an_older_token() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    let asked = token(2);
    let (codes, repair, ended) = doctor(&stage, &["--asked", &asked]).await;
    assert_eq!(codes, ["ForeignPending", "PendingNotSet"], "{ended:?}");
    assert_eq!((repair.as_str(), ended.code), ("none", 3));
    let cause = ended.json()["findings"][0]["cause"].clone();
    assert!(
        cause.as_str().is_some_and(|it| it.contains(&token(1))),
        "{cause}"
    );
    let done = unstick(&stage, &[]).await;
    assert_eq!(done["done"]["version"], token(1));
}

#[tokio::test]
async fn z08_the_second_secret_is_missing_denied_or_wrong() {
    let stage = Stage::start().await;
    let mut value = stage.value(FIRST);
    value["masterarn"] = "Demo/admin".into();
    stage.put(1, "AWSCURRENT", &value.to_string()).await;
    let json = finds(&stage, &["SecondSecretUnusable"], "none").await;
    assert_eq!(json["findings"][0]["weight"], "warns");

    let wrong = json!({"username": "postgres", "password": OTHER}).to_string();
    stage.secrets().create_secret("Demo/admin", &wrong).await;
    finds(&stage, &["SecondSecretRefused"], "none").await;
    stays(&stage).await;

    let denied = HttpAction::Status {
        code: 400,
        aws_code: "AccessDeniedException".into(),
    };
    stage.store.reset();
    // The engine, the labels, the current and the previous value, and then the second secret.
    stage.store.fault_at(5, Fault::Before(denied));
    let ended = stage.json(&["doctor", SECRET]).await;
    assert_eq!(ended.codes(), ["SecondSecretUnusable"], "{ended:?}");
    assert_eq!(ended.json()["findings"][0]["advice"], "fix_permissions");

    let right = json!({"username": "postgres", "password": stage.postgres.superuser_password()});
    let put = json!({"SecretId": "Demo/admin", "SecretString": right.to_string()});
    stage.secrets().ok("PutSecretValue", put).await;
    let (codes, _, ended) = doctor(&stage, &[]).await;
    assert_eq!((codes, ended.code), (vec!["Healthy".to_owned()], 0));
}

#[tokio::test]
async fn z09_the_target_is_out_of_reach() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.database.set_mode(TcpMode::Refuse).await;
    let json = finds(&stage, &["TargetUnreachable"], "none").await;
    assert_eq!(json["findings"][0]["advice"], "retry");
    assert_eq!(json["versions"][1]["standing"], "not_asked", "one attempt");
    stays(&stage).await;
    stage.database.set_mode(TcpMode::Forward).await;
    unstick(&stage, &[]).await;
}

#[tokio::test]
async fn z10_the_account_is_locked_or_its_password_has_expired() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.sql("ALTER ROLE app NOLOGIN").await;
    finds(&stage, &["TargetRefused"], "none").await;
    stays(&stage).await;
    // PostgreSQL does not say that a password has expired: it refuses it as wrong.
    stage
        .sql("ALTER ROLE app LOGIN VALID UNTIL '2020-01-01'")
        .await;
    finds(&stage, &["NoCredentialAccepted"], "none").await;
    stays(&stage).await;
    stage.sql("ALTER ROLE app VALID UNTIL 'infinity'").await;
    unstick(&stage, &[]).await;
}

#[tokio::test]
async fn z11_the_secret_is_to_be_deleted_or_its_rotation_is_off() {
    let stage = Stage::start().await;
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let cancel = json!({"SecretId": SECRET});
    stage
        .secrets()
        .ok("CancelRotateSecret", cancel.clone())
        .await;
    finds(&stage, &["RotationDisabled", "PendingEmpty"], "none").await;
    stays(&stage).await;
    let ended = stage.json(&["status", SECRET]).await;
    assert_eq!(
        ended.json()["secrets"][0]["state"]["rotation_enabled"],
        false
    );
    // An empty version can go, whatever the state of the rotation.
    let discard = ["unstick", SECRET, "--yes", "--discard", "--min-age", "0"];
    let ended = stage.json(&discard).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        stage.labels().await[token(1)]
            .as_array()
            .is_none_or(Vec::is_empty)
    );

    stage.secrets().ok("DeleteSecret", cancel).await;
    stage.store.reset();
    let ended = stage
        .json(&["doctor", SECRET, "--rotator", "postgres"])
        .await;
    assert_eq!(
        (ended.code, ended.codes()),
        (3, vec!["SecretDeleted".to_owned()])
    );
    let ended = stage.json(&["status", SECRET]).await;
    assert_eq!(
        (ended.code, &ended.json()["secrets"][0]["standing"]),
        (3, &json!("deleted"))
    );
}

#[tokio::test]
async fn z12_the_pending_value_cannot_be_used() {
    let stage = Stage::start().await;
    let mut moved = stage.value(SECOND);
    moved["host"] = "elsewhere.example".into();
    let mut lacking = stage.value(SECOND);
    lacking
        .as_object_mut()
        .expect("an object")
        .remove("password");
    for (n, text, code) in [
        (
            1,
            "{\"password\": \"sentinel-that-nobody-knows\"".to_owned(),
            "InvalidSecret",
        ),
        (2, lacking.to_string(), "InvalidSecret"),
        // What is not presented, since the host may be somebody else's.
        (3, moved.to_string(), "PendingAltered"),
    ] {
        stage.put(n, "AWSPENDING", &text).await;
        let json = finds(&stage, &[code], "discard").await;
        assert_eq!(json["discardable"], true);
        let done = unstick(&stage, &["--min-age", "0"]).await;
        assert_eq!(done["done"]["version"], token(n));
    }
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));

    // Where the current value does not work either, nothing is known to be safe.
    stage.put(4, "AWSPENDING", "no JSON").await;
    stage.set_password(OTHER).await;
    finds(&stage, &["InvalidSecret"], "none").await;
    stays(&stage).await;
}

#[tokio::test]
async fn z13_a_note_of_createsecret_was_left() {
    let stage = Stage::start().await;
    let stages = stage.labels().await;
    let current = stages
        .as_object()
        .expect("versions")
        .keys()
        .next()
        .expect("one");
    let note = "CREATE-BEGAN-1767225600-UNTIL-1767225630-9f86d081884c7d65";
    let mark = json!({"SecretId": SECRET, "VersionStage": note, "MoveToVersionId": current});
    stage.secrets().ok("UpdateSecretVersionStage", mark).await;
    finds(&stage, &["NotesLeft"], "remove_notes").await;
    unstick(&stage, &[]).await;
    assert_eq!(stage.labels().await, stages);
}

#[tokio::test]
async fn z14_a_test_of_the_rotation_left_the_current_value_as_pending() {
    let stage = Stage::start().await;
    stage.put_pending(1, FIRST).await;
    let json = finds(&stage, &["PendingIsCurrent"], "discard").await;
    assert_eq!(json["versions"][1]["standing"], "same");
    unstick(&stage, &["--min-age", "0"]).await;
    assert_eq!(stage.password("AWSPENDING").await, None);
}

#[tokio::test]
async fn z15_secrets_manager_is_out_of_reach_or_refuses() {
    let stage = Stage::start().await;
    for (aws_code, code, advice) in [
        ("AccessDeniedException", "StoreDenied", "fix_permissions"),
        ("ExpiredTokenException", "StoreDenied", "fix_permissions"),
        ("ResourceNotFoundException", "StoreNotFound", "fix_secret"),
    ] {
        let refused = HttpAction::Status {
            code: 400,
            aws_code: aws_code.into(),
        };
        stage.store.reset();
        stage.store.fault_from(1, Fault::Before(refused));
        let ended = stage
            .json(&["doctor", SECRET, "--rotator", "postgres"])
            .await;
        assert_eq!((ended.code, ended.codes()), (3, vec![code.to_owned()]));
        assert_eq!(ended.json()["findings"][0]["advice"], advice);
    }
    stage.store.reset();
    stage.store.fault_from(1, Fault::Before(HttpAction::Drop));
    let ended = stage
        .json(&["doctor", SECRET, "--rotator", "postgres"])
        .await;
    assert_eq!(ended.codes(), ["StoreUnavailable"]);
    let cause = ended.json()["findings"][0]["cause"].clone();
    assert!(
        cause.as_str().is_some_and(|it| it.contains("VPC")),
        "{cause}"
    );
}
