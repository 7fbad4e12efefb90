//! A rotation that is cut off at each single request, before and after its effect.

use std::time::Duration;

use harness::oauth_provider::Misbehaviour;
use harness::proxy::Fault;
use secrets_core::rotator::{RotatorErrorKind, Verdict};
use secrets_core::store::Label;

use crate::{Manager, Stage, USER, assert_says, probe};

#[tokio::test]
async fn a_rotation_that_is_cut_off_at_any_request_goes_on() {
    for manager in [Manager::Role, Manager::User, Manager::Master] {
        for call in 1..=7 {
            for fault in [
                Fault::Before(Misbehaviour::Drop),
                Fault::After(Misbehaviour::Drop),
            ] {
                let stage = Stage::start(manager).await;
                stage.rotate(1).await;
                stage.begin(2);
                stage.iam.reset();
                stage.iam.fault_at(call, fault.clone());
                stage.send_all(2).await.expect_err("cut off");
                assert!(stage.serves(Label::Current).await);
                stage.iam.reset();
                stage.send_all(2).await.expect("the same rotation goes on");
                assert!(stage.serves(Label::Current).await);
                assert_eq!(
                    stage.iam.keys(USER).len(),
                    2,
                    "no orphan: {manager:?} {call} {fault:?}"
                );
                stage.rotate(3).await;
                assert!(stage.serves(Label::Current).await);
            }
        }
    }
}

/// The second rotation, whose new key was made and whose reply was lost. Gives the id of the orphan.
async fn with_an_orphan() -> (Stage, String) {
    let stage = Stage::start(Manager::Role).await;
    stage.rotate(1).await;
    stage.begin(2);
    stage.iam.reset();
    stage.iam.fault_at(4, Fault::After(Misbehaviour::Drop));
    stage.send_all(2).await.expect_err("a lost reply");
    stage.iam.reset();
    let orphan = stage.iam.keys(USER).pop().expect("an orphan");
    assert_ne!(orphan, stage.id(Label::Current).await);
    (stage, orphan)
}

#[tokio::test]
async fn an_orphan_is_asked_about_and_deleted() {
    let (stage, orphan) = with_an_orphan().await;
    stage.send_all(2).await.expect("the same rotation goes on");
    assert_eq!(
        stage.iam.calls()[..5],
        [
            "GetCallerIdentity",
            "ListAccessKeys",
            "GetAccessKeyLastUsed",
            "DeleteAccessKey",
            "CreateAccessKey"
        ]
    );
    assert!(!stage.iam.keys(USER).contains(&orphan));
}

#[tokio::test]
async fn a_key_that_was_used_or_is_older_than_the_try_is_no_orphan() {
    let (stage, orphan) = with_an_orphan().await;
    let secret = stage.iam.secrets().pop().expect("a secret");
    let found = probe(&stage, &orphan, &secret).await;
    assert_eq!(found, Ok(Verdict::Accepted), "somebody uses it");
    let fault = stage.fails(2).await;
    assert_says(&fault, RotatorErrorKind::Misconfigured, &[&orphan]);
    assert!(stage.iam.keys(USER).contains(&orphan));

    let (stage, orphan) = with_an_orphan().await;
    stage.iam.age(USER, &orphan, Duration::from_mins(5));
    let fault = stage.fails(2).await;
    assert_says(&fault, RotatorErrorKind::Misconfigured, &[&orphan]);
    assert!(stage.iam.keys(USER).contains(&orphan));
}

#[tokio::test]
async fn an_orphan_that_cannot_be_asked_about_is_left() {
    let (stage, orphan) = with_an_orphan().await;
    stage.iam.deny("GetAccessKeyLastUsed");
    let fault = stage.fails(2).await;
    let right = "may not do iam:GetAccessKeyLastUsed on arn:aws:iam::123456789012:user/team/app";
    assert_says(&fault, RotatorErrorKind::Refused, &[right]);
    assert!(stage.iam.keys(USER).contains(&orphan));
}

#[tokio::test]
async fn after_a_refusal_a_new_key_is_somebody_elses() {
    let stage = Stage::start(Manager::Role).await;
    stage.begin(1);
    let refusal = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
    let refusal = Misbehaviour::answer(403, refusal);
    stage.iam.fault_at(3, Fault::Before(refusal));
    let fault = stage.fails(1).await;
    assert_says(&fault, RotatorErrorKind::Refused, &["iam:CreateAccessKey"]);
    stage.iam.reset();
    let (foreign, _) = stage.iam.create_key(USER);
    let fault = stage.fails(1).await;
    assert_says(&fault, RotatorErrorKind::Misconfigured, &[&foreign]);
    assert!(stage.iam.keys(USER).contains(&foreign));
}
