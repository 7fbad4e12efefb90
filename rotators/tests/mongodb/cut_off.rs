//! setSecret of a pair, cut off at each of its commands.

use bson::Document;
use harness::mongodb::Trouble;
use harness::proxy::Fault;
use secrets_core::store::Label;

use crate::support::{DB, FIRST, Stage, with_admin};

/// Whether the clone, if there is one, has exactly the rights of the first user.
fn equal(stage: &Stage) -> bool {
    let clone = stage.rights("app_clone");
    clone == Document::new() || clone == stage.rights("app")
}

#[tokio::test]
async fn a_user_that_is_half_made_never_passes_for_a_whole_one() {
    for stale in [false, true] {
        let make = async || {
            let stage = Stage::start(&with_admin()).await;
            if stale {
                stage
                    .server
                    .create_user(DB, "app_clone", "sentinel-old", &[("read", DB)]);
            }
            stage
        };
        let whole = make().await;
        whole.rotates(&whole.pair(), "second").await;
        let commands = whole.server.commands().len();
        for at in 1..=commands {
            for after in [false, true] {
                let stage = make().await;
                let trouble = Trouble::Drop;
                let fault = if after {
                    Fault::After(trouble)
                } else {
                    Fault::Before(trouble)
                };
                stage.server.fault_at(at, fault);
                stage
                    .rotate(&stage.pair(), "second")
                    .await
                    .expect_err("it was cut off");
                assert!(stage.server.knows(DB, "app", FIRST), "{at}");
                let (_, pending) = stage.login(&Label::Pending).await;
                if stage.server.knows(DB, "app_clone", &pending) {
                    assert!(equal(&stage), "{at}: it has its password before its rights");
                }
                stage.server.reset();
                stage.rotates(&stage.pair(), "second").await;
                assert_eq!(stage.rights("app"), stage.rights("app_clone"), "{at}");
                assert_eq!(stage.server.users(DB).len(), 2);
            }
        }
    }
}
