//! What becomes of the note when the rotator's call fails, and the store does not do its part either.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrets_core::event::{RotationEvent, Step};
use secrets_core::rotation::{Reason, Rotation};
use secrets_core::rotator::Repeat;
use secrets_core::store::StoreErrorKind;
use tokio::time::Instant;

use crate::support::{Fault, id, v};
use crate::{NOW, START, TIMEOUT, at, bench, down, note, notes};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What createSecret logs when the rotator fails and the store then does that.
async fn logged(fault: Option<Fault>) -> String {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || lines.clone())
        .finish();
    let _listens = tracing::subscriber::set_default(subscriber);
    let bench = bench(Repeat::Never);
    bench.target.state().down = Some(down());
    if let Some(fault) = fault {
        bench.store.break_at(6, fault);
    }
    bench.step(Step::Create).await.expect_err("out of reach");
    let bytes = log.0.lock().expect("not poisoned").clone();
    String::from_utf8(bytes).expect("text")
}

#[tokio::test(start_paused = true)]
async fn a_note_that_could_not_be_replaced_is_logged() {
    assert_eq!(logged(None).await, "");
    for fault in [Fault::Before(StoreErrorKind::Denied), Fault::Hang] {
        let log = logged(Some(fault)).await;
        assert!(log.contains("could not be removed"), "{log}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_note_that_cannot_be_replaced_in_time_holds_nobody_up() {
    // Five seconds, and where there are not as many left, half of those: the report has to get out.
    for (time, patience) in [(30, 5), (6, 3)] {
        let bench = bench(Repeat::Never);
        bench.target.state().down = Some(down());
        bench.store.break_at(6, Fault::Hang);
        let start = Instant::now();
        let event = RotationEvent {
            step: Step::Create,
            secret: id(),
            version: v("1"),
            rotation_token: None,
        };
        let deadline = start + Duration::from_secs(time);
        let failed = bench.rotation.handle(&event, deadline).await;
        let reason = failed.expect_err("out of reach").reason;
        assert_eq!(reason, Reason::Rotator(down()));
        assert_eq!(start.elapsed(), Duration::from_secs(patience));
    }
}

#[tokio::test(start_paused = true)]
async fn a_note_that_cannot_be_replaced_is_left_with_the_error_that_matters() {
    let bench = bench(Repeat::Never);
    bench.target.state().down = Some(down());
    bench
        .store
        .break_at(6, Fault::Before(StoreErrorKind::Unavailable));
    let failed = bench.step(Step::Create).await;
    assert_eq!(failed, Err(Reason::Rotator(down())));
    let until = START + TIMEOUT + 1;
    assert_eq!(notes(&bench, "0").await, [note(START, until)]);
}

#[tokio::test(start_paused = true)]
async fn a_note_whose_time_is_up_when_the_rotator_fails_stays() {
    let mut bench = bench(Repeat::Never);
    bench.target.state().down = Some(down());
    let rotation = Rotation::new(bench.store.clone(), bench.target.clone());
    // A clock that is moved on by a hundred seconds whenever it is asked.
    bench.rotation = rotation.with_clock(|| at(NOW.replace(NOW.get() + 100)));
    bench.step(Step::Create).await.expect_err("out of reach");
    assert_eq!(notes(&bench, "0").await.len(), 1);
    let again = bench.step(Step::Create).await;
    assert!(
        matches!(again, Err(Reason::Unrepeatable { .. })),
        "{again:?}"
    );
}
