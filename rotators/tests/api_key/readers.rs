//! What readers notice of fifty rotations, and of values that take a while to be known.

use std::time::{Duration, SystemTime};

use rotators::api_key::ApiKey;
use secrets_core::rotation::{Outcome, Reason, Rotation};
use secrets_core::store::Label;
use secrets_core::testing::Driver;
use serde_json::json;

use crate::provider::Kind;
use crate::{SECRET, Stage, settings, version};

/// Requests of readers during the rotations, and how many were refused; the longest run of refusals.
async fn read_along(kind: Kind) -> (usize, usize, usize) {
    let stage = Stage::start(kind).await;
    let rotations = async {
        for n in 1..=50 {
            stage.rotate(n).await;
        }
    };
    let (mut served, mut refused, mut run, mut longest) = (0, 0, 0, 0);
    let reading = async {
        loop {
            // The rotation goes on between the two.
            let key = stage.current().await;
            if stage.provider.ask(&key).await {
                served += 1;
                run = 0;
            } else {
                refused += 1;
                run += 1;
                longest = longest.max(run);
            }
        }
    };
    tokio::select! {
        () = rotations => {}
        () = reading => {}
    }
    (served, refused, longest)
}

#[tokio::test]
async fn fifty_rotations_with_slots_refuse_no_reader() {
    for kind in [Kind::ThreeSlots, Kind::TwoSlotsNext] {
        let (served, refused, _) = read_along(kind).await;
        println!("{kind:?}: {served} requests served, {refused} refused in 50 rotations");
        assert!(served > 200, "{kind:?}: the reader came along: {served}");
        assert_eq!(refused, 0, "{kind:?}");
    }
}

#[tokio::test]
async fn one_slot_has_a_gap_and_a_kept_value_closes_it() {
    let (served, refused, longest) = read_along(Kind::Chosen).await;
    println!("one slot: {served} served, {refused} refused in 50 rotations, {longest} in a row");
    assert!(refused > 0, "the gap that the profile declares");
    let (served, refused, _) = read_along(Kind::ChosenKept).await;
    println!("one slot, the previous value kept: {served} served, {refused} refused");
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn a_new_value_is_waited_for() {
    for kind in [Kind::ThreeSlots, Kind::Chosen] {
        let stage = Stage::start(kind).await;
        stage.provider.set_propagation(3);
        let mut configuration = stage.configuration();
        configuration["propagation_seconds"] = json!(30);
        stage.begin(1);
        let outcomes = stage.send_all_with(&configuration, 1).await;
        assert_eq!(outcomes.expect("a rotation")[1], Outcome::Set, "{kind:?}");
        assert!(stage.provider.serves(&stage.current().await));
    }
}

#[tokio::test]
async fn a_new_key_that_never_works_is_deleted_and_given_up() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    let before = stage.current().await;
    stage.provider.set_propagation(1000);
    stage.begin(1);
    let fault = stage.send_all(1).await.expect_err("a dead key");
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
    assert_eq!(stage.provider.live(), 1, "it is not left behind");
    assert_eq!(stage.current().await, before);
    stage.provider.set_propagation(0);
    stage.begin(2);
    // The note that the first createSecret left holds until its invocation is certainly over.
    let rotator = ApiKey::new(stage.store.clone(), settings(&stage.configuration()));
    let later = || SystemTime::now() + Duration::from_hours(1);
    let rotation = Rotation::new(stage.store.clone(), rotator).with_clock(later);
    let id = SECRET.into();
    let driver = Driver::new(&stage.store, &rotation, &id);
    driver.send_all(&version(2)).await.expect("a rotation");
    assert_eq!(stage.text(Label::Previous, "api_key").await, before);
}

/// Two invocations whose requests are in flight at once: the engine lets one of them make a key.
#[tokio::test]
async fn invocations_that_meet_leave_one_key() {
    for kind in [Kind::ThreeSlots, Kind::InPlace, Kind::Idempotent] {
        for _ in 0..10 {
            let stage = Stage::start(kind).await;
            stage.begin(1);
            let (one, two) = tokio::join!(stage.send_all(1), stage.send_all(1));
            let ended = [one, two].into_iter().flatten().count();
            if ended == 0 {
                stage.send_all(1).await.expect("one more try");
            }
            let current = stage.current().await;
            assert!(stage.provider.serves(&current), "{kind:?}");
            let at_rest = if kind == Kind::InPlace { 1 } else { 2 };
            assert_eq!(stage.provider.live(), at_rest, "{kind:?}");
        }
    }
}
