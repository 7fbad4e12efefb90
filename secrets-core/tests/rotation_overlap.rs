//! Rotations that come close to one another: warned about where readers rely on an overlap, refused where
//! that is configured; to the second.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::cell::Cell;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason, Rotation};
use secrets_core::rotator::{Overlap, Profile, Rotates};
use secrets_core::store::{Label, SecretReader, Version};
use support::{Bench, id};

thread_local! {
    static NOW: Cell<SystemTime> = const { Cell::new(SystemTime::UNIX_EPOCH) };
}

/// A rotation whose current version has exactly that age.
async fn aged(age: Duration, overlap: Overlap, min_overlap: Option<Duration>) -> Bench {
    let mut bench = Bench::new();
    bench.target.state().profile = Profile::new(Rotates::Keys(&["password"]), overlap);
    let current = bench
        .store
        .inner
        .get(&id(), &Version::CURRENT)
        .await
        .expect("a value");
    NOW.set(current.created.expect("a date") + age);
    let rotation =
        Rotation::new(bench.store.clone(), bench.target.clone()).with_clock(|| NOW.get());
    bench.rotation = match min_overlap {
        Some(min_overlap) => rotation.with_min_overlap(min_overlap),
        None => rotation,
    };
    bench
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .expect("no panic while it is held")
            .extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What createSecret logs.
async fn logged(age: Duration, overlap: Overlap) -> String {
    let bench = aged(age, overlap, None).await;
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || lines.clone())
        .finish();
    let _listens = tracing::subscriber::set_default(subscriber);
    assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    let bytes = log.0.lock().expect("no panic while it is held").clone();
    String::from_utf8(bytes).expect("text")
}

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);
const ALMOST: Duration = Duration::from_secs(3599);

#[tokio::test(start_paused = true)]
async fn a_young_version_is_warned_about_where_readers_rely_on_an_overlap() {
    let young = logged(ALMOST, Overlap::UntilNextRotation).await;
    assert!(
        young.contains("rotating again soon") && young.contains("age_seconds=3599"),
        "{young}"
    );
    assert_eq!(logged(HOUR, Overlap::UntilNextRotation).await, "");
    assert_eq!(logged(HOUR + SECOND, Overlap::UntilNextRotation).await, "");
    assert_eq!(
        logged(SECOND, Overlap::ReplaceInPlace).await,
        "",
        "there is no overlap to rely on"
    );
}

#[tokio::test(start_paused = true)]
async fn the_configured_overlap_is_held_to_the_second() {
    for overlap in [Overlap::UntilNextRotation, Overlap::ReplaceInPlace] {
        let bench = aged(ALMOST, overlap, Some(HOUR)).await;
        match bench.step(Step::Create).await {
            Err(Reason::TooSoon { not_before }) => assert_eq!(not_before, NOW.get() + SECOND),
            other => panic!("{other:?}"),
        }
        let bench = aged(HOUR, overlap, Some(HOUR)).await;
        assert_eq!(bench.step(Step::Create).await, Ok(Outcome::Created));
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_runs_behind_takes_a_version_for_young() {
    let bench = aged(Duration::ZERO, Overlap::UntilNextRotation, Some(HOUR)).await;
    NOW.set(NOW.get() - HOUR);
    let refused = bench.step(Step::Create).await;
    assert!(
        matches!(refused, Err(Reason::TooSoon { .. })),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_how_old_the_versions_were_that_the_step_read() {
    let bench = aged(90 * SECOND, Overlap::ReplaceInPlace, None).await;
    let report = bench.report(Step::Create).await;
    assert_eq!(report.result, Ok(Outcome::Created));
    assert_eq!(report.current_age, Some(90 * SECOND));
    assert_eq!(report.pending_age, None, "there was none to read");

    let pending = Version::Labelled(Label::Pending);
    let pending = bench.store.inner.get(&id(), &pending).await;
    let made = pending.expect("a value").created.expect("a date");
    NOW.set(made + 5 * SECOND);
    let report = bench.report(Step::Set).await;
    assert!(report.current_age.is_some());
    assert_eq!(report.pending_age, Some(5 * SECOND));
    let report = bench.report(Step::Finish).await;
    assert_eq!(report.result, Ok(Outcome::Promoted));
    assert_eq!(
        (report.current_age, report.pending_age),
        (None, Some(5 * SECOND))
    );

    // Another machine's clock may be ahead.
    NOW.set(made - SECOND);
    let report = bench.report(Step::Test).await;
    assert_eq!(report.pending_age, Some(Duration::ZERO));
}
