//! Where the emulator's `RotateSecret` is known to differ from the service's: each difference by name, and
//! beside it what the service documents, which `MemoryStore` does.
//!
//! What no test here shows: the emulator also goes on to `finishSecret` after a step that failed. The tests
//! that let it drive a function start it with that mended, and check that a failed step ends the rotation.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use harness::secrets_manager::{Moto, SecretsManager};
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretStore, StoreErrorKind};
use serde_json::json;

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

async fn rotate(secrets: &SecretsManager, arn: &str, token: &str) -> (u16, String) {
    let rotate = json!({
        "SecretId": arn, "ClientRequestToken": token,
        "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:not-there",
        "RotationRules": {"AutomaticallyAfterDays": 30},
    });
    let (status, answer) = secrets.call("RotateSecret", rotate).await;
    (
        status,
        answer["__type"].as_str().unwrap_or_default().to_owned(),
    )
}

fn in_memory() -> (MemoryStore, SecretId) {
    let (store, id) = (MemoryStore::new(), SecretId::from("app/db"));
    let value = SecretDocument::from_text("first");
    store
        .put_current(&id, &"0".into(), &value)
        .expect("a new secret");
    store
        .begin_rotation(&id, &FIRST.into())
        .expect("the first rotation");
    (store, id)
}

/// AWS page "`RotateSecret`": an earlier rotation is complete when `AWSPENDING` sits on the `AWSCURRENT`
/// version or on none.
#[tokio::test]
async fn moto_refuses_to_rotate_while_pending_sits_on_current_and_the_service_does_not() {
    let moto = Moto::start().await;
    let secrets = moto.client();
    let arn = secrets.create_secret("app/db", "first").await;
    secrets.begin_rotation(&arn, FIRST).await;
    let put = json!({"SecretId": arn, "ClientRequestToken": FIRST, "SecretString": "next",
                     "VersionStages": ["AWSPENDING", "AWSCURRENT"]});
    secrets.ok("PutSecretValue", put).await;
    let (status, code) = rotate(&secrets, &arn, SECOND).await;
    assert_eq!((status, code.as_str()), (400, "InvalidRequestException"));

    let (store, id) = in_memory();
    let (first, next) = (VersionId::from(FIRST), SecretDocument::from_text("next"));
    store
        .put_pending(&id, &first, &next, None)
        .await
        .expect("an empty version");
    store
        .promote(&id, &"0".into(), &first)
        .await
        .expect("a value");
    let state = store.describe(&id).await.expect("a secret");
    assert_eq!(state.holder(&Label::Pending), state.holder(&Label::Current));
    assert_eq!(store.begin_rotation(&id, &SECOND.into()), Ok(()));
}

/// AWS page "`RotateSecret`": while `AWSPENDING` sits on another version, the call fails.
#[tokio::test]
async fn moto_begins_another_rotation_while_one_is_unfinished_and_the_service_refuses() {
    let moto = Moto::start().await;
    let secrets = moto.client();
    let arn = secrets.create_secret("app/db", "first").await;
    secrets.begin_rotation(&arn, FIRST).await;
    // It finds no function, but by then it has moved the label.
    let (status, _) = rotate(&secrets, &arn, SECOND).await;
    assert_eq!(status, 404);
    assert_eq!(secrets.stages(&arn).await[SECOND], json!(["AWSPENDING"]));

    let (store, id) = in_memory();
    let refused = store
        .begin_rotation(&id, &SECOND.into())
        .expect_err("the first one is unfinished");
    assert_eq!(refused.kind, StoreErrorKind::Invalid);
    let state = store.describe(&id).await.expect("a secret");
    assert_eq!(state.holder(&Label::Pending), Some(&FIRST.into()));
}
