//! Where a rotation must stop, and what it says then.

use std::time::Duration;

use harness::oauth_provider::Misbehaviour;
use harness::proxy::Fault;
use secrets_core::rotation::Reason;
use secrets_core::rotator::{Rotator, RotatorErrorKind, Verdict};
use secrets_core::store::Label;

use crate::{Manager, Stage, USER, assert_says, context, hidden, impostor, key, probe};

#[tokio::test]
async fn a_key_of_somebody_else_is_named_and_left() {
    let stage = Stage::start(Manager::Role).await;
    stage.rotate(1).await;
    let previous = stage.id(Label::Previous).await;
    stage.iam.delete_key(USER, &previous);
    let (foreign, _) = stage.iam.create_key(USER);
    let before = stage.iam.keys(USER);
    stage.begin(2);
    for _ in 1..=2 {
        let fault = stage.fails(2).await;
        let words = [&foreign, "user/team/app has two access keys", "delete it"];
        assert_says(
            &fault,
            RotatorErrorKind::Misconfigured,
            &words.map(|it| it as &str),
        );
        assert_eq!(stage.iam.keys(USER), before, "nothing was changed");
    }
    stage.iam.delete_key(USER, &foreign);
    stage.send_all(2).await.expect("the same rotation goes on");
    assert!(stage.serves(Label::Current).await);
}

#[tokio::test]
async fn each_missing_right_is_named_with_its_resource() {
    for (n, action) in (1..).zip(["ListAccessKeys", "CreateAccessKey", "DeleteAccessKey"]) {
        let stage = Stage::start(Manager::Role).await;
        stage.rotate(1).await;
        let before = stage.iam.keys(USER);
        stage.iam.deny(action);
        stage.begin(2);
        let fault = stage.fails(2).await;
        let words = format!(
            "the function's role may not do iam:{action} on arn:aws:iam::123456789012:user/team/app"
        );
        assert_says(&fault, RotatorErrorKind::Refused, &[&words, "AccessDenied"]);
        assert!(stage.serves(Label::Current).await);
        assert_eq!(stage.iam.keys(USER).contains(&before[1]), n > 0);
    }
}

#[tokio::test]
async fn a_user_that_is_gone_is_named() {
    let stage = Stage::start(Manager::Role).await;
    stage.iam.delete_user(USER);
    stage.begin(1);
    let fault = stage.fails(1).await;
    let words = ["no such user as the user app", "NoSuchEntity"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);

    // Without a name nobody knows whose key it was.
    stage
        .edit(|value| {
            value
                .as_object_mut()
                .expect("an object")
                .remove("user_name");
        })
        .await;
    stage.begin(2);
    let fault = stage.fails(2).await;
    let words = ["refuses the current key AKIA", "add `user_name`"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);
}

#[tokio::test]
async fn a_key_of_another_user_is_not_rotated() {
    let stage = Stage::start(Manager::Role).await;
    stage.iam.create_user("other", false);
    stage.iam.create_key("other");
    stage
        .edit(|value| value["user_name"] = "other".into())
        .await;
    stage.begin(1);
    let fault = stage.fails(1).await;
    let words = ["user/team/app", "`user_name` is other"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);
    assert_eq!(stage.iam.keys(USER).len(), 1);
    assert_eq!(stage.iam.keys("other").len(), 1);
}

#[tokio::test]
async fn the_keys_of_a_user_of_the_same_name_elsewhere_are_left() {
    let stage = Stage::start(Manager::Role).await;
    // What the role of another account is shown: that account's `app`.
    let elsewhere = Stage::start(Manager::Role).await;
    let (other, _) = elsewhere.iam.create_key(USER);
    elsewhere
        .iam
        .delete_key(USER, &elsewhere.id(Label::Current).await);
    let rotator = {
        let mut settings = stage.settings.clone();
        settings.iam_url.clone_from(&elsewhere.settings.iam_url);
        rotators::iam::IamKey::new(stage.store.clone(), settings)
    };
    let credential = key(&stage.id(Label::Current).await, &stage.iam.secrets()[0]);
    let fault = rotator.create(&credential, &context()).await;
    let fault = fault.expect_err("another account");
    let words = ["is not among those", "of the user's account"];
    assert_says(&fault, RotatorErrorKind::Misconfigured, &words);
    assert_eq!(elsewhere.iam.keys(USER), [other]);
}

