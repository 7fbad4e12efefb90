//! Every call of the engine passes here: it is counted, may be broken, and may have to wait its turn.

use std::fmt;
use std::future::{Future, poll_fn};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crate::rotator::RotatorError;

/// Calls that ask the store.
const READS: [&str; 2] = ["get", "describe"];

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The process is killed before the call has its effect.
    CrashBefore,
    /// The process is killed when the call has had its effect.
    CrashAfter,
    /// The call has no effect and answers with an outage.
    ErrorBefore,
    /// The call has its effect and its reply is lost.
    ErrorAfter,
    /// The call has no effect and never answers.
    HangBefore,
    /// The call has its effect and never answers.
    HangAfter,
    /// The call has no effect and is refused for coming too often.
    Throttled,
    /// The call reads what was there before the last write: the service's reads may lag behind. Other
    /// calls are not touched.
    Stale,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::HangBefore,
        Self::HangAfter,
        Self::Throttled,
        Self::Stale,
    ];

    /// Whether it does anything to a call of this name.
    pub(super) fn touches(self, call: &str) -> bool {
        self != Self::Stale || READS.contains(&call)
    }

    fn name(self) -> &'static str {
        match self {
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
            Self::ErrorBefore => "error-before",
            Self::ErrorAfter => "error-after",
            Self::HangBefore => "hang-before",
            Self::HangAfter => "hang-after",
            Self::Throttled => "throttled",
            Self::Stale => "stale",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|fault| fault.name() == name)
            .ok_or(())
    }
}

/// The calls of one trial, in the order in which they passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<&'static str>,
    /// 1-based.
    fault: Option<(usize, Fault)>,
    broken: Option<&'static str>,
    crashed: bool,
    stale: bool,
    /// Calls under way: more than none only while a target takes its time.
    inside: usize,
    /// While two invocations are explored: who waits, and who may go.
    turns: Option<Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    waiting: [bool; 2],
    granted: [bool; 2],
}

impl Gate {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts from here, and breaks the `n`th call.
    pub(super) fn arm(&self, fault: Option<(usize, Fault)>) {
        let mut state = self.state();
        state.calls.clear();
        state.fault = fault;
        state.crashed = false;
        state.stale = false;
    }

    /// The calls since the gate was armed.
    pub(super) fn calls(&self) -> Vec<&'static str> {
        self.state().calls.clone()
    }

    /// The last call that was broken.
    pub(super) fn broken(&self) -> Option<&'static str> {
        self.state().broken
    }

    /// Whether the process was killed; brings up a new one.
    pub(super) fn take_crash(&self) -> bool {
        std::mem::take(&mut self.state().crashed)
    }

    /// From now on a call waits until it is granted its turn; or no longer.
    pub(super) fn take_turns(&self, on: bool) {
        self.state().turns = on.then(Turns::default);
    }

    /// Whether a call is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.state().inside > 0
    }

    /// Which of the two invocations wait.
    pub(super) fn waiting(&self) -> [bool; 2] {
        self.state()
            .turns
            .as_ref()
            .map_or([false; 2], |turns| turns.waiting)
    }

    pub(super) fn grant(&self, who: usize) {
        if let Some(turns) = &mut self.state().turns {
            turns.granted[who] = true;
        }
    }

    /// Whether the call that has just passed is to see what was there before the last write.
    pub(super) fn read_is_stale(&self) -> bool {
        std::mem::take(&mut self.state().stale)
    }

    /// Lets one call through.
    pub(super) async fn pass<T, E>(
        &self,
        who: usize,
        name: &'static str,
        act: impl Future<Output = Result<T, E>>,
        broken: impl FnOnce(Fault) -> E,
    ) -> Result<T, E> {
        self.turn(who).await;
        // Dropped with the call, also when the step runs out of time.
        let _inside = Inside::enter(self);
        self.count(name, act, broken).await
    }

    /// The same for an effect inside of a call.
    pub(super) async fn within<T>(
        &self,
        name: &'static str,
        act: impl Future<Output = Result<T, RotatorError>>,
    ) -> Result<T, RotatorError> {
        self.count(name, act, unreachable).await
    }

    async fn count<T, E>(
        &self,
        name: &'static str,
        act: impl Future<Output = Result<T, E>>,
        broken: impl FnOnce(Fault) -> E,
    ) -> Result<T, E> {
        let fault = {
            let mut state = self.state();
            state.calls.push(name);
            let n = state.calls.len();
            let fault = state.fault.take_if(|(at, _)| *at == n);
            if fault.is_some() {
                state.broken = Some(name);
            }
            fault.map(|(_, fault)| fault)
        };
        match fault {
            None => return act.await,
            Some(Fault::Stale) => {
                self.state().stale = Fault::Stale.touches(name);
                return act.await;
            }
            Some(Fault::ErrorBefore) => return Err(broken(Fault::ErrorBefore)),
            Some(Fault::Throttled) => return Err(broken(Fault::Throttled)),
            Some(Fault::ErrorAfter) => {
                // Whatever it answered is lost, here and below.
                let _ = act.await;
                return Err(broken(Fault::ErrorAfter));
            }
            Some(Fault::CrashBefore) => self.state().crashed = true,
            Some(Fault::CrashAfter) => {
                let _ = act.await;
                self.state().crashed = true;
            }
            Some(Fault::HangBefore) => {}
            Some(Fault::HangAfter) => {
                let _ = act.await;
            }
        }
        std::future::pending().await
    }

    async fn turn(&self, who: usize) {
        poll_fn(|_| {
            let mut state = self.state();
            let Some(turns) = &mut state.turns else {
                return Poll::Ready(());
            };
            // No waker: whoever grants a turn polls.
            turns.waiting[who] = !std::mem::take(&mut turns.granted[who]);
            if turns.waiting[who] {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

/// A call that has its turn and has not ended.
struct Inside<'g>(&'g Gate);

impl<'g> Inside<'g> {
    fn enter(gate: &'g Gate) -> Self {
        gate.state().inside += 1;
        Self(gate)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
    }
}

/// What a broken call to the target answers.
pub(super) fn unreachable(fault: Fault) -> RotatorError {
    RotatorError::unreachable(format!("the target is out of reach ({fault})"))
}
