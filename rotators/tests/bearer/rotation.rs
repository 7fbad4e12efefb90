//! Rotations without a fault, request by request.

use rotators::oauth::bearer::{ApiKeys, Invalidation};
use secrets_core::rotation::{Outcome, Reason};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;

use crate::{APPS, Stage};

#[tokio::test]
async fn one_key_replaces_its_token() {
    let stage = Stage::start(ApiKeys::One).await;
    let mut tokens = vec![stage.current().await];
    for n in 1..=3 {
        stage.begin(n);
        stage.provider.reset();
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
        assert_eq!(
            stage.provider.endpoints().join(" "),
            "token invalidate token test test test",
            "asked, invalidated, minted, and tested in three steps"
        );
        let token = stage.current().await;
        assert!(token.contains("%2F"), "to the letter: {token}");
        assert!(stage.provider.serves(&token));
        assert!(!tokens.contains(&token));
        assert!(!stage.provider.serves(&tokens[n - 1]));
        assert_eq!(stage.text(Label::Current, "masterarn").await, APPS[0].2);
        assert_eq!(stage.provider.live(), 1);
        tokens.push(token);
    }
}

#[tokio::test]
async fn two_keys_take_turns() {
    let stage = Stage::start(ApiKeys::Two).await;
    let mut tokens = vec![stage.current().await];
    for n in 1..=4 {
        stage.begin(n);
        stage.provider.reset();
        stage.send_all(n).await.expect("a rotation");
        let asked = stage.provider.endpoints().join(" ");
        if n == 1 {
            assert_eq!(asked, "token test test test", "the other key had no token");
        } else {
            assert_eq!(asked, "token invalidate token test test test");
        }
        let token = stage.current().await;
        assert!(!tokens.contains(&token), "a new token each time");
        assert!(stage.provider.serves(&token));
        assert!(
            stage.provider.serves(&tokens[n - 1]),
            "readers of AWSPREVIOUS go on until the next rotation"
        );
        assert_eq!(stage.text(Label::Current, "masterarn").await, APPS[n % 2].2);
        assert!(stage.provider.live() <= 2);
        tokens.push(token);
    }
}

#[tokio::test]
async fn a_secret_of_one_key_can_be_given_a_second_one() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.rotate(1).await;
    let fault = {
        let mut settings = stage.settings();
        settings.api_keys = ApiKeys::Two;
        stage.begin(2);
        let fault = stage.send_all_with(settings, 2).await;
        fault.expect_err("a secret without `masterarns`")
    };
    let Reason::Rotator(fault) = &fault.reason else {
        panic!("{fault:?}");
    };
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    assert!(fault.to_string().contains("`masterarns`"), "{fault}");
    stage.send_all(2).await.expect("with one key as before");
}

#[tokio::test]
async fn two_secrets_with_one_key_are_found_out_before_anything_is_invalidated() {
    let stage = Stage::start(ApiKeys::Two).await;
    // Both secrets hold the first app's key.
    let document = secrets_core::document::SecretDocument::from_text(
        r#"{"consumer_key": "key:1", "consumer_secret": "sentinel+1/"}"#,
    );
    let version = "second-version-of-the-api-key-0002".into();
    stage
        .store
        .put_current(&APPS[1].2.into(), &version, &document)
        .expect("a new value");
    stage.begin(1);
    let fault = stage.send_all(1).await.expect_err("the same token");
    let shown = crate::hidden::shown(&fault);
    assert!(shown.contains("`masterarns` lead to one token"), "{shown}");
    assert!(stage.provider.serves(&stage.current().await));
}

#[tokio::test]
async fn invalidation_can_be_signed_by_the_owner() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.provider.sign_invalidation();
    let mut settings = stage.settings();
    settings.invalidation = Invalidation::OwnerSignature;
    stage.begin(1);
    stage
        .send_all_with(settings, 1)
        .await
        .expect("a rotation with a signature");
    let calls = stage.provider.calls();
    let signed = calls.iter().find(|call| call.endpoint == "invalidate");
    let header = &signed.expect("an invalidation").authorization;
    for part in [
        "OAuth oauth_consumer_key=\"key%3A1\"",
        "oauth_token=\"owner-1\"",
        "oauth_signature_method=\"HMAC-SHA1\"",
        "oauth_signature=\"",
    ] {
        assert!(header.contains(part), "{part}: {header}");
    }
    crate::hidden::assert_absent(header, "sentinel-owner-1");
}

#[tokio::test]
async fn a_token_that_was_revoked_by_hand_is_replaced() {
    for keys in [ApiKeys::One, ApiKeys::Two] {
        let stage = Stage::start(keys).await;
        stage.rotate(1).await;
        for app in APPS {
            stage.provider.revoke(app.0);
        }
        stage.rotate(2).await;
        assert!(stage.provider.serves(&stage.current().await), "{keys:?}");
    }
}

#[tokio::test]
async fn a_pending_token_that_was_revoked_is_discarded_where_the_current_one_works() {
    let stage = Stage::start(ApiKeys::Two).await;
    stage.begin(1);
    // Revoked between createSecret and setSecret.
    stage.provider.fault_at(
        2,
        harness::proxy::Fault::Before(harness::oauth_provider::Misbehaviour::Drop),
    );
    stage.send_all(1).await.expect_err("no answer to the test");
    stage.provider.reset();
    stage.provider.revoke(APPS[1].0);
    let fault = stage.send_all(1).await.expect_err("a dead token");
    assert!(
        matches!(
            fault.reason,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    stage.rotate(2).await;
    assert!(stage.provider.serves(&stage.current().await));
}
