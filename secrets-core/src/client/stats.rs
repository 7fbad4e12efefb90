//! What the client counts, in release builds, too.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// What a client has done so far, all secrets together.
///
/// Reads through a [`SecretHandle`](super::SecretHandle) are not counted one by one: counting would take as
/// long as the read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Reads by name that were answered at once, also with a stale value.
    pub hits: u64,
    /// Reads that had to wait for the store.
    pub misses: u64,
    /// Reads that came when the value was due to be confirmed; the first one starts a refresh.
    pub stale_reads: u64,
    /// Reads that were answered with a failure of a moment ago, without asking again.
    pub negative_hits: u64,
    /// Calls to the store, also those that failed.
    pub calls: u64,
    /// Answers with a value, or that the one that is held is still current.
    pub refreshes: u64,
    /// Answers with an error, and calls without an answer.
    pub failures: u64,
    /// New versions of a secret that was already held.
    pub rotations: u64,
    /// Values that were dropped since the store refuses to give them.
    pub dropped: u64,
    /// Values that were dropped to make room.
    pub evictions: u64,
    /// The greatest age that a value had when the store confirmed or replaced it.
    pub max_age: Duration,
    /// From the making of the newest noticed version until it was noticed: the rotation itself, and the
    /// time by which this client was late.
    pub rotation_lag: Duration,
}

/// As many hits on one line of the processor's cache as threads share it would cost more than the read.
const STRIPES: usize = 16;

#[derive(Default)]
#[repr(align(128))]
struct Stripe(AtomicU64);

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}

fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    STRIPE.with(|stripe| {
        if stripe.get() == usize::MAX {
            stripe.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        stripe.get()
    })
}

#[derive(Default)]
pub(super) struct Counters {
    hits: [Stripe; STRIPES],
    pub(super) misses: AtomicU64,
    pub(super) stale_reads: AtomicU64,
    pub(super) negative_hits: AtomicU64,
    pub(super) calls: AtomicU64,
    pub(super) refreshes: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) rotations: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) evictions: AtomicU64,
    max_age_ms: AtomicU64,
    rotation_lag_ms: AtomicU64,
    #[cfg(feature = "metrics")]
    told: std::sync::Mutex<Stats>,
}

impl Counters {
    #[inline]
    pub(super) fn hit(&self) {
        if let Some(stripe) = self.hits.get(stripe()) {
            stripe.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn age(&self, age: Duration) {
        self.max_age_ms.fetch_max(millis(age), Ordering::Relaxed);
    }

    pub(super) fn rotation(&self, lag: Duration) {
        self.rotations.fetch_add(1, Ordering::Relaxed);
        self.rotation_lag_ms.store(millis(lag), Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            hits: self.hits.iter().map(|stripe| read(&stripe.0)).sum(),
            misses: read(&self.misses),
            stale_reads: read(&self.stale_reads),
            negative_hits: read(&self.negative_hits),
            calls: read(&self.calls),
            refreshes: read(&self.refreshes),
            failures: read(&self.failures),
            rotations: read(&self.rotations),
            dropped: read(&self.dropped),
            evictions: read(&self.evictions),
            max_age: Duration::from_millis(read(&self.max_age_ms)),
            rotation_lag: Duration::from_millis(read(&self.rotation_lag_ms)),
        }
    }

    /// Hands the counters to whatever recorder the application has set up. It is done after each call to
    /// the store and not on each read: a recorder may be slow.
    #[cfg(feature = "metrics")]
    pub(super) fn export(&self) {
        use std::sync::PoisonError;

        let stats = self.snapshot();
        // Several clients add to the same counters; so each adds what is new.
        let told = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *told, stats)
        };
        for (name, count, told) in [
            ("secrets_client_hits_total", stats.hits, told.hits),
            ("secrets_client_misses_total", stats.misses, told.misses),
            (
                "secrets_client_stale_reads_total",
                stats.stale_reads,
                told.stale_reads,
            ),
            (
                "secrets_client_negative_hits_total",
                stats.negative_hits,
                told.negative_hits,
            ),
            ("secrets_client_calls_total", stats.calls, told.calls),
            (
                "secrets_client_refreshes_total",
                stats.refreshes,
                told.refreshes,
            ),
            (
                "secrets_client_failures_total",
                stats.failures,
                told.failures,
            ),
            (
                "secrets_client_rotations_total",
                stats.rotations,
                told.rotations,
            ),
            ("secrets_client_dropped_total", stats.dropped, told.dropped),
            (
                "secrets_client_evictions_total",
                stats.evictions,
                told.evictions,
            ),
        ] {
            metrics::counter!(name).increment(count.saturating_sub(told));
        }
        metrics::gauge!("secrets_client_max_age_seconds").set(stats.max_age.as_secs_f64());
        metrics::gauge!("secrets_client_rotation_lag_seconds")
            .set(stats.rotation_lag.as_secs_f64());
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(
        clippy::unused_self,
        reason = "the same call with and without the feature"
    )]
    pub(super) fn export(&self) {}
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
