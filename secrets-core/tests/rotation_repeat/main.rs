//! The note that createSecret leaves where a rotator may not be called again at will: which calls it
//! costs, what is left of it, and what the next try makes of it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod side_by_side;
mod tidying;

use std::cell::Cell;
use std::time::{Duration, SystemTime};

use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason, Rotation};
use secrets_core::rotator::{Overlap, Profile, Repeat, Rotates, RotatorError};
use secrets_core::store::{Label, SecretStore, StoreErrorKind};
use support::{Bench, FIRST, Fault, id, password_at, v};

/// When these tests begin, in seconds since 1970.
const START: u64 = 1_800_000_000;

/// What a step of the bench may take.
const TIMEOUT: u64 = 30;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(START) };
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn bench(repeat: Repeat) -> Bench {
    NOW.set(START);
    let mut bench = Bench::new();
    let profile = Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace);
    bench.target.state().profile = profile.repeating(repeat);
    let rotation = Rotation::new(bench.store.clone(), bench.target.clone());
    bench.rotation = rotation.with_clock(|| at(NOW.get()));
    bench
}

fn down() -> RotatorError {
    RotatorError::unreachable("no answer")
}

/// The notes on a version, without the number that is another each time.
async fn notes(bench: &Bench, version: &str) -> Vec<String> {
    let state = bench.store.inner.describe(&id()).await.expect("a secret");
    let labels = state.versions.get(&v(version)).cloned().unwrap_or_default();
    let notes = labels.iter().map(Label::as_str);
    notes
        .filter_map(|label| label.strip_prefix("CREATE-BEGAN-"))
        .map(|note| note.rsplit_once('-').expect("a number").0.to_owned())
        .collect()
}

fn note(since: u64, until: u64) -> String {
    format!("{since}-UNTIL-{until}")
}

const LIMITED: [Repeat; 3] = [
    Repeat::Told,
    Repeat::Within(Duration::from_mins(1)),
    Repeat::Never,
];

/// The beginning of each createSecret that goes on to the rotator.
const NOTED: &str = "describe get get mark describe";

