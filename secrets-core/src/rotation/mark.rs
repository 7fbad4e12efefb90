//! What createSecret notes before it calls a rotator that may not be called again at will. Pure: no async,
//! no I/O.
//!
//! The note is a staging label on the version that holds `AWSCURRENT`, since that version's credential is
//! what creating uses up: a later rotation, under another token, has to see it, too. On any other version
//! it means nothing. It reads `CREATE-BEGAN-1767225600-UNTIL-1767225630-9f86d081884c7d65`: when the first
//! try began, when the invocation that left the note is over, both in seconds since 1970, and a number that
//! no other invocation has.
//!
//! | the profile's repeat | no note | the invocation may still be at it | it is over |
//! |---|---|---|---|
//! | `Told` | go | wait | go, as a repeat |
//! | `Within` that time of the first try | go | go, as a repeat | go, as a repeat |
//! | `Within`, after that time | go | wait | stop |
//! | `Never` | go | wait | stop |

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

use crate::event::VersionId;
use crate::rotator::Repeat;
use crate::store::{Label, SecretState};

#[cfg(test)]
mod tests;

/// A note of one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// When the first try began, in seconds since 1970; those that repeat it keep it.
    since: u64,
    /// When the invocation is over.
    until: u64,
    /// Tells two invocations of the same second apart.
    nonce: u64,
}

/// Whether the rotator may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nobody has tried before.
    Go,
    /// An earlier try did not come to its end, and another is allowed.
    Repeat { since: SystemTime },
    /// An earlier try may still be under way.
    Wait { until: SystemTime },
    /// An earlier try did not come to its end, and another is forbidden.
    Stop { since: SystemTime },
}

impl Mark {
    /// A note of an invocation that has so much time left.
    ///
    /// The number comes out of the standard library's hasher, which the operating system seeds. It has to be
    /// unique and may be guessed: whoever can put a label on the secret can put or remove any label.
    pub(super) fn new(
        version: &VersionId,
        since: Option<SystemTime>,
        now: SystemTime,
        remaining: Duration,
    ) -> Self {
        Self {
            since: seconds(since.unwrap_or(now)),
            // Rounded up: rather too late than too early.
            until: seconds(now + remaining) + 1,
            nonce: RandomState::new().hash_one((version.as_str(), now)),
        }
    }

    /// The same once its invocation has ended.
    pub(super) fn over(&self, now: SystemTime) -> Self {
        Self {
            until: seconds(now).min(self.until),
            ..self.clone()
        }
    }

    /// When the invocation is over.
    pub(super) fn until(&self) -> SystemTime {
        time(self.until).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    pub(super) fn label(&self) -> Label {
        let Self {
            since,
            until,
            nonce,
        } = self;
        Label::Custom(format!("CREATE-BEGAN-{since}-UNTIL-{until}-{nonce:016x}"))
    }

    /// Reads what [`label`](Self::label) writes, and nothing else.
    fn read(label: &Label) -> Option<Self> {
        let text = label.as_str().strip_prefix("CREATE-BEGAN-")?;
        let (since, rest) = text.split_once("-UNTIL-")?;
        let (until, nonce) = rest.split_once('-')?;
        let mark = Self {
            since: since.parse().ok()?,
            until: until.parse().ok()?,
            nonce: u64::from_str_radix(nonce, 16).ok()?,
        };
        let exact = mark.label() == *label;
        (exact && time(mark.since).is_some() && time(mark.until).is_some()).then_some(mark)
    }
}

/// All notes, each with the version that it sits on.
pub(super) fn marks(state: &SecretState) -> impl Iterator<Item = (&VersionId, Mark)> {
    state
        .versions
        .iter()
        .flat_map(|(version, labels)| labels.iter().map(move |label| (version, label)))
        .filter_map(|(version, label)| Some((version, Mark::read(label)?)))
}

/// The notes on one version.
pub(super) fn marks_on(state: &SecretState, version: &VersionId) -> Vec<Mark> {
    marks(state)
        .filter_map(|(holder, mark)| (holder == version).then_some(mark))
        .collect()
}

/// Whether the rotator may be called, given the notes on the version that holds `AWSCURRENT`.
pub(super) fn decide(marks: &[Mark], repeat: Repeat, now: SystemTime) -> Decision {
    let since = marks.iter().filter_map(|mark| time(mark.since)).min();
    let until = marks.iter().map(Mark::until).max();
    let (Some(since), Some(until)) = (since, until) else {
        return Decision::Go;
    };
    // A clock that runs behind makes the first try lie ahead: then it is new.
    let age = now.duration_since(since).unwrap_or_default();
    match repeat {
        Repeat::Free => Decision::Repeat { since },
        Repeat::Within(grace) if age < grace => Decision::Repeat { since },
        _ if now < until => Decision::Wait { until },
        Repeat::Told => Decision::Repeat { since },
        Repeat::Within(_) | Repeat::Never => Decision::Stop { since },
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

fn time(seconds: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
