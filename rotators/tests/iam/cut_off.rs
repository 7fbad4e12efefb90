//! A rotation that is cut off at each single request, before and after its effect.

use harness::oauth_provider::Misbehaviour;
use harness::proxy::Fault;
use secrets_core::store::Label;

use crate::{Manager, Stage, USER};

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
