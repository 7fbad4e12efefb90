//! What follows from what was seen. Pure: no async, no I/O.
//!
//! | pending | current | previous | finding |
//! |---|---|---|---|
//! | no value | | | `PendingEmpty` |
//! | refused | accepted | | `PendingNotSet` |
//! | accepted | refused | | `PendingNotPublished` |
//! | accepted | accepted | | `BothAccepted` |
//! | refused, or none | refused | accepted | `OnlyPreviousAccepted` |
//! | refused, or none | refused | refused, or none | `NoCredentialAccepted` |
//! | same as current | accepted | | `PendingIsCurrent` |
//! | other keys than those that rotate | | | `PendingAltered` |
//! | none | accepted | | `Healthy` or `PendingOnCurrent` |
//!
//! Beside that: what could not be read or asked, labels that forbid a rotation, notes of createSecret, and
//! the clock.

use std::time::{Duration, SystemTime};

use super::super::mark::{Decision, decide, marks_on};
use super::super::{PlanError, Reason, plan};
use super::finding::Finding;
use super::{Candidate, Examination, Standing};
use crate::event::VersionId;
use crate::rotator::Repeat;
use crate::store::{Label, SecretState};

/// Clocks differ by some seconds everywhere.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(2);

/// All that follows, the gravest first. `asked` is the version of an event that fails, if there is one.
pub(super) fn findings(
    seen: &Examination,
    asked: Option<&VersionId>,
    now: SystemTime,
) -> Vec<Finding> {
    let Some(state) = &seen.state else {
        return Vec::new();
    };
    let mut found = labels(state, asked);
    if state.deleted {
        return found;
    }
    found.extend(failures(seen));
    found.extend(standings(seen));
    if !seen.candidates.iter().any(|it| it.label == Label::Pending)
        || matches!(standing(seen, &Label::Pending), Some(Standing::Empty))
    {
        found.extend(notes(state, seen.profile.repeat, now));
    }
    found.extend(clock(&seen.candidates, now));
    found
}

/// What the labels alone say.
fn labels(state: &SecretState, asked: Option<&VersionId>) -> Vec<Finding> {
    // Any version that holds AWSPENDING would do: what is asked is whether a rotation may run at all.
    let some = asked
        .or_else(|| state.holder(&Label::Pending))
        .or_else(|| state.holder(&Label::Current));
    let Some(version) = some else {
        return vec![Finding::Fault(PlanError::NoCurrent.into())];
    };
    match plan(version, state) {
        Ok(_) => Vec::new(),
        Err(fault) => vec![Finding::Fault(fault.into())],
    }
}

/// What could not be read or asked, each kind of fault once.
fn failures(seen: &Examination) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for candidate in &seen.candidates {
        let fault = match &candidate.standing {
            Standing::Failed(reason) => Finding::Fault(reason.clone()),
            Standing::Altered(keys) => {
                Finding::Fault(Reason::PendingAltered { keys: keys.clone() })
            }
            _ => continue,
        };
        // Whether the old value can be read matters only where it is needed.
        let document = matches!(fault, Finding::Fault(Reason::Document { .. }));
        if candidate.label == Label::Previous && document {
            continue;
        }
        if document || found.iter().all(|it| it.code() != fault.code()) {
            found.push(fault);
        }
    }
    found
}

fn standing<'s>(seen: &'s Examination, label: &Label) -> Option<&'s Standing> {
    seen.candidate(label).map(|it| &it.standing)
}

/// Where the credentials stand.
fn standings(seen: &Examination) -> Option<Finding> {
    use Standing::{Accepted, Empty, Rejected, SameAs};
    let pending = seen.candidate(&Label::Pending);
    let current = standing(seen, &Label::Current)?;
    let previous = standing(seen, &Label::Previous);
    let version = pending.map(|it| it.version.clone());
    let refused =
        |standing: Option<&Standing>| matches!(standing, None | Some(Rejected | SameAs(_) | Empty));
    Some(match (pending.map(|it| &it.standing), current, version) {
        (Some(Empty), Accepted, Some(version)) => Finding::PendingEmpty(version),
        (Some(Rejected), Accepted, Some(version)) => Finding::PendingNotSet(version),
        (Some(Accepted), Rejected, Some(version)) => Finding::PendingNotPublished(version),
        (Some(Accepted), Accepted, Some(version)) => Finding::BothAccepted(version),
        (Some(SameAs(Label::Current)), Accepted, Some(version)) => {
            Finding::PendingIsCurrent(version)
        }
        (pending, Rejected, _) if refused(pending) && previous == Some(&Accepted) => {
            Finding::OnlyPreviousAccepted
        }
        (pending, Rejected, _) if refused(pending) && refused(previous) => {
            Finding::Fault(Reason::NoneAccepted)
        }
        (None, Accepted, _) => {
            let state = seen.state.as_ref()?;
            if state.holder(&Label::Pending) == state.holder(&Label::Current) {
                Finding::PendingOnCurrent
            } else {
                Finding::Healthy
            }
        }
        _ => return None,
    })
}

/// What the notes on `AWSCURRENT` mean for the next createSecret.
fn notes(state: &SecretState, repeat: Repeat, now: SystemTime) -> Option<Finding> {
    let current = state.holder(&Label::Current)?;
    let marks = marks_on(state, current);
    Some(match decide(&marks, repeat, now) {
        Decision::Go => return None,
        Decision::Repeat { .. } if repeat == Repeat::Free => Finding::NotesLeft(current.clone()),
        Decision::Repeat { since } => Finding::CreateTried(since),
        Decision::Wait { until } => Finding::Fault(Reason::AnotherInvocation { until }),
        Decision::Stop { since } => Finding::Fault(Reason::Unrepeatable { since }),
    })
}

fn clock(candidates: &[Candidate], now: SystemTime) -> Option<Finding> {
    let newest = candidates.iter().filter_map(|it| it.created).max()?;
    let ahead = newest.duration_since(now).ok()?;
    (ahead > CLOCK_TOLERANCE).then_some(Finding::ClockBehind(ahead.as_secs()))
}
