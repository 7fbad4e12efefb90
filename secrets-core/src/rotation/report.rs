//! What came of an event, with the ages that those who watch rotations want to know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Outcome, RotationError};

/// What came of one event; see [`Rotation::report`](super::Rotation::report).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// What [`Rotation::handle`](super::Rotation::handle) gives.
    pub result: Result<Outcome, RotationError>,
    /// How old the version that holds `AWSCURRENT` was, if the step read it: createSecret and setSecret do.
    pub current_age: Option<Duration>,
    /// How long ago the pending value was stored, if the step read it. When a version is promoted, no
    /// reader has been without a working `AWSCURRENT` for longer than this, unless the target makes
    /// the new value in the old one's place.
    pub pending_age: Option<Duration>,
}

impl Report {
    /// A result of which nothing more is known.
    pub fn of(result: Result<Outcome, RotationError>) -> Self {
        Self {
            result,
            current_age: None,
            pending_age: None,
        }
    }
}

/// When the versions that a step read were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Times>>);

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    current: Option<SystemTime>,
    pending: Option<SystemTime>,
}

impl Seen {
    pub(super) fn current(&self, made: Option<SystemTime>) {
        self.times(|times| times.current = made.or(times.current));
    }

    pub(super) fn pending(&self, made: Option<SystemTime>) {
        self.times(|times| times.pending = made.or(times.pending));
    }

    /// The ages of the current and the pending version. Clocks differ: what comes from the future is new.
    pub(super) fn ages(&self, now: SystemTime) -> (Option<Duration>, Option<Duration>) {
        let age = |made: SystemTime| now.duration_since(made).unwrap_or_default();
        self.times(|times| (times.current.map(age), times.pending.map(age)))
    }

    fn times<T>(&self, f: impl FnOnce(&mut Times) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
