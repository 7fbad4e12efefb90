//! What time it is, cheaply enough to be asked on every read.

#[cfg(feature = "testing")]
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment by both clocks. The wall clock goes on while a process is frozen, but may be set; the steady
/// one is never set, but may stand still. A value is as old as the older of the two says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Milliseconds since 1970.
    pub(super) wall: u64,
    pub(super) steady: Instant,
}

impl Moment {
    pub(super) fn since(self, earlier: Self) -> Duration {
        let wall = Duration::from_millis(self.wall.saturating_sub(earlier.wall));
        wall.max(self.steady.saturating_duration_since(earlier.steady))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) enum Clock {
    #[default]
    System,
    #[cfg(feature = "testing")]
    Test(TestClock),
}

impl Clock {
    pub(super) fn now(&self) -> Moment {
        Moment {
            wall: self.wall(),
            steady: Instant::now(),
        }
    }

    pub(super) fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.wall())
    }

    /// Milliseconds since 1970, some of them late: a fifth of the price of the exact time.
    #[inline]
    pub(super) fn wall(&self) -> u64 {
        match self {
            Self::System => system(),
            #[cfg(feature = "testing")]
            Self::Test(clock) => clock.wall(),
        }
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn system() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

#[cfg(not(target_os = "linux"))]
fn system() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// Time for tests: it goes with tokio's clock, so it stands still where that is paused, and jumps when
/// told to. Clones share their time.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// use std::time::Duration;
/// use secrets_core::client::{SecretsClient, TestClock};
/// use secrets_core::store::memory::MemoryStore;
///
/// let clock = TestClock::new();
/// let secrets = SecretsClient::builder(MemoryStore::new()).clock(&clock).build();
/// clock.freeze(Duration::from_secs(3600)); // as a Lambda function between two invocations
/// # });
/// ```
#[cfg(feature = "testing")]
#[derive(Clone, Debug)]
pub struct TestClock {
    start: Instant,
    skew: Arc<AtomicI64>,
}

#[cfg(feature = "testing")]
impl TestClock {
    /// What the wall shows at first: some time in 2033.
    const START: u64 = 2_000_000_000_000;

    /// A clock that starts now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            skew: Arc::default(),
        }
    }

    /// The process was frozen so long: the wall clock has gone on, no timer has.
    pub fn freeze(&self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.skew.fetch_add(time, Ordering::Relaxed);
    }

    /// Somebody has set the wall clock back.
    pub fn set_back(&self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.skew.fetch_sub(time, Ordering::Relaxed);
    }

    fn wall(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self::START
            .saturating_add(passed)
            .saturating_add_signed(self.skew.load(Ordering::Relaxed))
    }
}

#[cfg(feature = "testing")]
impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}
