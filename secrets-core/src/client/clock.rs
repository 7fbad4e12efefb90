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
    fn wall(&self) -> u64 {
        self.tick().millis()
    }

    /// The same for readers.
    #[inline]
    pub(super) fn tick(&self) -> Tick {
        match self {
            Self::System => system(),
            #[cfg(feature = "testing")]
            Self::Test(clock) => Tick::of_millis(clock.wall()),
        }
    }
}

/// A moment of the wall clock, in a form that costs readers no division: the seconds since 1970 above the 30
/// bits that nanoseconds need. Later moments are greater numbers, and that is all it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(pub(super) u64);

impl Tick {
    const NANOSECONDS: u32 = 30;

    /// The latest moment that there is.
    const END: u64 = (1 << (u64::BITS - Self::NANOSECONDS)) - 1;

    #[inline]
    fn new(seconds: u64, nanoseconds: u64) -> Self {
        Self(seconds << Self::NANOSECONDS | nanoseconds)
    }

    pub(super) fn of_millis(millis: u64) -> Self {
        Self::new((millis / 1000).min(Self::END), millis % 1000 * 1_000_000)
    }

    fn millis(self) -> u64 {
        let nanoseconds = self.0 & ((1 << Self::NANOSECONDS) - 1);
        (self.0 >> Self::NANOSECONDS) * 1000 + nanoseconds / 1_000_000
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn system() -> Tick {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    // Neither is negative after 1970.
    Tick::new(now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned())
}

#[cfg(not(target_os = "linux"))]
fn system() -> Tick {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(Tick(0), |now| {
        Tick::new(now.as_secs(), now.subsec_nanos().into())
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_in_the_order_of_time_and_keep_milliseconds() {
        let mut before = Tick(0);
        for millis in [1, 999, 1000, 1001, 59_999, 60_000, 2_000_000_000_000] {
            let tick = Tick::of_millis(millis);
            assert!(tick > before, "{millis}");
            assert_eq!(tick.millis(), millis);
            before = tick;
        }
        assert!(Tick::of_millis(u64::MAX) > before);
    }

    #[test]
    fn the_system_clock_tells_the_time() {
        let clock = Clock::default();
        let exact = SystemTime::now().duration_since(clock.date());
        // The coarse clock is late by a tick of the kernel; that the machine stalls is not its fault.
        assert!(exact.is_ok_and(|late| late < Duration::from_mins(1)));
    }
}
