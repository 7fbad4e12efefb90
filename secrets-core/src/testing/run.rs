//! One trial: a fresh target, a fresh secret, and events sent the way Secrets Manager sends them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{RotationEvent, SecretId, Step, VersionId};
use crate::rotation::{Reason, Rotation, RotationError};
use crate::rotator::{Repeat, Rotator};
use crate::store::memory::MemoryStore;

use super::clock::Clock;
use super::gate::Gate;
use super::gated::Gated;
use super::leak;
use super::target::{Target, Trial, World};
use super::violation::Invariant;
use super::witness::{VERSION_PREFIX, Witness};

/// `version(2)` is the version of the second rotation; 0 is the value that a trial starts with.
pub(super) fn version(n: usize) -> VersionId {
    format!("{VERSION_PREFIX}{n:0>32}").into()
}

/// How one invocation ended.
#[derive(Debug)]
pub(super) enum End {
    Done,
    Failed(Box<RotationError>),
    Crashed,
}

impl End {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

pub(super) struct Run<R, T> {
    pub(super) gate: Gate,
    make: Box<dyn Fn() -> R>,
    pub(super) witness: Arc<Witness<T>>,
    store: MemoryStore,
    id: SecretId,
    pub(super) clock: Clock,
    pub(super) step_timeout: Duration,
}

/// Rotations follow one another at this distance.
const DAY: Duration = Duration::from_hours(24);

impl<R: Rotator, T: Target> Run<R, T> {
    pub(super) async fn start<F>(fresh: &F, step_timeout: Duration) -> Self
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let world = World::new();
        let (store, gate) = (world.store().clone(), world.gate().clone());
        let clock = world.clock().clone();
        let trial = fresh(world).await;
        let id = SecretId::from("kit/secret");
        // A store in memory takes any first value.
        let _ = store.put_current(&id, &version(0), &trial.secret);
        let witness = Witness::new(
            &store,
            Arc::new(trial.target),
            &gate,
            &id,
            (trial.rotator)().profile(),
            trial.secret,
        );
        Self {
            gate,
            make: trial.rotator,
            witness: Arc::new(witness),
            store,
            id,
            clock,
            step_timeout,
        }
    }

    /// What the service does before the first event.
    pub(super) fn begin(&self, n: usize) {
        self.clock.advance(DAY);
        self.witness.note_write();
        if self.store.begin_rotation(&self.id, &version(n)).is_err() {
            let seen = "an earlier rotation is not complete: the service refuses to begin another";
            self.witness.convict(Invariant::CrashesHeal, seen);
        }
    }

    /// Sends one event to an invocation of its own.
    pub(super) fn send(&self, who: usize, step: Step, n: usize) -> impl Future<Output = End> {
        let clock = self.clock.clone();
        let rotation = Rotation::new(
            self.gated(self.store.clone(), who),
            self.gated(self.rotator(), who),
        )
        .with_clock(move || clock.now());
        let event = RotationEvent {
            step,
            secret: self.id.clone(),
            version: version(n),
            rotation_token: None,
        };
        let (gate, witness, timeout) = (
            self.gate.clone(),
            Arc::clone(&self.witness),
            self.step_timeout,
        );
        async move {
            let ended = {
                let mut work = pin!(rotation.handle(&event, Instant::now() + timeout));
                // A crash is a call that never goes on, in a process that is gone.
                poll_fn(|cx| match work.as_mut().poll(cx) {
                    Poll::Ready(result) => Poll::Ready(Some(result)),
                    Poll::Pending if gate.take_crash() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                })
                .await
            };
            if let Some(Err(fault)) = &ended {
                leak::note_error(fault);
            }
            // Before the consequences: a step that gives a secret away in its error has failed, too.
            witness.listen().await;
            match ended {
                Some(Ok(_)) => End::Done,
                Some(Err(fault)) => {
                    note_breach(&witness, &fault.reason);
                    End::Failed(Box::new(fault))
                }
                None => End::Crashed,
            }
        }
    }

    /// The four events in order, up to the first that does not end well.
    pub(super) async fn rotate(&self, n: usize) -> End {
        let mut end = End::Crashed;
        for step in Step::ALL {
            end = self.send(0, step, n).await;
            if !end.is_done() {
                break;
            }
        }
        end
    }

    /// Time passes between a try of the `n`th rotation that ended like this and the next one. Where a repeat
    /// is allowed for some time only, the first rotation is tried again in the last second of that, and the
    /// others when it is over. Else it is tried again when the function's time is up.
    pub(super) fn pause(&self, n: usize, end: &End) {
        let spent = match end {
            End::Failed(fault) if fault.reason == Reason::OutOfTime => self.step_timeout,
            _ => Duration::ZERO,
        };
        let second = Duration::from_secs(1);
        let wait = match self.witness.profile.repeat {
            Repeat::Within(grace) if n == 1 => grace.saturating_sub(second),
            Repeat::Within(grace) => grace,
            _ => self.step_timeout + second,
        };
        // Up to a whole second, as notes have them.
        let whole = spent.max(wait) + Duration::from_nanos(999_999_999);
        self.clock.advance(Duration::from_secs(whole.as_secs()));
    }

    /// Whether the engine stopped because a person must act, and the profile says that it may.
    pub(super) fn waits_for_a_person(&self, end: &End) -> bool {
        let End::Failed(fault) = end else {
            return false;
        };
        match (&fault.reason, self.witness.profile.repeat) {
            (Reason::Unrepeatable { .. }, Repeat::Never) => true,
            (Reason::Unrepeatable { since }, Repeat::Within(grace)) => {
                self.clock.now() >= *since + grace
            }
            _ => false,
        }
    }

    /// The person acts, which ends the `n`th rotation.
    pub(super) async fn reauthorise(&self, n: usize) {
        let Some(secret) = self.witness.target.reauthorise().await else {
            let seen = "a person must act, and the trial has none (`Target::reauthorise`)";
            return self.witness.convict(Invariant::CrashesHeal, seen);
        };
        self.witness.note_write();
        let version = VersionId::from(format!("{VERSION_PREFIX}person-{n:0>25}"));
        // A store in memory takes any value for a new version.
        let _ = self.store.put_current(&self.id, &version, &secret);
        self.witness.look("reauthorise").await;
        if !self.witness.target.works(&secret).await {
            let seen = "what the person put as AWSCURRENT does not work";
            self.witness.convict(Invariant::NobodyLockedOut, seen);
        }
    }

    /// A rotator as a new process would have it.
    pub(super) fn rotator(&self) -> R {
        (self.make)()
    }

    fn gated<I>(&self, inner: I, who: usize) -> Gated<I, T> {
        Gated {
            inner,
            gate: self.gate.clone(),
            witness: Arc::clone(&self.witness),
            who,
        }
    }
}

/// What the engine refused on the rotator's account is the rotator's crime.
fn note_breach<T: Target>(witness: &Witness<T>, reason: &Reason) {
    match reason {
        Reason::Unchanged => {
            witness.convict(
                Invariant::ValueChanges,
                "the rotator made the current value again",
            );
        }
        Reason::ForbiddenChange { key } => {
            let seen = format!("the rotator changed `{key}`, which its profile does not name");
            witness.convict(Invariant::RestOfSecretStays, seen);
        }
        _ => {}
    }
}
