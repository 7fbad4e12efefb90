//! One secret, as the client holds it: the value that readers take without a lock, and behind a lock what
//! decides when to ask the store again.

use std::any::TypeId;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use arc_swap::Guard;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::clock::{Clock, Moment, Tick};
use super::error::ClientError;
use super::flight::Flight;
use super::refusals::Refusals;
use super::slot::Publish;
use super::sync::{ArcSwapOption, AtomicBool, AtomicU64, Mutex, MutexGuard};
use crate::document::SecretDocument;
use crate::event::{SecretId, VersionId};
use crate::store::Version;

/// A version with its value.
pub(super) struct Held {
    pub(super) id: VersionId,
    pub(super) document: SecretDocument,
}

/// How long an entry may be believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Asked again after that.
    pub(super) ttl: Duration,
    /// Served so much longer while the store does not answer.
    pub(super) max_stale: Duration,
    /// Pauses between failures: the first, and the longest.
    pub(super) back_off: (Duration, Duration),
    pub(super) jitter: f64,
    /// The least time between two calls before their time.
    pub(super) interval: Duration,
}

/// What to do where a call before its time comes too soon after the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TooSoon {
    /// Leave it.
    Leave,
    /// Wait until it may be made.
    Wait,
    /// The same; and the answer to a question that set out before will not do.
    Anew,
}

pub(super) struct Entry {
    pub(super) id: SecretId,
    pub(super) version: Version,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    pub(super) value: ArcSwapOption<Held>,
    pub(super) window: Window,
    /// Whether it was read since eviction last came by.
    pub(super) read: AtomicBool,
    pub(super) describe_denied: AtomicBool,
    /// Wakes the task that keeps handles fresh: it is to look anew when the next refresh is due.
    pub(super) replanned: Arc<Notify>,
    state: Mutex<State>,
}

/// The times of the wall clock between which a read need not look further. It is a hint that saves the lock; if its two halves do not fit, the lock is taken and the truth found behind it.
#[derive(Debug, Default)]
pub(super) struct Window {
    from: AtomicU64,
    until: AtomicU64,
}

impl Window {
    #[inline]
    pub(super) fn holds(&self, Tick(now): Tick) -> bool {
        now >= self.from.load(Ordering::Relaxed) && now < self.until.load(Ordering::Relaxed)
    }

    /// From then on for so long; `from` in milliseconds since 1970.
    pub(super) fn open(&self, from: u64, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let until = Tick::of_millis(from.saturating_add(time));
        self.from.store(Tick::of_millis(from).0, Ordering::Relaxed);
        self.until.store(until.0, Ordering::Relaxed);
    }

    pub(super) fn shut(&self) {
        self.until.store(0, Ordering::Relaxed);
    }
}

#[derive(Default)]
pub(super) struct State {
    /// When the store last said that the value is the one.
    pub(super) confirmed: Option<Moment>,
    /// How long after that it is asked again.
    pub(super) due: Duration,
    /// After a failure: not before that.
    pub(super) retry: Option<Instant>,
    pub(super) failures: u32,
    /// The last failure, until there is a success.
    pub(super) fault: Option<ClientError>,
    /// The question that is under way.
    pub(super) flight: Option<Flight>,
    /// How many questions there were, and the number of the last that was answered.
    pub(super) questions: u64,
    pub(super) answered: u64,
    /// When somebody last asked before the time.
    pub(super) forced: Option<Instant>,
    /// The ARN that came with the value.
    pub(super) arn: Option<SecretId>,
    /// What has been made of the value, one a type.
    pub(super) slots: Vec<(TypeId, Weak<dyn Publish>)>,
    /// Whether a task keeps the slots fresh.
    pub(super) kept: bool,
    pub(super) refusals: Refusals,
}

/// What a look at an entry shows.
pub(super) enum Seen {
    /// A value that may be used.
    Usable,
    /// Nothing to use yet; the answer is on its way.
    Awaited(Flight),
    /// Nothing to use, and it is not yet time to ask again.
    Failed(ClientError),
}

impl Entry {
    pub(super) fn new(id: SecretId, version: Version, rules: Rules, clock: Clock) -> Self {
        Self {
            id,
            version,
            rules,
            clock,
            value: ArcSwapOption::empty(),
            window: Window::default(),
            read: AtomicBool::new(true),
            describe_denied: AtomicBool::new(false),
            replanned: Arc::default(),
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, if it may be used without a further look.
    #[inline]
    pub(super) fn fresh(&self) -> Option<Guard<Option<Arc<Held>>>> {
        let held = self.value.load();
        (held.is_some() && self.window.holds(self.clock.tick())).then(|| {
            if !self.read.load(Ordering::Relaxed) {
                self.read.store(true, Ordering::Relaxed);
            }
            held
        })
    }

    pub(super) fn held_version(&self) -> Option<VersionId> {
        self.value.load().as_ref().map(|held| held.id.clone())
    }

    /// How long ago the store last confirmed the value.
    pub(super) fn age(&self) -> Option<Duration> {
        let confirmed = self.state().confirmed?;
        Some(self.clock.now().since(confirmed))
    }

    /// Whether it is time to ask again.
    pub(super) fn is_due(&self) -> bool {
        let state = self.state();
        match state.confirmed {
            Some(confirmed) => self.clock.now().since(confirmed) >= state.due,
            None => true,
        }
    }

    /// When to look again if nobody reads in between.
    pub(super) fn next_look(&self) -> Duration {
        let (state, now) = (self.state(), self.clock.now());
        let due = match state.confirmed {
            Some(confirmed) => state.due.saturating_sub(now.since(confirmed)),
            None => Duration::ZERO,
        };
        match state.retry {
            Some(retry) => due.max(retry.saturating_duration_since(now.steady)),
            None => due,
        }
    }

    /// Whether anything made of the value is in use.
    pub(super) fn in_use(&self) -> bool {
        let mut state = self.state();
        state.slots.retain(|(_, slot)| slot.strong_count() > 0);
        !state.slots.is_empty()
    }

    /// The error of a read that finds no value and cannot wait.
    pub(super) fn fault(&self) -> ClientError {
        let state = self.state();
        if self.value.load().is_some() {
            return self.stale(&state, self.clock.now());
        }
        let interrupted = || ClientError::Interrupted {
            secret: self.id.clone(),
        };
        state.fault.clone().unwrap_or_else(interrupted)
    }

    pub(super) fn stale(&self, state: &State, now: Moment) -> ClientError {
        let age = state.confirmed.map(|confirmed| now.since(confirmed));
        ClientError::Stale {
            secret: self.id.clone(),
            age: age.unwrap_or_default(),
            cause: state.fault.clone().map(Arc::new),
        }
    }

    /// What is left of the time for which the value may be served, confirmed or not.
    pub(super) fn usable_for(&self, state: &State, now: Moment) -> Duration {
        let (Some(confirmed), true) = (state.confirmed, self.value.load().is_some()) else {
            return Duration::ZERO;
        };
        let limit = self.rules.ttl.saturating_add(self.rules.max_stale);
        limit.saturating_sub(now.since(confirmed))
    }

    /// The time from the making of a version until now.
    pub(super) fn lag(&self, created: Option<SystemTime>) -> Option<Duration> {
        let created = created?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let now = self.clock.date().duration_since(SystemTime::UNIX_EPOCH);
        Some(now.ok()?.saturating_sub(created))
    }
}