#[tokio::test(start_paused = true)]
async fn a_rotation_with_a_note_makes_two_calls_more_and_those_after_it_three() {
    for repeat in LIMITED {
        let bench = bench(repeat);
        bench.all().await.expect("a rotation");
        let rest = "put describe get get get describe get promote";
        assert_eq!(bench.store.calls().join(" "), format!("{NOTED} {rest}"));
        for n in 1..4 {
            // The credential that was used up is no longer current: its note hinders nobody, and goes.
            let (old, next) = (n.to_string(), (n + 1).to_string());
            bench
                .store
                .inner
                .begin_rotation(&id(), &v(&next))
                .expect("the one before is over");
            for step in Step::ALL {
                bench.send(step, &v(&next)).await.expect("a step");
            }
            let calls = bench.store.calls().join(" ");
            assert_eq!(calls, format!("{NOTED} unmark {rest}"), "{repeat:?}");
            let expected = [note(START, START + TIMEOUT + 1)];
            assert_eq!(notes(&bench, &old).await, expected);
            assert_eq!(notes(&bench, &(n - 1).to_string()).await, [""; 0]);
            assert_eq!(notes(&bench, &next).await, [""; 0]);
        }
        let log = bench.target.log();
        assert_eq!(log.iter().filter(|entry| *entry == "create").count(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn where_a_repeat_is_free_there_is_no_note() {
    let bench = bench(Repeat::Free);
    bench.target.state().down = Some(down());
    bench.step(Step::Create).await.expect_err("out of reach");
    assert_eq!(bench.store.calls().join(" "), "describe get get");
    bench.target.state().down = None;
    bench.all().await.expect("a rotation");
    assert_eq!(bench.store.calls().len(), 11);
    assert_eq!(bench.target.log()[..2], ["create", "create"]);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_may_have_changed_something_is_not_repeated_and_a_person_ends_it() {
    let bench = bench(Repeat::Never);
    bench.target.state().down = Some(down());
    assert_eq!(bench.step(Step::Create).await, Err(Reason::Rotator(down())));
    assert_eq!(
        bench.store.calls().join(" "),
        format!("{NOTED} mark unmark")
    );
    assert_eq!(notes(&bench, "0").await, [note(START, START)], "it is over");
    bench.target.state().down = None;
    bench.target.log();

    let stopped = Reason::Unrepeatable { since: at(START) };
    NOW.set(START + 86_400);
    assert_eq!(bench.step(Step::Create).await, Err(stopped.clone()));
    assert_eq!(bench.store.calls().join(" "), "describe get get");
    // Under another token as well: the credential is the same.
    bench
        .store
        .inner
        .discard_pending(&id(), &v("1"))
        .await
        .expect("it was pending");
    let begin = |version| bench.store.inner.begin_rotation(&id(), &v(version));
    begin("2").expect("nothing is pending");
    assert_eq!(bench.send(Step::Create, &v("2")).await, Err(stopped));
    assert_eq!(bench.target.log(), [""; 0], "the target was not asked");

    let anew = SecretDocument::from_text(r#"{"host": "db", "password": "by hand"}"#);
    bench.target.state().password = "by hand".into();
    let put = bench.store.inner.put_current(&id(), &v("p"), &anew);
    put.expect("a new version");
    begin("3").expect("that ended the rotation");
    for step in Step::ALL {
        bench.send(step, &v("3")).await.expect("a step");
    }
    assert_eq!(notes(&bench, "0").await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_changed_nothing_was_none() {
    for (repeat, fault) in [
        (Repeat::Never, down().having_changed_nothing()),
        (Repeat::Never, RotatorError::rejected_by_target("too short")),
        (Repeat::Told, down().having_changed_nothing()),
    ] {
        let bench = bench(repeat);
        bench.target.state().down = Some(fault);
        bench.step(Step::Create).await.expect_err("out of reach");
        assert_eq!(bench.store.calls().join(" "), format!("{NOTED} unmark"));
        assert_eq!(notes(&bench, "0").await, [""; 0]);
        bench.target.state().down = None;
        assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
        assert_eq!(bench.target.log(), ["create", "create"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_that_changed_nothing_still_tells_of_the_first_try() {
    for repeat in [Repeat::Told, Repeat::Within(Duration::from_mins(1))] {
        let bench = bench(repeat);
        bench.target.state().down = Some(down());
        bench.step(Step::Create).await.expect_err("out of reach");
        NOW.set(START + 10);
        bench.target.state().down = Some(down().having_changed_nothing());
        bench.step(Step::Create).await.expect_err("out of reach");
        assert_eq!(notes(&bench, "0").await, [note(START, START + 10)]);
        NOW.set(START + 20);
        bench.target.state().down = None;
        assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
        let again = format!("create, tried since {START}");
        assert_eq!(bench.target.log(), ["create", &again, &again]);
        // One note at a time, however often it was tried.
        let until = START + 20 + TIMEOUT + 1;
        assert_eq!(notes(&bench, "0").await, [note(START, until)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_store_before_the_rotator_is_called_leaves_no_note() {
    let denied = StoreErrorKind::Denied;
    for (call, fault, then) in [
        (4, Fault::Before(denied), "unmark"),
        (4, Fault::After(denied), "unmark"),
        (5, Fault::Before(denied), "unmark"),
    ] {
        let bench = bench(Repeat::Never);
        bench.store.break_at(call, fault);
        let broken = bench.step(Step::Create).await;
        assert!(matches!(broken, Err(Reason::Store(_))), "{broken:?}");
        assert_eq!(bench.store.calls()[call..].join(" "), then);
        assert_eq!(notes(&bench, "0").await, [""; 0]);
        assert_eq!(bench.target.log(), [""; 0]);
        assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    }
}

#[tokio::test(start_paused = true)]
async fn old_notes_that_cannot_be_taken_off_stop_the_rotation_before_the_target_is_asked() {
    let bench = bench(Repeat::Never);
    bench.all().await.expect("a rotation");
    bench
        .store
        .inner
        .begin_rotation(&id(), &v("2"))
        .expect("the one before is over");
    bench.target.log();
    let throttled = Fault::Before(StoreErrorKind::Throttled);
    bench.store.break_at(6, throttled);
    let broken = bench.send(Step::Create, &v("2")).await;
    assert!(matches!(broken, Err(Reason::Store(_))), "{broken:?}");
    assert_eq!(bench.target.log(), [""; 0]);
    assert_eq!(notes(&bench, "1").await, [""; 0]);
    let tried = bench.send(Step::Create, &v("2")).await;
    assert_eq!(tried, Ok(Outcome::Created));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_made_and_not_stored_is_not_made_again() {
    let bench = bench(Repeat::Never);
    let denied = Fault::Before(StoreErrorKind::Denied);
    bench.store.break_at(6, denied);
    let broken = bench.step(Step::Create).await;
    assert!(matches!(broken, Err(Reason::Store(_))), "{broken:?}");
    let stopped = Reason::Unrepeatable { since: at(START) };
    assert_eq!(bench.step(Step::Create).await, Err(stopped));

    // The reply was lost, the value is there: then there is nothing to repeat.
    let bench = self::bench(Repeat::Never);
    let lost = Fault::After(StoreErrorKind::Unavailable);
    bench.store.break_at(6, lost);
    bench.step(Step::Create).await.expect_err("no reply");
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Kept));
    assert_eq!(
        password_at(&bench.store.inner, Label::Current)
            .await
            .as_deref(),
        Some(FIRST)
    );
    assert!(bench.all().await.is_ok());
}
