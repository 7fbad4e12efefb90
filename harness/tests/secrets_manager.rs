//! The emulator does what the tests of the rotators rely on.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::sync::Arc;

use harness::lambda_host::LambdaHost;
use harness::secrets_manager::{Moto, RotationHook, SecretsManager};
use serde_json::json;

const TOKEN: &str = "11111111-2222-4333-8444-555555555555";
const NEXT_TOKEN: &str = "66666666-7777-4888-8999-000000000000";

#[tokio::test]
async fn begin_rotation_leaves_an_empty_pending_version() {
    let moto = Moto::start().await;
    let store = moto.client();
    let arn = store.create_secret("db/app", "old").await;
    let never = store.ok("DescribeSecret", json!({"SecretId": arn})).await;
    assert!(never["RotationEnabled"].is_null(), "never configured");

    store.begin_rotation(&arn, TOKEN).await;

    let now = store.ok("DescribeSecret", json!({"SecretId": arn})).await;
    assert_eq!(now["RotationEnabled"], true);
    assert_eq!(now["VersionIdsToStages"][TOKEN], json!(["AWSPENDING"]));
    for key in [
        json!({"SecretId": arn, "VersionStage": "AWSPENDING"}),
        json!({"SecretId": arn, "VersionId": TOKEN}),
        json!({"SecretId": arn, "VersionId": TOKEN, "VersionStage": "AWSPENDING"}),
    ] {
        let (_, answer) = store.call("GetSecretValue", key).await;
        assert_eq!(answer["__type"], "ResourceNotFoundException");
    }
    let without_stage = store.ok("GetSecretValue", json!({"SecretId": arn})).await;
    assert_eq!(without_stage["SecretString"], "old");

    let fill = json!({
        "SecretId": arn, "ClientRequestToken": TOKEN, "SecretString": "new",
        "VersionStages": ["AWSPENDING"],
    });
    store.ok("PutSecretValue", fill).await;
    assert_eq!(
        store.value(&arn, "AWSPENDING").await.as_deref(),
        Some("new")
    );
    assert_eq!(
        store.value(&arn, "AWSCURRENT").await.as_deref(),
        Some("old")
    );
}

#[tokio::test]
async fn a_rotation_can_begin_after_another_one_has_finished_or_failed() {
    let moto = Moto::start().await;
    let store = moto.client();
    let arn = store.create_secret("db/app", "old").await;
    store.begin_rotation(&arn, TOKEN).await;
    // Failed: AWSPENDING stays on an empty version, and moves on.
    store.begin_rotation(&arn, NEXT_TOKEN).await;
    assert_eq!(store.stages(&arn).await[TOKEN], json!([]));

    // Finished: AWSPENDING sits on the AWSCURRENT version.
    fill_and_promote(&store, &arn, NEXT_TOKEN).await;
    let labels = store.stages(&arn).await[NEXT_TOKEN].clone();
    assert_eq!(labels, json!(["AWSPENDING", "AWSCURRENT"]));
    let third = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    store.begin_rotation(&arn, third).await;
    let stages = store.stages(&arn).await;
    assert_eq!(stages[third], json!(["AWSPENDING"]));
    assert_eq!(stages[NEXT_TOKEN], json!(["AWSCURRENT"]));
}

async fn fill_and_promote(store: &SecretsManager, arn: &str, token: &str) {
    let fill = json!({
        "SecretId": arn, "ClientRequestToken": token, "SecretString": "new",
        "VersionStages": ["AWSPENDING"],
    });
    store.ok("PutSecretValue", fill).await;
    let stages = store.stages(arn).await;
    let current = stages
        .as_object()
        .into_iter()
        .flatten()
        .find(|(_, labels)| {
            let labels = labels.as_array().map_or(&[][..], Vec::as_slice);
            labels.contains(&json!("AWSCURRENT"))
        });
    let (current, _) = current.expect("every secret has a current version");
    let promote = json!({
        "SecretId": arn, "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": current, "MoveToVersionId": token,
    });
    store.ok("UpdateSecretVersionStage", promote).await;
}

#[tokio::test]
async fn the_rotation_hook_carries_all_four_steps_to_the_function() {
    let hook = RotationHook::start().await;
    let moto = Moto::start_with_rotation_hook(&hook.url()).await;
    hook.connect(Arc::new(fake_function(&[])));
    let store = moto.client();
    let arn = store.create_secret("db/app", "old").await;

    store.ok("RotateSecret", rotate(&arn, TOKEN)).await;

    let steps: Vec<_> = hook.events().into_iter().map(|(event, _)| event).collect();
    let expected = ["createSecret", "setSecret", "testSecret", "finishSecret"]
        .map(|step| json!({"Step": step, "SecretId": arn, "ClientRequestToken": TOKEN}));
    assert_eq!(steps, expected);
    // The fake function does nothing: the old value stays, with and without a stage.
    assert_eq!(store.stages(&arn).await[TOKEN], json!(["AWSPENDING"]));
    let without_stage = store.ok("GetSecretValue", json!({"SecretId": arn})).await;
    assert_eq!(without_stage["SecretString"], "old");
}

#[tokio::test]
async fn a_failing_step_ends_the_rotation() {
    let hook = RotationHook::start().await;
    let moto = Moto::start_with_rotation_hook(&hook.url()).await;
    hook.connect(Arc::new(fake_function(&[("FAIL_INIT", "1")])));
    let store = moto.client();
    let arn = store.create_secret("db/app", "old").await;

    store.ok("RotateSecret", rotate(&arn, TOKEN)).await;

    assert_eq!(hook.events().len(), 1);
    assert_eq!(store.stages(&arn).await[TOKEN], json!(["AWSPENDING"]));
}

fn rotate(arn: &str, token: &str) -> serde_json::Value {
    json!({
        "SecretId": arn,
        "ClientRequestToken": token,
        "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotate",
        "RotationRules": {"AutomaticallyAfterDays": 30},
    })
}

fn fake_function(env: &[(&str, &str)]) -> LambdaHost {
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_function.py");
    LambdaHost::start(&fake, env)
}
