//! The time of day in one trial. It stands still but for what the kit moves it on, so that a schedule runs
//! again exactly, and an hour takes no time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

#[derive(Clone, Debug)]
pub(super) struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    /// Starts now, at a whole second.
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let whole = Duration::from_secs(now.unwrap_or_default().as_secs());
        Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + whole)))
    }

    fn time(&self) -> MutexGuard<'_, SystemTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> SystemTime {
        *self.time()
    }

    pub(super) fn advance(&self, by: Duration) {
        *self.time() += by;
    }
}
