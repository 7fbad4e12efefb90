//! Everything that a rotator has to go through.

use std::fmt;
use std::time::Duration;

use crate::rotator::Rotator;

use super::explore::Pair;
use super::gate::Fault;
use super::leak::Listener;
use super::run::Run;
use super::schedules::ROTATIONS;
use super::target::{Target, Trial, World};
use super::violation::{Schedule, Violation};

/// What was done, when nothing was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Calls of one undisturbed rotation to store and target.
    pub calls: usize,
    /// Rotations with a fault at one of them: each kind at each call of two rotations that it touches.
    pub faults: usize,
    /// Of these, those after which a person had to act, because the profile forbids another try.
    pub stops: usize,
    /// Orders in which the calls of two invocations were run.
    pub interleavings: usize,
    /// For how many calls AWSCURRENT did not work, at the longest, in an undisturbed rotation.
    pub gap: usize,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls a rotation, gap of {} calls, {} faults, {} interleavings",
            self.calls, self.gap, self.faults, self.interleavings
        )?;
        if self.stops > 0 {
            write!(f, ", a person acts {} times", self.stops)?;
        }
        Ok(())
    }
}

/// Proves a rotator, with everything that the kit has.
///
/// `fresh` makes a new target with its rotator and first secret, as often as it is asked. See
/// [`Prover`] for the parts.
///
/// # Errors
/// The broken promise, with the shortest schedule that breaks it.
pub async fn prove<F, R, T>(fresh: F) -> Result<Proof, Box<Violation>>
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    Prover::new(fresh).run().await
}

/// Proves a rotator; [`prove`] with settings.
#[derive(Debug)]
pub struct Prover<F> {
    pub(super) fresh: F,
    pub(super) step_timeout: Duration,
    faults: Vec<Fault>,
    interleavings: Interleavings,
}

/// Which orders of two invocations are run.
#[derive(Clone, Copy, Debug)]
enum Interleavings {
    All,
    /// Up to so many switches.
    Switches(usize),
    None,
}

pub(super) type Broken = Result<(), Box<Violation>>;

impl<F> Prover<F> {
    /// A prover that does everything.
    pub fn new<R, T>(fresh: F) -> Self
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        Self {
            fresh,
            step_timeout: Duration::from_secs(30),
            faults: Fault::ALL.into(),
            interleavings: Interleavings::All,
        }
    }

    /// How long a step may take; a call that hangs uses all of it. Default 30 s, for a paused clock
    /// (`#[tokio::test(start_paused = true)]`); a real target needs a real clock, and so a shorter time.
    #[must_use]
    pub fn step_timeout(mut self, timeout: Duration) -> Self {
        self.step_timeout = timeout;
        self
    }

    /// Only these kinds of fault. Default: all.
    #[must_use]
    pub fn faults(mut self, faults: &[Fault]) -> Self {
        self.faults = faults.to_vec();
        self
    }

    /// Leaves out invocations side by side: some thousands of rotations, too many for a target that is
    /// slow to make.
    #[must_use]
    pub fn without_interleavings(mut self) -> Self {
        self.interleavings = Interleavings::None;
        self
    }

    /// Bounds the orders of two invocations side by side by how often the turn goes from one to the other:
    /// every order with at most `most` switches is run, and some with up to two more. A target on which
    /// thousands of rotations take too long is left with some hundred. (The bound on context switches is
    /// Musuvathi's and Qadeer's, "Iterative context bounding", PLDI 2007.)
    #[must_use]
    pub fn switches(mut self, most: usize) -> Self {
        self.interleavings = Interleavings::Switches(most);
        self
    }

    /// Goes through everything.
    ///
    /// # Errors
    /// The first broken promise, with the shortest schedule that breaks it.
    pub async fn run<R, T>(&self) -> Result<Proof, Box<Violation>>
    where
        F: AsyncFn(World) -> Trial<R, T>,
        R: Rotator,
        T: Target,
    {
        let _listens = tracing::subscriber::set_default(Listener);
        // In boxes: what a rotator awaits would make this future, and each that awaits it, large.
        Box::pin(self.contract()).await?;
        let undisturbed = Box::pin(self.undisturbed()).await?;
        Box::pin(self.outage()).await?;
        let mut proof = Proof {
            calls: undisturbed.most_calls(),
            gap: undisturbed.gap,
            ..Proof::default()
        };
        for (rotation, call, name) in undisturbed.places() {
            for fault in self.faults.iter().filter(|fault| fault.touches(name)) {
                let stopped = Box::pin(self.fault_at(rotation, call, *fault)).await?;
                proof.faults += 1;
                proof.stops += usize::from(stopped);
            }
        }
        let most = match self.interleavings {
            Interleavings::All => usize::MAX,
            Interleavings::Switches(most) => most,
            Interleavings::None => return Ok(proof),
        };
        for pair in Pair::all() {
            proof.interleavings += Box::pin(self.explore(pair, most)).await?;
        }
        Ok(proof)
    }

    /// Runs one schedule again, as a [`Violation`] prints it.
    ///
    /// # Errors
    /// The broken promise.
    ///
    /// # Panics
    /// If the text is no schedule.
    pub async fn replay<R, T>(&self, schedule: &str) -> Broken
    where
        F: AsyncFn(World) -> Trial<R, T>,
        R: Rotator,
        T: Target,
    {
        let _listens = tracing::subscriber::set_default(Listener);
        let parsed = Schedule::parse(schedule);
        assert!(parsed.is_some(), "no such schedule: `{schedule}`");
        match parsed {
            Some(Schedule::Contract) => Box::pin(self.contract()).await,
            Some(Schedule::Undisturbed) => Box::pin(self.undisturbed()).await.map(drop),
            Some(Schedule::Outage) => Box::pin(self.outage()).await,
            Some(Schedule::FaultAt {
                rotation,
                call,
                fault,
            }) => {
                assert!(
                    (1..=ROTATIONS).contains(&rotation) && call > 0,
                    "rotations are 1 to {ROTATIONS}, and the first call is 1: `{schedule}`"
                );
                let run = self.fault_at(rotation, call, fault);
                Box::pin(run).await.map(drop)
            }
            Some(Schedule::SideBySide { pair, turns }) => {
                let pair = Pair::parse(&pair);
                assert!(pair.is_some(), "no such pair of events: `{schedule}`");
                let known = turns.chars().all(|turn| "01".contains(turn));
                assert!(known, "a turn is 0 or 1: `{schedule}`");
                let turns: Vec<usize> =
                    turns.chars().map(|turn| usize::from(turn == '1')).collect();
                match pair {
                    Some(pair) => Box::pin(self.meet(pair, &turns)).await.1,
                    None => Ok(()),
                }
            }
            None => Ok(()),
        }
    }
}

/// What a run broke, if it broke anything.
pub(super) fn judge<R: Rotator, T: Target>(run: &Run<R, T>, schedule: Schedule) -> Broken {
    let Some((invariant, seen, at)) = run.witness.verdict() else {
        return Ok(());
    };
    let mut calls = run.gate.calls();
    calls.truncate(at);
    Err(Box::new(Violation {
        invariant,
        seen,
        schedule,
        broken: run.gate.broken(),
        calls,
    }))
}
