//! A fault at each single request of a rotation, before or after its effect: one more try completes it.

use harness::oauth_provider::Misbehaviour;
use harness::proxy::Fault;
use rotators::oauth::bearer::{ApiKeys, BearerToken};
use secrets_core::event::Step;
use secrets_core::rotation::Rotation;
use secrets_core::store::Label;
use secrets_core::testing::Driver;

use crate::{SECRET, SHORT, Stage, version};

async fn heals(keys: ApiKeys, misbehaviour: &Misbehaviour) {
    // In the second rotation all requests are made: `token invalidate token test test test`.
    for call in 1..=6 {
        for fault in [
            Fault::Before(misbehaviour.clone()),
            Fault::After(misbehaviour.clone()),
        ] {
            let place = format!("{keys:?}, request {call}, {fault:?}");
            let stage = Stage::start(keys).await;
            stage.rotate(1).await;
            let before = stage.current().await;
            stage.begin(2);
            stage.provider.reset();
            stage.provider.fault_at(call, fault);
            let mut settings = stage.settings();
            settings.timeout = SHORT;
            let failed = stage.send_all_with(settings, 2).await;
            let failed = failed.expect_err("a rotation with a fault");
            let shown = crate::hidden::shown(&failed);
            for token in stage.provider.tokens() {
                crate::hidden::assert_absent(&shown, &token);
            }
            assert_eq!(stage.current().await, before, "{place}: not published");
            if keys == ApiKeys::Two {
                assert!(stage.provider.serves(&before), "{place}: no gap");
            }

            stage.provider.reset();
            stage.send_all(2).await.expect(&place);
            let after = stage.current().await;
            assert_ne!(after, before, "{place}");
            assert!(stage.provider.serves(&after), "{place}");
            assert_eq!(
                stage.text(Label::Previous, "access_token").await,
                before,
                "{place}"
            );
            let invalidated = stage.provider.endpoints();
            let invalidated = invalidated.iter().filter(|name| *name == "invalidate");
            assert!(invalidated.count() <= 1, "{place}: at most once more");
        }
    }
}

#[tokio::test]
async fn a_closed_connection_at_any_request_heals() {
    heals(ApiKeys::One, &Misbehaviour::Drop).await;
    heals(ApiKeys::Two, &Misbehaviour::Drop).await;
}

#[tokio::test]
async fn an_outage_at_any_request_heals() {
    let outage = Misbehaviour::answer(503, "<html>sorry</html>");
    heals(ApiKeys::One, &outage).await;
    heals(ApiKeys::Two, &outage).await;
}

#[tokio::test]
async fn a_request_that_hangs_heals() {
    heals(ApiKeys::One, &Misbehaviour::Hang).await;
    heals(ApiKeys::Two, &Misbehaviour::Hang).await;
}

/// The kit lets a call of the rotator run as one; here the requests of two are in flight at once.
#[tokio::test]
async fn two_invocations_whose_requests_meet_agree_on_one_token() {
    for keys in [ApiKeys::One, ApiKeys::Two] {
        for _ in 0..20 {
            let stage = Stage::start(keys).await;
            stage.rotate(1).await;
            let before = stage.current().await;
            stage.begin(2);
            let rotation = Rotation::new(
                stage.store.clone(),
                BearerToken::new(stage.store.clone(), stage.settings()),
            );
            let id = SECRET.into();
            let driver = Driver::new(&stage.store, &rotation, &id);
            let version = version(2);
            let (one, two) = tokio::join!(
                driver.send(Step::Create, &version),
                driver.send(Step::Create, &version)
            );
            one.expect("the first invocation");
            two.expect("the second invocation");
            stage.send_all(2).await.expect("the rest of the rotation");
            let after = stage.current().await;
            assert!(stage.provider.serves(&after));
            assert_ne!(after, before);
        }
    }
}
