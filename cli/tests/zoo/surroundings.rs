//! What stands around a rotation and stops it: rights, the target, the secret itself.

use harness::proxy::{Fault, HttpAction, TcpMode};
use serde_json::json;

use super::support::{FIRST, OTHER, SECOND, SECRET, Stage, token};
use super::{doctor, finds, stays, unstick};

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
    // Which rotator it is, nobody can read any more; why, can be told.
    let ended = stage.json(&["doctor", SECRET]).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (1, &json!("SecretDeleted"))
    );
    let ended = stage.json(&["status", SECRET]).await;
    assert_eq!(
        (ended.code, &ended.json()["secrets"][0]["standing"]),
        (3, &json!("deleted"))
    );
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
