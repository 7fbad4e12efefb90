//! A fault at each single request of a rotation, before or after its effect: one more try completes it, or
//! says that a person must act where the configuration has no way to find out what was made.

use harness::key_server::Misbehaviour;
use harness::proxy::Fault;
use secrets_core::rotation::Reason;
use serde_json::json;

use crate::hidden::{assert_absent, shown};
use crate::provider::Kind;
use crate::{Stage, of_rotator};

async fn heals(kind: Kind, misbehaviour: &Misbehaviour) {
    let calls = {
        let stage = Stage::start(kind).await;
        stage.rotate(1).await;
        stage.provider.reset();
        stage.rotate(2).await;
        stage.provider.calls().len()
    };
    for call in 1..=calls {
        for fault in [
            Fault::Before(misbehaviour.clone()),
            Fault::After(misbehaviour.clone()),
        ] {
            let place = format!("{kind:?}, request {call}, {fault:?}");
            let stage = Stage::start(kind).await;
            stage.rotate(1).await;
            let before = stage.current().await;
            stage.begin(2);
            stage.provider.reset();
            stage.provider.fault_at(call, fault);
            let mut configuration = stage.configuration();
            configuration["timeout_seconds"] = json!(1);
            let failed = stage.send_all_with(&configuration, 2).await;
            let failed = failed.expect_err(&place);
            let words = shown(&failed);
            for key in stage.provider.values() {
                assert_absent(&words, &key);
            }
            assert_absent(&words, harness::key_server::ADMIN);

            stage.provider.reset();
            let again = stage.send_all(2).await;
            if let (false, Err(fault)) = (kind.repeats(), &again) {
                assert!(
                    matches!(fault.reason, Reason::Unrepeatable { .. }),
                    "{place}: {fault:?}"
                );
                continue;
            }
            again.expect(&place);
            let after = stage.current().await;
            assert_ne!(after, before, "{place}");
            assert!(stage.provider.serves(&after), "{place}");
            let at_rest = match kind {
                Kind::TwoSlots | Kind::Chosen | Kind::InPlace | Kind::InPlaceUnread => 1,
                _ => 2,
            };
            assert_eq!(
                stage.provider.live(),
                at_rest,
                "{place}: nothing is left over"
            );
        }
    }
}

#[tokio::test]
async fn a_closed_connection_at_any_request_heals() {
    for kind in Kind::ALL {
        heals(kind, &Misbehaviour::Drop).await;
    }
}

#[tokio::test]
async fn an_outage_at_any_request_heals() {
    for kind in Kind::ALL {
        heals(kind, &Misbehaviour::answer(503, "<html>sorry</html>")).await;
    }
}

#[tokio::test]
async fn a_request_that_hangs_heals() {
    heals(Kind::TwoSlotsNext, &Misbehaviour::Hang).await;
}

/// What is refused before anything was made leaves no note, so also the strictest kind goes on.
#[tokio::test]
async fn a_refusal_is_not_taken_for_a_lost_reply() {
    for kind in [Kind::Unlisted, Kind::InPlaceUnread] {
        let stage = Stage::start(kind).await;
        for (call, status) in [(1, 401), (1, 429), (1, 409)] {
            if call == 1 && status == 401 {
                stage.begin(1);
            }
            stage.provider.reset();
            let refusal = Misbehaviour::answer(status, "{}");
            stage.provider.fault_at(call, Fault::Before(refusal));
            let fault = stage.send_all(1).await.expect_err("a refusal");
            assert_eq!(of_rotator(&fault).code(), Some(status.to_string().as_str()));
        }
        stage.provider.reset();
        stage.send_all(1).await.expect("one more try");
    }
}
