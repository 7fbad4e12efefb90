//! Stuck states, each made on purpose: `doctor` names it, and `unstick` frees it where it can.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod halfway;
#[path = "../support/mod.rs"]
mod support;
mod surroundings;

use serde_json::Value;
use support::{Ended, SECRET, Stage};

/// What `doctor` says, having written nothing: the codes, what can be done here, and all of it.
async fn doctor(stage: &Stage, more: &[&str]) -> (Vec<String>, String, Ended) {
    stage.store.reset();
    let args: Vec<_> = ["doctor", SECRET].iter().chain(more).copied().collect();
    let ended = stage.json(&args).await;
    assert_eq!(
        stage.writes(),
        Vec::<String>::new(),
        "doctor writes nothing"
    );
    let repair = ended.json()["repair"]
        .as_str()
        .expect("a repair")
        .to_owned();
    (ended.codes(), repair, ended)
}

/// That `doctor` finds exactly this, and that somebody has to act.
async fn finds(stage: &Stage, codes: &[&str], repair: &str) -> Value {
    let (found, can, ended) = doctor(stage, &[]).await;
    assert_eq!(found, codes, "{ended:?}");
    assert_eq!(can, repair, "{ended:?}");
    assert_eq!(ended.code, 3, "{ended:?}");
    ended.json()
}

/// `unstick` frees it: afterwards `AWSCURRENT` works, and `doctor` finds nothing.
async fn unstick(stage: &Stage, more: &[&str]) -> Value {
    let args = ["unstick", SECRET, "--yes"];
    let args: Vec<_> = args.iter().chain(more).copied().collect();
    let ended = stage.json(&args).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(stage.current_works().await);
    let (codes, _, after) = doctor(stage, &[]).await;
    assert!(
        codes == ["PendingOnCurrent"] || codes == ["Healthy"],
        "{codes:?}"
    );
    assert_eq!(after.code, 0);
    ended.json()
}

/// `unstick` does nothing, and says that a person must act.
async fn stays(stage: &Stage) {
    stage.store.reset();
    let before = stage.labels().await;
    let ended = stage.json(&["unstick", SECRET, "--yes"]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    assert_eq!(stage.writes(), Vec::<String>::new());
    assert_eq!(stage.labels().await, before);
}