#[tokio::test]
async fn a_pending_key_that_was_deleted_is_discarded() {
    let mut stage = Stage::start(Manager::Role).await;
    stage.settings.propagation = Duration::from_millis(300);
    stage.begin(1);
    stage.iam.fault_at(4, Fault::Before(Misbehaviour::Drop));
    stage.send_all(1).await.expect_err("no answer to the test");
    stage.iam.reset();
    let pending = stage.id(Label::Pending).await;
    stage.iam.delete_key(USER, &pending);
    let fault = stage.send_all(1).await.expect_err("a dead key");
    assert!(
        matches!(
            &fault.reason,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    stage.rotate(2).await;
    assert!(stage.serves(Label::Current).await);
}

#[tokio::test]
async fn a_pending_key_that_takes_too_long_is_kept() {
    let mut stage = Stage::start(Manager::Role).await;
    stage.settings.propagation = Duration::from_millis(300);
    stage.iam.refuse_new_keys(9);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_says(&fault, RotatorErrorKind::Unreachable, &["refuses it still"]);
    let pending = stage.id(Label::Pending).await;
    let mut tries = 1;
    while let Err(fault) = stage.send_all(1).await {
        assert!(matches!(fault.reason, Reason::Rotator(_)), "{fault:?}");
        tries += 1;
        assert!(tries < 9, "it does not get on: {fault:?}");
    }
    assert_eq!(stage.id(Label::Current).await, pending, "made once");
    assert_eq!(stage.iam.keys(USER).len(), 2);
}

#[tokio::test]
async fn a_pending_key_that_was_made_inactive_is_named() {
    let mut stage = Stage::start(Manager::Role).await;
    stage.settings.propagation = Duration::from_millis(300);
    stage.begin(1);
    stage.iam.fault_at(4, Fault::Before(Misbehaviour::Drop));
    stage.send_all(1).await.expect_err("no answer to the test");
    stage.iam.reset();
    let pending = stage.id(Label::Pending).await;
    stage.iam.deactivate(USER, &pending);
    let fault = stage.fails(1).await;
    assert_says(&fault, RotatorErrorKind::Refused, &[&pending, "inactive"]);
}

#[tokio::test]
async fn only_a_wrong_key_is_rejected() {
    let stage = Stage::start(Manager::Role).await;
    let id = stage.id(Label::Current).await;
    assert_eq!(
        probe(&stage, &id, &stage.iam.secrets()[0]).await,
        Ok(Verdict::Accepted)
    );
    assert_eq!(probe(&stage, &id, "another").await, Ok(Verdict::Rejected));
    stage.iam.deactivate(USER, &id);
    assert_eq!(
        probe(&stage, &id, &stage.iam.secrets()[0]).await,
        Ok(Verdict::Rejected)
    );
}

#[tokio::test]
async fn whatever_else_aws_answers_is_inconclusive() {
    let stage = Stage::start(Manager::Role).await;
    let error = |status, code: &str, message: &str| {
        Misbehaviour::answer(
            status,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{message} sentinel-in-the-answer</Message></Error></ErrorResponse>"
            ),
        )
    };
    let expired = "Signature expired: 20261122T000000Z is now earlier than 20261122T010000Z";
    let early = "Signature not yet current: 20261122T010000Z is still later than 20261122T000000Z";
    let refused = RotatorErrorKind::Refused;
    let unreachable = RotatorErrorKind::Unreachable;
    for (misbehaviour, kind, words) in [
        (
            error(403, "SignatureDoesNotMatch", expired),
            refused,
            "clock",
        ),
        (error(403, "SignatureDoesNotMatch", early), refused, "clock"),
        (error(400, "RequestExpired", ""), refused, "clock"),
        (
            error(403, "AccessDenied", ""),
            refused,
            "sts:GetCallerIdentity",
        ),
        (error(403, "ExpiredToken", ""), refused, "have expired"),
        (error(400, "IncompleteSignature", ""), refused, "status 400"),
        (error(403, "SomethingNew", ""), refused, "SomethingNew"),
        (error(403, "no word sentinel", ""), refused, "status 403"),
        (error(400, "Throttling", ""), unreachable, "at the moment"),
        (error(429, "TooMany", ""), unreachable, "at the moment"),
        (
            error(503, "ServiceUnavailable", ""),
            unreachable,
            "at the moment",
        ),
        (error(500, "InvalidClientTokenId", ""), unreachable, ""),
        (
            Misbehaviour::answer(403, "<html>sentinel</html>"),
            refused,
            "status 403",
        ),
        (
            Misbehaviour::answer(200, "sentinel, no XML"),
            unreachable,
            "none of STS's",
        ),
        (Misbehaviour::Drop, unreachable, "no answer"),
        (Misbehaviour::Hang, unreachable, "no answer"),
    ] {
        stage.iam.reset();
        stage.iam.fault_at(1, Fault::Before(misbehaviour.clone()));
        let rotator = {
            let mut settings = stage.settings.clone();
            settings.timeout = Duration::from_millis(500);
            rotators::iam::IamKey::new(stage.store.clone(), settings)
        };
        let credential = key(&stage.id(Label::Current).await, &stage.iam.secrets()[0]);
        let fault = rotator.test(&credential, &context()).await;
        let fault = fault.expect_err("nothing is known");
        assert_says(&fault, kind, &[words]);
        let shown = hidden::shown(&fault);
        hidden::assert_absent(&shown, "sentinel");
        assert_eq!(stage.iam.calls().len(), 1, "sent once: {misbehaviour:?}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable() {
    let stage = Stage::start(Manager::Role).await;
    let mut settings = stage.settings.clone();
    settings.sts_url = Some(rotators::iam::ServiceUrl::parse("http://127.0.0.1:1").expect("a URL"));
    let rotator = rotators::iam::IamKey::new(stage.store.clone(), settings);
    let credential = key(&stage.id(Label::Current).await, "secret");
    let fault = rotator.test(&credential, &context()).await;
    assert_says(
        &fault.expect_err("nobody there"),
        RotatorErrorKind::Unreachable,
        &["STS gave no answer"],
    );
}

#[tokio::test]
async fn an_impostor_gets_no_request() {
    let stage = Stage::start(Manager::Role).await;
    let (address, server) = impostor::start();
    let mut settings = stage.settings.clone();
    let url = format!("https://{address}");
    settings.iam_url = Some(rotators::iam::ServiceUrl::parse(&url).expect("a URL"));
    let rotator = rotators::iam::IamKey::new(stage.store.clone(), settings);
    let credential = key(&stage.id(Label::Current).await, &stage.iam.secrets()[0]);
    let fault = rotator.create(&credential, &context()).await;
    let fault = fault.expect_err("an unknown authority");
    assert_says(&fault, RotatorErrorKind::Tls, &["the identity of IAM"]);
    assert_eq!(server.join().expect("no panic"), b"");
}
