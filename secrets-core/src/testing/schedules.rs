//! What a rotator has to go through, one schedule each.

use std::sync::PoisonError;

use crate::event::Step;
use crate::rotator::Rotator;

use super::explore::{Pair, Path, side_by_side};
use super::gate::Fault;
use super::leak;
use super::prove::{Broken, Prover, judge};
use super::rotator_contract;
use super::run::{End, Run, version};
use super::target::{Target, Trial, World};
use super::violation::{Invariant, Schedule};

/// Calls that change something at the target.
const CHANGES: [&str; 3] = ["create", "set", "retire"];

/// How many rotations follow one another: the third is the first in which all labels have a past.
pub(super) const ROTATIONS: usize = 3;

/// What rotations without a fault are like.
#[derive(Default)]
pub(super) struct Undisturbed {
    /// The calls of each.
    calls: Vec<Vec<&'static str>>,
    /// For how many calls AWSCURRENT did not work, at the longest.
    pub(super) gap: usize,
}

impl Undisturbed {
    /// The calls of the longest.
    pub(super) fn most_calls(&self) -> usize {
        self.calls.iter().map(Vec::len).max().unwrap_or_default()
    }

    /// Where a fault may strike: a rotation and a call of it, both from 1 on, and what the call is. The first rotation
    /// is the one in which things are made, the second has all labels.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize, &'static str)> {
        let rotations = (1..).zip(&self.calls).take(2);
        rotations.flat_map(|(rotation, calls)| {
            let calls = (1..).zip(calls);
            calls.map(move |(call, name)| (rotation, call, *name))
        })
    }
}

