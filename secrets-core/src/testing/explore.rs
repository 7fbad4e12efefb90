//! Two invocations side by side, in every order of their calls.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use crate::event::Step;
use crate::rotator::Rotator;

use super::run::{End, Run};
use super::target::Target;

/// Two events that meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// One event delivered twice.
    Duplicate(Step),
    /// An event of a rotation that is over, delivered late, while the next rotation is at `newer`.
    Late { stale: Step, newer: Step },
}

impl Pair {
    pub(super) fn all() -> Vec<Self> {
        let mut pairs: Vec<_> = Step::ALL.map(Self::Duplicate).into();
        for newer in Step::ALL {
            pairs.extend(Step::ALL.map(|stale| Self::Late { stale, newer }));
        }
        pairs
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Duplicate(step) => format!("{step}+{step}"),
            Self::Late { stale, newer } => format!("{stale}<{newer}"),
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|pair| pair.name() == name)
    }

    /// The number of the rotation that goes on, and the step at which the two meet.
    pub(super) fn meeting(self) -> (usize, Step) {
        match self {
            Self::Duplicate(step) => (1, step),
            Self::Late { newer, .. } => (2, newer),
        }
    }

    fn events(self) -> [(Step, usize); 2] {
        match self {
            Self::Duplicate(step) => [(step, 1), (step, 1)],
            Self::Late { stale, newer } => [(newer, 2), (stale, 1)],
        }
    }
}

/// Whose turn it was at each call, and whether the other one could have gone instead.
#[derive(Debug, Default)]
pub(super) struct Path {
    turns: Vec<(usize, bool)>,
}

impl Path {
    pub(super) fn text(&self) -> String {
        self.turns.iter().map(|(who, _)| who.to_string()).collect()
    }

    /// Times at which the turn went from one to the other: the fewer, the easier to understand.
    pub(super) fn switches(&self) -> usize {
        let turns: Vec<_> = self.turns.iter().map(|(who, _)| *who).collect();
        switches(&turns)
    }

    /// The next path in depth-first order: the last choice that has not been turned around yet, is, unless the
    /// turn would have changed more often than `most` times by then.
    pub(super) fn next(mut self, most: usize) -> Option<Vec<usize>> {
        while let Some((who, choice)) = self.turns.pop() {
            if choice && who == 0 {
                let mut prefix: Vec<_> = self.turns.iter().map(|(who, _)| *who).collect();
                prefix.push(1);
                if switches(&prefix) <= most {
                    return Some(prefix);
                }
            }
        }
        None
    }
}

fn switches(turns: &[usize]) -> usize {
    turns.windows(2).filter(|two| two[0] != two[1]).count()
}

/// Runs both invocations to their ends, call by call: as `prefix` says, then the first one first.
pub(super) async fn side_by_side<R: Rotator, T: Target>(
    run: &Run<R, T>,
    pair: Pair,
    prefix: &[usize],
) -> (Path, [End; 2]) {
    run.gate.take_turns(true);
    let mut work: Vec<Pin<Box<dyn Future<Output = End> + '_>>> = Vec::new();
    for (who, (step, n)) in pair.events().into_iter().enumerate() {
        work.push(Box::pin(run.send(who, step, n)));
    }
    let mut ends: [Option<End>; 2] = [None, None];
    let mut path = Path::default();
    poll_fn(|cx| {
        loop {
            for (who, end) in ends.iter_mut().enumerate() {
                if end.is_none()
                    && let Poll::Ready(done) = work[who].as_mut().poll(cx)
                {
                    *end = Some(done);
                }
            }
            if ends.iter().all(Option::is_some) {
                return Poll::Ready(());
            }
            if run.gate.is_busy() {
                // A real target answers later. Nobody goes before it has: else calls overlap, and their
                // order is no longer ours.
                return Poll::Pending;
            }
            let waiting = run.gate.waiting();
            let ready = [0, 1].map(|who| waiting[who] && ends[who].is_none());
            let who = match (ready, prefix.get(path.turns.len())) {
                // Neither is at a call: they wait for time to pass, or for the target.
                ([false, false], _) => return Poll::Pending,
                ([true, true], Some(who)) => *who,
                ([true, _], _) => 0,
                ([false, true], _) => 1,
            };
            path.turns.push((who, ready == [true, true]));
            run.gate.grant(who);
        }
    })
    .await;
    run.gate.take_turns(false);
    (path, ends.map(|end| end.unwrap_or(End::Crashed)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// All orders of two invocations of three calls each.
    fn orders(most: usize) -> BTreeSet<String> {
        let (mut all, mut prefix) = (BTreeSet::new(), Some(Vec::new()));
        while let Some(turns) = prefix {
            let (mut left, mut path) = ([3, 3], Path::default());
            while left != [0, 0] {
                let choice = left.iter().all(|calls| *calls > 0);
                let who = match turns.get(path.turns.len()) {
                    Some(who) if choice => *who,
                    _ => usize::from(left[0] == 0),
                };
                left[who] -= 1;
                path.turns.push((who, choice));
            }
            assert!(all.insert(path.text()), "no order is run twice");
            prefix = path.next(most);
        }
        all
    }

    #[test]
    fn a_bound_on_switches_leaves_out_orders_with_more_and_no_other() {
        let all = orders(usize::MAX);
        assert_eq!(all.len(), 20);
        for most in 0..=4 {
            let some = orders(most);
            let number = |order: &String| {
                let turns: Vec<_> = order.bytes().map(usize::from).collect();
                switches(&turns)
            };
            assert!(some.iter().all(|order| number(order) <= most + 2));
            let missed = all.difference(&some);
            assert!(missed.into_iter().all(|order| number(order) > most));
        }
        assert!(orders(1).len() < 20);
    }
}
