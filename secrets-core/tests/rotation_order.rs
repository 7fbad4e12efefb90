//! The order inside each step, undisturbed and repeated.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason, Rotation};
use secrets_core::rotator::{Overlap, Profile, Retirement, Rotates};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretStore};
use std::time::Duration;
use support::{Bench, FIRST, Target, id, password_at, text_at, v};

#[tokio::test(start_paused = true)]
async fn an_undisturbed_rotation_makes_eleven_calls_and_loses_nothing() {
    let bench = Bench::new();
    let outcomes = bench.all().await;
    assert_eq!(
        outcomes,
        Ok(vec![
            Outcome::Created,
            Outcome::Set,
            Outcome::Tested,
            Outcome::Promoted
        ])
    );
    assert_eq!(
        bench.store.calls().join(" "),
        "describe get get put describe get get get describe get promote"
    );
    assert_eq!(
        bench.target.log(),
        [
            "create",
            "test sentinel-minted-1",
            "test sentinel-first",
            "set sentinel-minted-1 as sentinel-first",
            "test sentinel-minted-1",
            "test sentinel-minted-1",
        ]
    );
    let current = text_at(&bench.store.inner, Label::Current).await;
    assert_eq!(
        current.as_deref(),
        Some(r#"{"host": "db", "port": 5432, "password": "sentinel-minted-1", "note": 1.50}"#)
    );
    let previous = password_at(&bench.store.inner, Label::Previous).await;
    assert_eq!(previous.as_deref(), Some(FIRST));
    assert_eq!(bench.store.token().as_deref(), Some("sentinel-token"));
}

#[tokio::test(start_paused = true)]
async fn every_step_may_be_repeated_at_any_time() {
    let bench = Bench::new();
    for (step, first, again) in [
        (Step::Create, Outcome::Created, Outcome::Kept),
        (Step::Set, Outcome::Set, Outcome::AlreadySet),
        (Step::Test, Outcome::Tested, Outcome::Tested),
        (Step::Finish, Outcome::Promoted, Outcome::AlreadyCurrent),
    ] {
        assert_eq!(bench.step(step).await, Ok(first));
        assert_eq!(bench.step(step).await, Ok(again));
    }
    // After the end: late duplicates of all four. AWSPENDING still sits on the version, so testing
    // it again is what testSecret does.
    let late = bench.all().await;
    let done = Outcome::AlreadyCurrent;
    assert_eq!(late, Ok(vec![done, done, Outcome::Tested, done]));
    let log = bench.target.log();
    assert_eq!(
        log.iter()
            .filter(|entry| entry.starts_with("create"))
            .count(),
        1
    );
    assert_eq!(
        log.iter().filter(|entry| entry.starts_with("set")).count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_temporary_pending_version_that_holds_the_current_value_passes_the_test() {
    let bench = Bench::new();
    let current = SecretDocument::from_text(
        &text_at(&bench.store.inner, Label::Current)
            .await
            .expect("a value"),
    );
    bench
        .store
        .inner
        .put_pending(&id(), &v("1"), &current, None)
        .await
        .expect("an empty version");
    assert_eq!(bench.step(Step::Test).await, Ok(Outcome::Tested));
}

#[tokio::test(start_paused = true)]
async fn secrets_of_plain_text_rotate_whole() {
    let bench = Bench::new();
    let first = SecretDocument::from_text(FIRST);
    bench
        .store
        .inner
        .put_current(&id(), &v("t"), &first)
        .expect("a value");
    bench
        .store
        .inner
        .begin_rotation(&id(), &v("1"))
        .expect("nothing is pending");
    bench.target.state().profile = Profile::new(Rotates::Value, Overlap::ReplaceInPlace);
    assert!(bench.all().await.is_ok());
    assert_eq!(
        text_at(&bench.store.inner, Label::Current).await.as_deref(),
        Some("sentinel-minted-1")
    );
}

#[tokio::test(start_paused = true)]
async fn old_credentials_are_retired_when_the_profile_says_so_and_never_one_in_use() {
    let rotate = async |bench: &Bench, version: &str| {
        if version != "1" {
            bench
                .store
                .inner
                .begin_rotation(&id(), &v(version))
                .expect("no rotation is open");
        }
        bench.target.log();
        for step in Step::ALL {
            bench.send(step, &v(version)).await.expect("a step");
        }
        let log = bench.target.log();
        log.into_iter()
            .filter(|entry| entry.starts_with("retire"))
            .collect::<Vec<_>>()
    };
    let profile = |retires| {
        Profile::new(Rotates::Keys(&["password"]), Overlap::UntilNextRotation).retiring(retires)
    };

    let bench = Bench::new();
    bench.target.state().profile = profile(Retirement::WhenSuperseded);
    assert_eq!(
        rotate(&bench, "1").await,
        [""; 0],
        "nothing was previous yet"
    );
    assert_eq!(
        rotate(&bench, "2").await,
        ["retire sentinel-first keep sentinel-minted-1 sentinel-minted-2"]
    );

    let bench = Bench::new();
    bench.target.state().profile = profile(Retirement::AfterPromotion);
    assert_eq!(
        rotate(&bench, "1").await,
        ["retire sentinel-first keep sentinel-minted-1"]
    );
    // A crash right after the promotion leaves that undone; finishing again does it.
    assert_eq!(bench.step(Step::Finish).await, Ok(Outcome::AlreadyCurrent));
    assert_eq!(
        bench.target.log(),
        ["retire sentinel-first keep sentinel-minted-1"]
    );
    // What is current again by hand is not retired for having been previous.
    let current = text_at(&bench.store.inner, Label::Current)
        .await
        .expect("a value");
    bench
        .store
        .inner
        .put_current(&id(), &v("c"), &SecretDocument::from_text(&current))
        .expect("a value");
    assert_eq!(
        bench.send(Step::Finish, &v("c")).await,
        Ok(Outcome::AlreadyCurrent)
    );
    assert_eq!(bench.target.log(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn rotations_that_come_too_close_are_refused_where_that_is_configured() {
    let min_overlap = Duration::from_mins(10);
    let mut bench = Bench::new();
    bench.rotation =
        Rotation::new(bench.store.clone(), bench.target.clone()).with_min_overlap(min_overlap);
    match bench.step(Step::Create).await {
        Err(Reason::TooSoon { not_before }) => {
            let wait = not_before
                .duration_since(std::time::SystemTime::now())
                .expect("later");
            assert!(wait <= min_overlap && wait > min_overlap / 2, "{wait:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.target.log(), [""; 0]);
    bench.rotation = Rotation::new(bench.store.clone(), bench.target.clone())
        .with_min_overlap(min_overlap)
        .with_clock(|| std::time::SystemTime::now() + Duration::from_mins(11));
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    // A rotation that has begun is not held up: its value is there.
    bench.rotation =
        Rotation::new(bench.store.clone(), bench.target.clone()).with_min_overlap(min_overlap);
    assert!(bench.all().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn two_invocations_of_each_step_at_once_end_as_one() {
    let bench = Bench::new();
    for step in Step::ALL {
        let (one, two) = tokio::join!(bench.step(step), bench.step(step));
        assert!(one.is_ok() && two.is_ok(), "{step}: {one:?} {two:?}");
    }
    let current = password_at(&bench.store.inner, Label::Current).await;
    assert_eq!(current, Some(bench.target.state().password.clone()));
}

#[test]
fn an_engine_shows_its_parts_and_no_secret() {
    let rotation = Rotation::new(MemoryStore::new(), Target::new());
    let text = format!("{:?}", rotation.with_min_overlap(Duration::from_mins(10)));
    let start = "Rotation { store: MemoryStore(";
    let end = "rotator: Target, min_overlap: Some(600s), .. }";
    assert!(text.starts_with(start) && text.ends_with(end), "{text}");
}
