//! One question to the store at a time: whoever else wants to know waits for its answer.
//!
//! Each question is a task of its own, so that nobody who waits can take it along when it is cancelled.
//! The task goes onto the runtime in which the read happens; a read outside of any goes onto the runtime
//! in which the client was made or first awaited. Where a runtime ends with a question under way, whoever
//! waits asks anew in its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Moment;
use super::core::Core;
use super::entry::{Entry, Held, Seen, State, TooSoon};
use super::error::ClientError;
use super::pace::{back_off, jittered};
use super::sync::sleep_until;
use super::upstream::{self, Caches, Reply};
use crate::store::{SecretVersion, Version};

type Outcome = Result<(), ClientError>;

/// A question that is under way.
#[derive(Clone)]
pub(super) struct Flight {
    /// Which of the entry's questions it is.
    number: u64,
    pub(super) caches: Caches,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// Its runtime is gone, and no answer will come.
pub(super) struct Lost;

impl Flight {
    /// Waits until the answer is in the entry.
    pub(super) async fn landed(mut self) -> Result<Outcome, Lost> {
        match self.outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().ok_or(Lost),
            Err(_) => Err(Lost),
        }
    }
}

/// The duty to bring an answer into the entry. Dropped without, it makes way for the next.
pub(super) struct Landing {
    pub(super) core: Arc<Core>,
    pub(super) entry: Arc<Entry>,
    number: u64,
    began: Instant,
    caches: Caches,
    outcome: Option<watch::Sender<Option<Outcome>>>,
}

impl Landing {
    /// Makes the entry's question, which the caller sends off once the lock is released.
    pub(super) fn new(
        core: &Arc<Core>,
        entry: &Arc<Entry>,
        state: &mut State,
        caches: Caches,
    ) -> (Self, Flight) {
        let (sender, outcome) = watch::channel(None);
        state.questions += 1;
        let flight = Flight {
            number: state.questions,
            caches,
            outcome,
        };
        state.flight = Some(flight.clone());
        let landing = Self {
            core: Arc::clone(core),
            entry: Arc::clone(entry),
            number: flight.number,
            began: Instant::now(),
            caches,
            outcome: Some(sender),
        };
        (landing, flight)
    }

    /// Asks in a task of its own.
    pub(super) fn take_off(self) {
        if let Some(runtime) = self.core.runtime() {
            runtime.spawn(self.fly());
        }
    }

    pub(super) async fn fly(self) {
        let (core, entry) = (Arc::clone(&self.core), Arc::clone(&self.entry));
        let first = entry.value.load().is_none();
        let reply = upstream::ask(&core, &entry, self.caches).await;
        let found = reply.is_ok();
        self.land(reply);
        if first
            && found
            && let Some(next) = upstream::plan_ahead(&core, &entry).await
        {
            entry.plan(next);
        }
    }

    /// Brings the answer into the entry and wakes all who wait.
    pub(super) fn land(mut self, reply: Result<Reply, ClientError>) {
        let arn = self.entry.state().arn.clone();
        let outcome = self.entry.settle(&self, reply);
        self.core.unify(&self.entry, arn.as_ref());
        if let Some(sender) = self.outcome.take() {
            sender.send_replace(Some(outcome));
        }
        self.entry.replanned.notify_one();
        self.core.counters.export();
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.outcome.is_some() {
            self.entry.state().flight = None;
        }
    }
}

impl Entry {
    /// Looks at the entry, and sees to it that the store is asked if that is due. It never waits.
    pub(super) fn look(self: &Arc<Self>, core: &Arc<Core>) -> Seen {
        let now = self.clock.now();
        self.read.store(true, Ordering::Relaxed);
        let (seen, landing) = self.decide(core, now);
        if let Some(landing) = landing {
            landing.take_off();
        }
        seen
    }

