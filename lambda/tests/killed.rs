//! SIGKILL at any point of any step, then the same rotation tried again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::sync::Arc;

use harness::proxy::{Fault, Hook, HttpAction, TcpAction};
use support::{FIRST, Stage};

/// Begins the `n`th rotation, lets `arm` place a killer, and retries until it is over. Gives whether the
/// killer struck.
async fn survives(stage: &Stage, n: usize, arm: impl FnOnce(Hook)) -> bool {
    let token = stage.begin(n).await;
    stage.store.reset();
    stage.database.reset();
    let lambda = Arc::clone(&stage.lambda);
    arm(Hook::new(move || lambda.kill()));

    let struck = match stage.send_all(&token).await {
        Ok(()) => false,
        Err(end) => {
            assert!(end.is_crash(), "rotation {n}: {end:?}");
            // Nothing is lost: what the server wants is under some label.
            let kept = stage.logs_in("AWSCURRENT").await || stage.logs_in("AWSPENDING").await;
            assert!(kept, "rotation {n}: locked out");
            stage
                .send_all(&token)
                .await
                .expect("the same rotation, tried again");
            true
        }
    };
    stage.store.clear_faults();
    stage.database.clear_faults();
    assert!(stage.logs_in("AWSCURRENT").await, "rotation {n}");
    let current = stage.labels().await;
    assert!(
        current.contains(&format!("AWSCURRENT={n} ")),
        "rotation {n}: {current}"
    );
    struck
}

#[tokio::test]
async fn a_kill_at_any_call_to_secrets_manager_is_survived() {
    let stage = Stage::start(15, "app").await;
    let mut n = 0;
    let mut struck = 0;
    for call in 1..=12 {
        for before in [true, false] {
            n += 1;
            let hit = survives(&stage, n, |kill| {
                let action = HttpAction::CallAndDrop(kill);
                let fault = if before {
                    Fault::Before(action)
                } else {
                    Fault::After(action)
                };
                stage.store.fault_at(call, fault);
            })
            .await;
            // A rotation has 11 calls: a killer at the twelfth never strikes.
            assert_eq!(hit, call <= 11, "call {call}");
            struck += u32::from(hit);
        }
    }
    assert_eq!(struck, 22);
    assert_eq!(
        secrets_core::testing::sentinel::found(FIRST, &stage.lambda.logs()),
        None
    );
}

/// Killed after the n-th answer or before the next message is the same to the server.
#[tokio::test]
async fn a_kill_at_any_message_to_the_server_is_survived() {
    let stage = Stage::start(18, "app").await;
    let mut struck = 0;
    for chunk in 1.. {
        let hit = survives(&stage, chunk, |kill| {
            let fault = Fault::After(TcpAction::CallAndDrop(kill));
            stage.database.fault_at(chunk, fault);
        })
        .await;
        struck += u32::from(hit);
        // Not every message has an answer after which a killer could come: the end of a session has none.
        if stage.database.chunks() < chunk {
            // Five logins and a statement: fewer messages than this would mean that none was counted.
            assert!(chunk > 20, "only {chunk} messages");
            break;
        }
    }
    assert!(struck > 15, "only {struck} kills");
}
