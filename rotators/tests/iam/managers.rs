//! Who may make and delete keys.

use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use serde_json::json;

use crate::{MASTER, Manager, Stage, USER, assert_says, put};

#[tokio::test]
async fn the_user_itself_or_another_one_can_manage_the_keys() {
    for manager in [Manager::User, Manager::Master] {
        let stage = Stage::start(manager).await;
        // The role of the function has nothing to say then.
        for n in 1..=3 {
            stage.rotate(n).await;
            assert!(stage.serves(Label::Current).await, "{manager:?}");
            assert!(stage.serves(Label::Previous).await, "{manager:?}");
        }
        assert_eq!(stage.iam.keys(USER).len(), 2, "{manager:?}");
    }
}

#[tokio::test]
async fn a_user_whose_key_is_dead_cannot_replace_it() {
    let stage = Stage::start(Manager::User).await;
    let id = stage.id(Label::Current).await;
    stage.iam.delete_key(USER, &id);
    stage.begin(1);
    let fault = stage.fails(1).await;
    let words = [id.as_str(), "cannot replace it", "let the role manage"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);
}

#[tokio::test]
async fn a_user_without_the_right_is_told_which() {
    let stage = Stage::start(Manager::User).await;
    stage.iam.create_user(USER, false);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_says(
        &fault,
        RotatorErrorKind::Refused,
        &[
            "the user itself may not do iam:ListAccessKeys on \
             arn:aws:iam::123456789012:user/team/app",
            "(code AccessDenied)",
        ],
    );
}

#[tokio::test]
async fn the_secret_of_a_managing_user_must_be_one() {
    let stage = Stage::start(Manager::Master).await;
    put(
        &stage.store,
        MASTER,
        &json!({"access_key_id": "AKIA0000000000000001"}),
    );
    stage.begin(1);
    let fault = stage.fails(1).await;
    let words = ["(`masterarn`)", "`secret_access_key`"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);

    let wrong = json!({
        "access_key_id": "AKIA9999999999999999", "secret_access_key": "sentinel-of-the-manager",
    });
    put(&stage.store, MASTER, &wrong);
    let fault = stage.fails(1).await;
    let words = ["the managing user (`masterarn`)", "InvalidClientTokenId"];
    assert_says(&fault, RotatorErrorKind::Refused, &words);

    stage
        .edit(|value| value["masterarn"] = "not/there".into())
        .await;
    stage.begin(2);
    let fault = stage.fails(2).await;
    assert_says(&fault, RotatorErrorKind::Misconfigured, &["not/there"]);
    assert_eq!(stage.iam.keys(USER).len(), 1);
}
