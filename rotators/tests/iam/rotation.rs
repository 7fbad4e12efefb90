//! Rotations without a fault, request by request.

use rotators::iam::Retire;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;

use crate::{Manager, Stage, USER};

#[tokio::test]
async fn keys_follow_one_another_in_two_slots() {
    let stage = Stage::start(Manager::Role).await;
    let mut ids = vec![stage.id(Label::Current).await];
    for n in 1..=4 {
        stage.begin(n);
        stage.iam.reset();
        let outcomes = stage.send_all(n).await.expect("a rotation");
        assert_eq!(
            outcomes,
            [
                Outcome::Created,
                Outcome::AlreadySet,
                Outcome::Tested,
                Outcome::Promoted
            ]
        );
        let delete: &[&str] = if n == 1 { &[] } else { &["DeleteAccessKey"] };
        let mut expected = vec!["GetCallerIdentity", "ListAccessKeys"];
        expected.extend(delete);
        expected.push("CreateAccessKey");
        expected.extend(["GetCallerIdentity"; 3]);
        assert_eq!(stage.iam.calls(), expected, "rotation {n}");

        let id = stage.id(Label::Current).await;
        assert!(!ids.contains(&id), "a new key each time");
        let before = ids.last().cloned();
        assert_eq!(
            stage.text(Label::Current, "previous_access_key_id").await,
            before
        );
        assert!(stage.serves(Label::Current).await);
        assert!(
            stage.serves(Label::Previous).await,
            "until the next rotation"
        );
        assert_eq!(stage.iam.keys(USER), [ids[n - 1].clone(), id.clone()]);
        ids.push(id);
    }
}

#[tokio::test]
async fn the_old_key_can_go_with_the_promotion() {
    let mut stage = Stage::start(Manager::Role).await;
    stage.settings.retire = Retire::AfterPromotion;
    for n in 1..=3 {
        stage.rotate(n).await;
        assert_eq!(stage.iam.keys(USER), [stage.id(Label::Current).await]);
        assert!(stage.serves(Label::Current).await);
        assert!(!stage.serves(Label::Previous).await);
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_everywhere_yet_is_waited_for() {
    let stage = Stage::start(Manager::Role).await;
    stage.iam.refuse_new_keys(3);
    stage.begin(1);
    let outcomes = stage.send_all(1).await.expect("a rotation");
    assert_eq!(outcomes[1], Outcome::Set);
    assert_eq!(stage.iam.refused(), 3);
    assert!(stage.serves(Label::Current).await);
}

#[tokio::test]
async fn a_user_that_is_not_named_is_asked_for() {
    let stage = Stage::start(Manager::Role).await;
    stage
        .edit(|value| {
            value
                .as_object_mut()
                .expect("an object")
                .remove("user_name");
        })
        .await;
    stage.rotate(1).await;
    stage.rotate(2).await;
    assert!(stage.serves(Label::Current).await);
    assert_eq!(stage.iam.keys(USER).len(), 2);
    assert_eq!(stage.text(Label::Current, "user_name").await, None);
}

#[tokio::test]
async fn a_key_that_was_deleted_by_hand_is_replaced() {
    let stage = Stage::start(Manager::Role).await;
    stage.rotate(1).await;
    let previous = stage.id(Label::Previous).await;
    stage.iam.delete_key(USER, &stage.id(Label::Current).await);
    stage.rotate(2).await;
    assert!(stage.serves(Label::Current).await);
    let id = stage.id(Label::Current).await;
    assert_eq!(
        stage.iam.keys(USER),
        [previous.clone(), id],
        "there was room: the older key is left to its readers"
    );
    assert_eq!(
        stage.text(Label::Current, "previous_access_key_id").await,
        Some(previous),
        "and goes with the next rotation"
    );
    stage.rotate(3).await;
    assert_eq!(stage.iam.keys(USER).len(), 2);
}

#[tokio::test]
async fn a_key_that_was_made_inactive_by_hand_is_replaced_and_kept() {
    let stage = Stage::start(Manager::Role).await;
    let old = stage.id(Label::Current).await;
    stage.iam.deactivate(USER, &old);
    stage.rotate(1).await;
    assert!(stage.serves(Label::Current).await);
    assert_eq!(stage.iam.keys(USER)[0], old);
    stage.rotate(2).await;
    assert!(!stage.iam.keys(USER).contains(&old));
}
