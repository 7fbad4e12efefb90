//! The engine: one call takes one event to its end.
//!
//! [`plan`] decides where the labels allow a step to go; `steps` does it. The order inside each step
//! is what makes a rotation safe to crash at any point:
//!
//! | step | what it does, in this order |
//! |---|---|
//! | create | keep a value that is there; else make one (noting that first, where it uses something up), check what changed, store it as `AWSPENDING` |
//! | set | pending accepted: done. Else log in with current, else previous, and set pending |
//! | test | pending must be accepted |
//! | finish | pending must be accepted; retire what is superseded; move `AWSCURRENT` in one call |
//!
//! `AWSPENDING` is the write-ahead log: persisted first, then the target is changed, then published.
//! There is no way back, only forward. Between invocations nothing is remembered.

mod catalogue;
mod create;
mod error;
pub mod examine;
mod mark;
mod plan;
mod read;
mod report;
mod steps;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

pub use catalogue::{ERROR_TYPES, ErrorType};
pub use error::{Advice, PlanError, Reason, RotationError, with_causes};
pub use plan::{Plan, plan};
pub use report::Report;
pub(crate) use report::Seen;

use crate::event::{RotationEvent, Step};
use crate::rotator::{Context, Rotator};
use crate::store::SecretStore;

/// Rotates secrets that one rotator understands, in one store.
pub struct Rotation<S, R> {
    store: S,
    rotator: R,
    min_overlap: Option<Duration>,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for Rotation<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("store", &self.store)
            .field("rotator", &self.rotator)
            .field("min_overlap", &self.min_overlap)
            .finish_non_exhaustive()
    }
}

/// What a step that came to its end has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// create: a value was made and stored as `AWSPENDING`.
    Created,
    /// create: a value was there already, and was kept.
    Kept,
    /// set: the target now accepts it.
    Set,
    /// set: the target accepted it already.
    AlreadySet,
    /// test: the target accepts it.
    Tested,
    /// finish: it is `AWSCURRENT` now.
    Promoted,
    /// any step: it was `AWSCURRENT` already.
    AlreadyCurrent,
}

impl Outcome {
    /// A word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Kept => "kept",
            Self::Set => "set",
            Self::AlreadySet => "already_set",
            Self::Tested => "tested",
            Self::Promoted => "promoted",
            Self::AlreadyCurrent => "already_current",
        }
    }
}

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// An engine over this store and this rotator.
    pub fn new(store: S, rotator: R) -> Self {
        Self {
            store,
            rotator,
            min_overlap: None,
            now: Arc::new(SystemTime::now),
        }
    }

    /// Refuses to make a new value while the current version is younger than this.
    ///
    /// Set it to the longest time that readers cache a secret. Rotations that overlap invalidate what a
    /// reader still holds; without this setting they are logged as a warning only, so that an
    /// emergency rotation stays possible.
    #[must_use]
    pub fn with_min_overlap(mut self, min_overlap: Duration) -> Self {
        self.min_overlap = Some(min_overlap);
        self
    }

    /// Takes the time of day from here; for tests.
    #[must_use]
    pub fn with_clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// The rotator.
    pub fn rotator(&self) -> &R {
        &self.rotator
    }

    /// Takes one event to its end, or to an error that says who must act.
    ///
    /// # Behavior
    /// - Any event may be repeated, any number of times, also after a crash at any point.
    /// - When `deadline` passes, what is under way is dropped: that is a crash like any other.
    ///
    /// # Errors
    /// [`RotationError`]: the step, the secret, the version, and what stood in the way.
    pub async fn handle(
        &self,
        event: &RotationEvent,
        deadline: Instant,
    ) -> Result<Outcome, RotationError> {
        self.report(event, deadline).await.result
    }

    /// The same, and how old the versions were that the step read: no further call is made for that.
    pub async fn report(&self, event: &RotationEvent, deadline: Instant) -> Report {
        let cx = Context::new(event.secret.clone(), event.version.clone(), deadline);
        let mut report = Report::of(self.run(event, &cx).await);
        (report.current_age, report.pending_age) = cx.seen().ages((self.now)());
        report
    }

    async fn run(&self, event: &RotationEvent, cx: &Context) -> Result<Outcome, RotationError> {
        // In a box: else the types of what a step awaits nest deeper than the compiler follows.
        let work = Box::pin(async {
            match event.step {
                Step::Create => self.create(event, cx).await,
                Step::Set => self.set(cx).await,
                Step::Test => self.test(cx).await,
                Step::Finish => self.finish(cx).await,
            }
        });
        tokio::time::timeout_at(cx.deadline(), work)
            .await
            .unwrap_or(Err(Reason::OutOfTime))
            .map_err(|reason| {
                RotationError::new(
                    event.step,
                    event.secret.clone(),
                    event.version.clone(),
                    reason,
                )
            })
    }
}
