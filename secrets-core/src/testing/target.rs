//! What the kit has to be told about a target.

use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use crate::document::SecretDocument;
use crate::rotator::RotatorError;
use crate::store::memory::MemoryStore;

use super::clock::Clock;
use super::gate::Gate;

/// The truth about a target, asked behind the rotator's back.
///
/// A fake target looks into its own state; a real one is asked over a connection of the test's own.
pub trait Target: Send + Sync {
    /// Whether an application that holds this secret can do its work: it logs in, and has the rights
    /// that it had. Leaves no trace, not even a refused login.
    fn works(&self, secret: &SecretDocument) -> impl Future<Output = bool> + Send;

    /// How many credentials the target would accept for this secret's purpose; `None` if it cannot
    /// tell.
    fn live(&self) -> impl Future<Output = Option<usize>> + Send {
        async { None }
    }

    /// How many logins the target has refused so far, without those of [`works`](Self::works); `None`
    /// if it cannot tell.
    fn refused_logins(&self) -> impl Future<Output = Option<usize>> + Send {
        async { None }
    }

    /// Whether what a rotated key holds must not be seen in logs and errors. By default all but names:
    /// `username`, and keys that end in `_id`.
    fn is_secret(&self, key: &str) -> bool {
        key != "username" && !key.ends_with("_id")
    }

    /// Puts the target out of reach, or back; `false` if that cannot be done.
    fn outage(&self, on: bool) -> impl Future<Output = bool> + Send {
        let _ = on;
        async { false }
    }

    /// What a person does where the engine must not try again ([`Repeat::Never`], [`Repeat::Within`]):
    /// authorises anew at the target, which may end what was there before, and gives the whole value of the
    /// secret with the new credential. The kit puts it as `AWSCURRENT`. `None` if nobody can.
    ///
    /// [`Repeat::Never`]: crate::rotator::Repeat::Never
    /// [`Repeat::Within`]: crate::rotator::Repeat::Within
    fn reauthorise(&self) -> impl Future<Output = Option<SecretDocument>> + Send {
        async { None }
    }
}

/// A rotator, its target, and a secret that the target accepts: all new.
pub struct Trial<R, T> {
    pub(super) rotator: Box<dyn Fn() -> R>,
    pub(super) target: T,
    pub(super) secret: SecretDocument,
}

impl<R, T> Trial<R, T> {
    /// A trial of what `rotator` makes, on this target, starting from this value of the secret.
    ///
    /// Each invocation gets a rotator of its own, as each may run in a new process: what one of them
    /// remembers, the next must not need.
    pub fn new(target: T, secret: SecretDocument, rotator: impl Fn() -> R + 'static) -> Self {
        Self {
            rotator: Box::new(rotator),
            target,
            secret,
        }
    }
}

impl<R, T> fmt::Debug for Trial<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// The surroundings of one trial.
#[derive(Clone, Debug)]
pub struct World {
    store: MemoryStore,
    gate: Gate,
    clock: Clock,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            gate: Gate::new(),
            clock: Clock::new(),
        }
    }

    /// Where the secret is; also for rotators that read another one, such as an administrator's.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// One effect on the target inside of a rotator's call: a statement, a request. The kit breaks
    /// rotations there, too, so that it sees what is left of a call that was half done.
    ///
    /// # Errors
    /// [`RotatorErrorKind::Unreachable`](crate::rotator::RotatorErrorKind::Unreachable) where the kit
    /// breaks it.
    pub async fn effect<T>(
        &self,
        name: &'static str,
        act: impl Future<Output = T>,
    ) -> Result<T, RotatorError> {
        // The invocation has its turn already: the call that this effect belongs to waited for it.
        self.gate.within(name, async { Ok(act.await) }).await
    }

    /// The time of day that the engine goes by in this trial. It stands still but for what the kit moves it
    /// on: between two rotations, and between a fault and the next try. A fake target that forgives a repeat
    /// for some time, or dates what it makes, goes by it, too.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }
}
