//! What goes wrong at the store and at the target, and that trying again heals it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason};
use secrets_core::rotator::RotatorError;
use secrets_core::store::{Label, SecretStore, StoreErrorKind};
use std::time::Duration;
use support::{Bench, FIRST, Fault, id, password_at, text_at, v};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_fault_at_any_call_of_the_store_is_healed_by_trying_again() {
    let kinds = [
        StoreErrorKind::Unavailable,
        StoreErrorKind::Throttled,
        StoreErrorKind::Denied,
    ];
    for fault in kinds
        .into_iter()
        .flat_map(|kind| [Fault::Before(kind), Fault::After(kind)])
    {
        for n in 1..=11 {
            let bench = Bench::new();
            bench.store.break_at(n, fault);
            let first = bench.all().await;
            assert!(
                matches!(first, Err(Reason::Store(_))),
                "{fault:?} at {n}: {first:?}"
            );
            // Nothing is lost: what the target wants is what some label names.
            let wanted = bench.target.state().password.clone();
            let mut named = Vec::new();
            for label in [Label::Current, Label::Pending] {
                named.extend(password_at(&bench.store.inner, label).await);
            }
            assert!(named.contains(&wanted), "{fault:?} at {n}: locked out");
            let second = bench.all().await;
            assert!(second.is_ok(), "{fault:?} at {n}: {second:?}");
            assert_eq!(
                password_at(&bench.store.inner, Label::Current).await,
                Some(bench.target.state().password.clone())
            );
            let minted = bench.target.state().minted;
            let lost_before_store = minted == 2 && n == 4 && matches!(fault, Fault::Before(_));
            assert!(
                minted == 1 || lost_before_store,
                "{fault:?} at {n}: minted {minted} times"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_lag_behind_are_waited_for() {
    let bench = Bench::new();
    bench.store.lag(0, 3);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    for step in [Step::Set, Step::Test, Step::Finish] {
        bench.store.lag(3, 3);
        assert!(bench.step(step).await.is_ok(), "{step}");
    }
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    // A read that lags in createSecret would mint again: the store refuses the second value.
    bench.store.lag(1, 0);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Kept));
    for step in [Step::Set, Step::Test, Step::Finish] {
        bench.store.lag(99, 0);
        assert_eq!(
            bench.step(step).await,
            Err(Reason::NoPendingValue),
            "{step}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_inconclusive_probe_changes_nothing() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    bench.target.log();
    let down = RotatorError::unreachable("db:5432 did not answer");
    bench.target.state().down = Some(down.clone());
    for step in [Step::Set, Step::Test, Step::Finish] {
        assert_eq!(bench.step(step).await, Err(Reason::Rotator(down.clone())));
        assert_eq!(bench.target.log(), ["test sentinel-minted-1"]);
    }
    bench.target.state().down = None;
    assert!(bench.all().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn each_refused_credential_is_presented_once_and_previous_is_the_last_resort() {
    let bench = Bench::new();
    bench.all().await.expect("a rotation");
    bench
        .store
        .inner
        .begin_rotation(&id(), &v("2"))
        .expect("the first one is over");
    bench.send(Step::Create, &v("2")).await.expect("a value");
    bench.target.log();
    bench.target.state().password = "somebody's".into();
    assert_eq!(
        bench.send(Step::Set, &v("2")).await,
        Err(Reason::NoneAccepted)
    );
    let probes = [
        "test sentinel-minted-2",
        "test sentinel-minted-1",
        "test sentinel-first",
    ];
    assert_eq!(bench.target.log(), probes);
    bench.target.state().password = FIRST.into();
    assert_eq!(bench.send(Step::Set, &v("2")).await, Ok(Outcome::Set));
    assert_eq!(
        bench.target.log()[3],
        "set sentinel-minted-2 as sentinel-first"
    );

    // One value under all three labels is one credential.
    let bench = Bench::new();
    let same = SecretDocument::from_text(
        &text_at(&bench.store.inner, Label::Current)
            .await
            .expect("a value"),
    );
    bench
        .store
        .inner
        .put_pending(&id(), &v("1"), &same, None)
        .await
        .expect("an empty version");
    bench.target.state().password = "somebody's".into();
    assert_eq!(bench.step(Step::Set).await, Err(Reason::NoneAccepted));
    assert_eq!(bench.target.log(), ["test sentinel-first"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_target_will_never_take_is_discarded_while_the_current_one_works() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    bench.target.state().picky = true;
    let fault = bench.step(Step::Set).await.expect_err("a picky target");
    assert!(
        matches!(
            fault,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    assert_eq!(password_at(&bench.store.inner, Label::Pending).await, None);
    assert_eq!(
        password_at(&bench.store.inner, Label::Current)
            .await
            .as_deref(),
        Some(FIRST)
    );

    bench.target.state().picky = false;
    bench
        .store
        .inner
        .begin_rotation(&id(), &v("2"))
        .expect("nothing is pending");
    for step in Step::ALL {
        bench.send(step, &v("2")).await.expect("a fresh start");
    }

    // Discarding fails: the same step tried again discards.
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    bench.target.state().picky = true;
    bench
        .store
        .break_at(4, Fault::Before(StoreErrorKind::Throttled));
    let fault = bench.step(Step::Set).await.expect_err("a picky target");
    assert!(
        matches!(
            fault,
            Reason::ValueRefused {
                discarded: false,
                ..
            }
        ),
        "{fault:?}"
    );
    let fault = bench.step(Step::Set).await.expect_err("a picky target");
    assert!(
        matches!(
            fault,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
}

/// As a server does that keeps a history of passwords.
#[tokio::test(start_paused = true)]
async fn a_value_that_is_refused_since_another_invocation_has_set_it_is_kept() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    bench.target.state().forestalled = true;
    assert_eq!(bench.step(Step::Set).await, Ok(Outcome::AlreadySet));
    let pending = password_at(&bench.store.inner, Label::Pending).await;
    assert_eq!(pending, Some(bench.target.state().password.clone()));
    assert!(bench.all().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_never_answers_ends_the_step_in_time() {
    let bench = Bench::new();
    bench.target.state().hangs = true;
    let start = Instant::now();
    assert_eq!(bench.step(Step::Create).await, Err(Reason::OutOfTime));
    assert_eq!(start.elapsed(), Duration::from_secs(30));
    bench.target.state().hangs = false;
    assert!(bench.all().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_promotion_whose_reply_was_lost_is_seen_to_be_done() {
    let bench = Bench::new();
    for step in [Step::Create, Step::Set, Step::Test] {
        bench.step(step).await.expect("a step");
    }
    bench
        .store
        .break_at(3, Fault::After(StoreErrorKind::Conflict));
    assert_eq!(bench.step(Step::Finish).await, Ok(Outcome::Promoted));
    assert_eq!(bench.step(Step::Finish).await, Ok(Outcome::AlreadyCurrent));

    // A conflict that means something else is an error, and trying again works.
    let bench = Bench::new();
    for step in [Step::Create, Step::Set, Step::Test] {
        bench.step(step).await.expect("a step");
    }
    bench
        .store
        .break_at(3, Fault::Before(StoreErrorKind::Conflict));
    let fault = bench.step(Step::Finish).await.expect_err("a conflict");
    assert!(matches!(fault, Reason::Store(_)), "{fault:?}");
    assert_eq!(bench.step(Step::Finish).await, Ok(Outcome::Promoted));
}

#[tokio::test(start_paused = true)]
async fn finish_does_not_promote_what_the_target_refuses() {
    let bench = Bench::new();
    for step in [Step::Create, Step::Set, Step::Test] {
        bench.step(step).await.expect("a step");
    }
    bench.target.state().password = FIRST.into();
    assert_eq!(bench.step(Step::Test).await, Err(Reason::PendingRefused));
    assert_eq!(bench.step(Step::Finish).await, Err(Reason::PendingRefused));
    assert_eq!(
        password_at(&bench.store.inner, Label::Current)
            .await
            .as_deref(),
        Some(FIRST)
    );
    assert!(bench.all().await.is_ok(), "the same rotation, tried again");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_fails_for_another_reason_discards_nothing() {
    let bench = Bench::new();
    bench.step(Step::Create).await.expect("a value");
    let fault = RotatorError::refused("no right to change the password").with_code("42501");
    bench.target.state().refuses_change = Some(fault.clone());
    assert_eq!(bench.step(Step::Set).await, Err(Reason::Rotator(fault)));
    assert!(
        password_at(&bench.store.inner, Label::Pending)
            .await
            .is_some()
    );
    bench.target.state().refuses_change = None;
    assert!(bench.all().await.is_ok(), "the same rotation, tried again");
}