impl<F> Prover<F> {
    async fn trial<R: Rotator, T: Target>(&self) -> Run<R, T>
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        leak::take_words();
        Run::start(&self.fresh, self.step_timeout).await
    }

    /// The rotator on its own, without the engine.
    pub(super) async fn contract<R: Rotator, T: Target>(&self) -> Broken
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let run = self.trial::<R, T>().await;
        rotator_contract::check(&run).await;
        judge(&run, Schedule::Contract)
    }

    /// Rotations without a fault, first alone, then with each step sent twice.
    pub(super) async fn undisturbed<R: Rotator, T: Target>(
        &self,
    ) -> Result<Undisturbed, Box<super::Violation>>
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let run = self.trial::<R, T>().await;
        let mut seen = Undisturbed::default();
        for n in 1..=ROTATIONS {
            run.begin(n);
            run.gate.arm(None);
            let end = run.rotate(n).await;
            expect_done(&run, &end, "a rotation without a fault");
            run.witness.look_at_rest(&version(n)).await;
            judge(&run, Schedule::Undisturbed)?;
            seen.calls.push(run.gate.calls());
            seen.gap = seen.gap.max(run.witness.longest_gap());
        }

        let run = self.trial::<R, T>().await;
        for n in 1..=ROTATIONS {
            run.begin(n);
            for step in Step::ALL {
                expect_done(&run, &run.send(0, step, n).await, "a step");
                let before = run.witness.snapshot().await;
                expect_done(&run, &run.send(0, step, n).await, "a step sent again");
                if run.witness.snapshot().await != before {
                    let seen = format!("{step}, sent again, ends in another state");
                    run.witness.convict(Invariant::RepeatsAreHarmless, seen);
                }
            }
            run.witness.look_at_rest(&version(n)).await;
            judge(&run, Schedule::Undisturbed)?;
        }
        Ok(seen)
    }

    /// The target goes out of reach before each step.
    pub(super) async fn outage<R: Rotator, T: Target>(&self) -> Broken
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        for (done, step) in Step::ALL.into_iter().enumerate() {
            let run = self.trial::<R, T>().await;
            run.begin(1);
            for earlier in &Step::ALL[..done] {
                expect_done(&run, &run.send(0, *earlier, 1).await, "a step");
            }
            if !run.witness.target.outage(true).await {
                return Ok(());
            }
            run.gate.arm(None);
            let end = run.send(0, step, 1).await;
            if step != Step::Create && end.is_done() {
                let seen = format!("{step} ended well while the target was out of reach");
                run.witness.convict(Invariant::DoubtChangesNothing, seen);
            }
            run.witness.target.outage(false).await;
            run.pause(1, &end);
            if try_again(&run, 1, "the same rotation, after an outage").await {
                run.begin(2);
                expect_done(&run, &run.rotate(2).await, "the next rotation");
                run.witness.look_at_rest(&version(2)).await;
            }
            judge(&run, Schedule::Outage)?;
        }
        Ok(())
    }

    /// One fault in one of three rotations, which is then tried once more. Gives whether a person had to act.
    pub(super) async fn fault_at<R: Rotator, T: Target>(
        &self,
        rotation: usize,
        call: usize,
        fault: Fault,
    ) -> Result<bool, Box<super::Violation>>
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let schedule = || Schedule::FaultAt {
            rotation,
            call,
            fault,
        };
        let run = self.trial::<R, T>().await;
        let mut stopped = false;
        for n in 1..=ROTATIONS {
            run.begin(n);
            if n == rotation {
                run.gate.arm(Some((call, fault)));
                // Whatever it is.
                let end = run.rotate(n).await;
                let calls = run.gate.calls();
                let doubted = fault != Fault::Stale && calls.get(call - 1) == Some(&"test");
                if doubted && calls[call..].iter().any(|call| CHANGES.contains(call)) {
                    let seen = "the engine went on after a probe that came to no end";
                    run.witness.convict(Invariant::DoubtChangesNothing, seen);
                }
                judge(&run, schedule())?;
                run.gate.arm(None);
                run.pause(n, &end);
                stopped = try_again(&run, n, "the same rotation, tried again").await;
            } else {
                expect_done(&run, &run.rotate(n).await, "a rotation without a fault");
                run.witness.look_at_rest(&version(n)).await;
            }
            judge(&run, schedule())?;
        }
        Ok(stopped)
    }

    /// All orders of the calls of two invocations in which the turn changes at most so often; gives their number.
    /// Of several orders that break a promise, the one with the fewest turns is reported.
    pub(super) async fn explore<R: Rotator, T: Target>(
        &self,
        pair: Pair,
        most: usize,
    ) -> Result<usize, Box<super::Violation>>
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let (mut orders, mut prefix) = (0, Some(Vec::new()));
        let mut worst = None;
        while let Some(turns) = prefix {
            let (path, broken) = self.meet(pair, &turns).await;
            orders += 1;
            let switches = path.switches();
            if let Err(violation) = broken
                && worst.as_ref().is_none_or(|(least, _)| switches < *least)
            {
                worst = Some((switches, violation));
            }
            prefix = path.next(most);
        }
        match worst {
            Some((_, violation)) => Err(violation),
            None => Ok(orders),
        }
    }

    /// One order.
    pub(super) async fn meet<R: Rotator, T: Target>(
        &self,
        pair: Pair,
        turns: &[usize],
    ) -> (Path, Broken)
    where
        F: AsyncFn(World) -> Trial<R, T>,
    {
        let run = self.trial::<R, T>().await;
        let (n, at) = pair.meeting();
        for earlier in 1..n {
            run.begin(earlier);
            expect_done(
                &run,
                &run.rotate(earlier).await,
                "a rotation without a fault",
            );
        }
        run.begin(n);
        for step in Step::ALL.into_iter().take_while(|step| *step != at) {
            expect_done(&run, &run.send(0, step, n).await, "a step");
        }
        let together = |on| {
            *run.witness
                .side_by_side
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = on;
        };
        run.gate.arm(None);
        together(true);
        // Each may end in an error: what counts is the state, and that trying again works.
        let (path, _) = side_by_side(&run, pair, turns).await;
        together(false);
        expect_done(
            &run,
            &run.rotate(n).await,
            "the same rotation, tried again alone",
        );
        run.witness.look_at_rest(&version(n)).await;
        let schedule = Schedule::SideBySide {
            pair: pair.name(),
            turns: path.text(),
        };
        let broken = judge(&run, schedule);
        (path, broken)
    }
}

/// The same rotation once more: it comes to its end, or it stops where the profile says so, and a person
/// acts. Gives whether one had to.
async fn try_again<R: Rotator, T: Target>(run: &Run<R, T>, n: usize, what: &str) -> bool {
    let end = run.rotate(n).await;
    let stopped = run.waits_for_a_person(&end);
    if stopped {
        run.reauthorise(n).await;
    } else {
        expect_done(run, &end, what);
        run.witness.look_at_rest(&version(n)).await;
    }
    stopped
}

fn expect_done<R: Rotator, T: Target>(run: &Run<R, T>, end: &End, what: &str) {
    let seen = match end {
        End::Done => return,
        End::Crashed => format!("{what} crashed"),
        End::Failed(fault) => match std::error::Error::source(&**fault) {
            Some(cause) => format!("{what} failed: {fault}: {cause}"),
            None => format!("{what} failed: {fault}"),
        },
    };
    run.witness.convict(Invariant::CrashesHeal, seen);
}