    fn decide(self: &Arc<Self>, core: &Arc<Core>, now: Moment) -> (Seen, Option<Landing>) {
        let mut state = self.state();
        let usable = self.usable_for(&state, now);
        let held = self.value.load().is_some();
        let left = match state.confirmed {
            Some(confirmed) if held => state.due.saturating_sub(now.since(confirmed)),
            _ => Duration::ZERO,
        };
        if !left.is_zero() {
            // The window was shut by a clock that was set back, not by time.
            self.window.open(now.wall, left.min(usable));
            return (Seen::Usable, None);
        }
        if held {
            core.counters.stale_reads.fetch_add(1, Ordering::Relaxed);
        }
        let mut landing = None;
        let may_ask = state.retry.is_none_or(|retry| now.steady >= retry);
        if state.flight.is_none() && may_ask {
            landing = Some(Landing::new(core, self, &mut state, Caches::Answer).0);
        }
        if !usable.is_zero() {
            // Until there is news, readers need not come by again; the answer opens or shuts it anew.
            let news = match state.retry {
                Some(retry) if state.flight.is_none() => {
                    retry.saturating_duration_since(now.steady)
                }
                _ => core.settings.timeout,
            };
            self.window.open(now.wall, usable.min(news));
            return (Seen::Usable, landing);
        }
        let seen = match (&state.flight, &state.fault) {
            (Some(flight), _) => Seen::Awaited(flight.clone()),
            (None, _) if held => Seen::Failed(self.stale(&state, now)),
            (None, Some(fault)) => Seen::Failed(fault.clone()),
            (None, None) => Seen::Failed(ClientError::Interrupted {
                secret: self.id.clone(),
            }),
        };
        (seen, landing)
    }

    /// Takes the answer of the store.
    fn settle(&self, landing: &Landing, reply: Result<Reply, ClientError>) -> Outcome {
        let (core, now) = (&*landing.core, self.clock.now());
        let mut state = self.state();
        state.flight = None;
        state.answered = landing.number;
        match reply {
            Ok(reply) => {
                core.counters.refreshes.fetch_add(1, Ordering::Relaxed);
                if let Some(confirmed) = state.confirmed {
                    core.counters.age(now.since(confirmed));
                }
                let next = match reply {
                    Reply::Same { next } => next,
                    Reply::Value { version, next } => {
                        self.take(core, &mut state, *version);
                        next
                    }
                };
                let answered = now.steady.saturating_duration_since(landing.began);
                state.confirmed = Some(now);
                state.due = jittered(next.unwrap_or(self.rules.ttl), self.rules.jitter);
                (state.retry, state.failures, state.fault) = (None, 0, None);
                self.window.open(now.wall, state.due);
                tracing::debug!(secret = %self.id, took = ?answered, "confirmed");
                Ok(())
            }
            Err(fault) => {
                self.fail(core, &mut state, now, &fault);
                Err(fault)
            }
        }
    }

    fn take(&self, core: &Core, state: &mut State, version: SecretVersion) {
        state.arn = version.arn;
        if self.version == Version::CURRENT {
            state.refusals.publish(&version.id);
        }
        let before = self.held_version();
        if before.as_ref() == Some(&version.id) {
            return;
        }
        let held = Arc::new(Held {
            id: version.id,
            document: version.document,
        });
        // What holds another label, such as AWSPENDING, moves on without anything having been published.
        if let Some(before) = before.filter(|_| self.version == Version::CURRENT) {
            let lag = self.lag(version.created).unwrap_or_default();
            core.counters.rotation(lag);
            tracing::info!(secret = %self.id, from = %before, to = %held.id, ?lag, "a new version");
        }
        state.slots.retain(|(_, slot)| slot.strong_count() > 0);
        for slot in state.slots.iter().filter_map(|(_, slot)| slot.upgrade()) {
            slot.publish(&held);
        }
        self.value.store(Some(held));
    }

    fn fail(&self, core: &Core, state: &mut State, now: Moment, fault: &ClientError) {
        core.counters.failures.fetch_add(1, Ordering::Relaxed);
        state.failures = state.failures.saturating_add(1);
        let (first, longest) = self.rules.back_off;
        let pause = back_off(state.failures, first, longest);
        // Never shorter than half of it, and not together with the rest of the fleet.
        let pause = jittered(pause, self.rules.jitter);
        state.retry = Some(now.steady + pause);
        state.fault = Some(fault.clone());
        let held = self.value.load().is_some();
        if held && fault.is_transient() {
            let usable = self.usable_for(state, now);
            self.window.open(now.wall, pause.min(usable));
            let age = state.confirmed.map(|confirmed| now.since(confirmed));
            tracing::warn!(
                secret = %self.id, %fault, ?age, failures = state.failures,
                "not confirmed; the value that is held goes on being served"
            );
            return;
        }
        self.window.shut();
        if held {
            core.counters.dropped.fetch_add(1, Ordering::Relaxed);
            self.value.store(None);
            for slot in state.slots.iter().filter_map(|(_, slot)| slot.upgrade()) {
                slot.clear();
            }
            tracing::error!(secret = %self.id, %fault, "the value is dropped: the store refuses it");
        } else {
            tracing::debug!(secret = %self.id, %fault, failures = state.failures, "no value");
        }
    }

    /// Asks again after so long, if that is earlier than planned.
    fn plan(&self, next: Duration) {
        let now = self.clock.now();
        let mut state = self.state();
        let next = jittered(next, self.rules.jitter);
        if let Some(confirmed) = state.confirmed
            && next < state.due
            && state.failures == 0
        {
            state.due = next;
            let left = next.saturating_sub(now.since(confirmed));
            self.window.open(now.wall, left);
            drop(state);
            self.replanned.notify_one();
        }
    }

    /// Asks before the time, whatever the age of the value, and waits for the answer; not more often than
    /// the interval and the pauses after failures allow. Whoever asks meanwhile gets the same answer.
    pub(super) async fn force(self: &Arc<Self>, core: &Arc<Core>, too_soon: TooSoon) -> Outcome {
        let asked = self.state().questions;
        let mut lost = 0;
        loop {
            if too_soon == TooSoon::Anew
                && let Some(outcome) = self.answered_after(asked)
            {
                return outcome;
            }
            let flight = match self.claim_before_time(core) {
                Forced::Flight(flight, landing) => {
                    landing.into_iter().for_each(Landing::take_off);
                    flight
                }
                Forced::Paused(fault, until) => {
                    let soon = until <= Instant::now() + self.rules.interval;
                    if too_soon != TooSoon::Anew || fault.is_transient() || !soon {
                        return Err(fault);
                    }
                    sleep_until(until).await;
                    continue;
                }
                Forced::TooSoon(_) if too_soon == TooSoon::Leave => return Ok(()),
                Forced::TooSoon(until) => {
                    sleep_until(until).await;
                    continue;
                }
            };
            // One that set out before, and not for this reason, may bring what was true before.
            let shared = flight.caches == Caches::Passed && too_soon != TooSoon::Anew;
            let answers = flight.number > asked || shared;
            match flight.landed().await {
                Ok(outcome) if answers => return outcome,
                Ok(Err(fault)) if too_soon != TooSoon::Anew => return Err(fault),
                Ok(_) => {}
                Err(Lost) if lost < 2 => lost += 1,
                Err(Lost) => {
                    return Err(ClientError::Interrupted {
                        secret: self.id.clone(),
                    });
                }
            }
        }
    }

    /// What the last answer was, if its question set out after that many.
    fn answered_after(&self, asked: u64) -> Option<Outcome> {
        let state = self.state();
        (state.answered > asked).then(|| state.fault.clone().map_or(Ok(()), Err))
    }

    fn claim_before_time(self: &Arc<Self>, core: &Arc<Core>) -> Forced {
        let (mut state, now) = (self.state(), Instant::now());
        if let Some(flight) = &state.flight {
            return Forced::Flight(flight.clone(), None);
        }
        if let (Some(retry), Some(fault)) = (state.retry, &state.fault)
            && now < retry
        {
            return Forced::Paused(fault.clone(), retry);
        }
        if let Some(forced) = state.forced
            && now < forced + self.rules.interval
        {
            return Forced::TooSoon(forced + self.rules.interval);
        }
        state.forced = Some(now);
        let (landing, flight) = Landing::new(core, self, &mut state, Caches::Passed);
        Forced::Flight(flight, Some(landing))
    }
}

/// What becomes of a question before its time.
enum Forced {
    /// It is under way, and sets out now if it did not before.
    Flight(Flight, Option<Landing>),
    /// The store has failed, and is left alone until then.
    Paused(ClientError, Instant),
    /// It may be asked from then on.
    TooSoon(Instant),
}
