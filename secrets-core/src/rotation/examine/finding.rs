//! What an examination can find: its name, its weight, its repair. The words are in `words`.

use std::time::SystemTime;

use super::super::{Advice, Reason};
use super::Examination;
use crate::event::{SecretId, VersionId};
use crate::store::Label;

/// One thing that an examination found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// No rotation is under way, and what `AWSCURRENT` holds works.
    Healthy,
    /// `AWSPENDING` sits on the version that holds `AWSCURRENT`: how a rotation that is over looks.
    PendingOnCurrent,
    /// A step would end with this.
    Fault(Reason),
    /// The pending version has no value: the rotation ended before or in createSecret.
    PendingEmpty(VersionId),
    /// The target does not accept the pending value yet: the rotation ended before or in setSecret.
    PendingNotSet(VersionId),
    /// The target accepts the pending value only: the rotation ended after setSecret, and readers of
    /// `AWSCURRENT` are refused.
    PendingNotPublished(VersionId),
    /// The target accepts both values: the rotation ended before finishSecret moved `AWSCURRENT`.
    BothAccepted(VersionId),
    /// The pending version holds what is current already: left by a test of the rotation
    /// (`RotateImmediately=false`).
    PendingIsCurrent(VersionId),
    /// Of all values, the target accepts only the one of before.
    OnlyPreviousAccepted,
    /// Making a value was begun then and did not come to its end; another try is allowed.
    CreateTried(SystemTime),
    /// Notes of another rotator, which this one does not need.
    NotesLeft(VersionId),
    /// The secret that this one names (`masterarn`) cannot be used by whoever asks now.
    SecondSecretUnusable {
        /// That secret.
        secret: SecretId,
        /// Why.
        reason: Reason,
    },
    /// The target refuses the login of the secret that this one names (`masterarn`).
    SecondSecretRefused(SecretId),
    /// A version was made later than now: the clock of this machine is behind by at least so many seconds.
    ClockBehind(u64),
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Weight {
    /// The rotation is stuck, or the next one will fail.
    Blocks,
    /// Somebody should look at it.
    Warns,
    /// Nothing has to be done.
    Note,
}

impl Weight {
    /// A stable word for tools.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Warns => "warns",
            Self::Note => "note",
        }
    }
}

/// What can be done about a finding without a person's judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Nothing: the remedy says who must act.
    Nothing,
    /// Send the four steps once more.
    RollForward,
    /// Take `AWSPENDING` off this version.
    Discard(VersionId),
    /// Take the notes off this version.
    RemoveNotes(VersionId),
}

impl Repair {
    /// A stable word for tools.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::RollForward => "roll_forward",
            Self::Discard(_) => "discard",
            Self::RemoveNotes(_) => "remove_notes",
        }
    }
}

impl Finding {
    /// A stable name; where a step would end with an error, that error's [`code`](Reason::code).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::PendingOnCurrent => "PendingOnCurrent",
            Self::Fault(reason) => reason.code(),
            Self::PendingEmpty(_) => "PendingEmpty",
            Self::PendingNotSet(_) => "PendingNotSet",
            Self::PendingNotPublished(_) => "PendingNotPublished",
            Self::BothAccepted(_) => "BothAccepted",
            Self::PendingIsCurrent(_) => "PendingIsCurrent",
            Self::OnlyPreviousAccepted => "OnlyPreviousAccepted",
            Self::CreateTried(_) => "CreateTried",
            Self::NotesLeft(_) => "NotesLeft",
            Self::SecondSecretUnusable { .. } => "SecondSecretUnusable",
            Self::SecondSecretRefused(_) => "SecondSecretRefused",
            Self::ClockBehind(_) => "ClockBehind",
        }
    }

    /// How grave it is.
    pub fn weight(&self) -> Weight {
        match self {
            // A rotation that comes too soon is refused, and the next one is not.
            Self::Healthy
            | Self::PendingOnCurrent
            | Self::CreateTried(_)
            | Self::Fault(Reason::TooSoon { .. }) => Weight::Note,
            Self::SecondSecretUnusable { .. }
            | Self::SecondSecretRefused(_)
            | Self::ClockBehind(_)
            | Self::NotesLeft(_)
            | Self::PendingIsCurrent(_) => Weight::Warns,
            _ => Weight::Blocks,
        }
    }

    /// Who must act.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Fault(reason) | Self::SecondSecretUnusable { reason, .. } => reason.advice(),
            Self::SecondSecretRefused(_) => Advice::FixSecret,
            Self::ClockBehind(_) => Advice::FixConfiguration,
            _ => Advice::Retry,
        }
    }

    /// What can be done about it, given the rest of what was seen.
    pub fn repair(&self, seen: &Examination) -> Repair {
        let discard = || seen.discardable().cloned().map(Repair::Discard);
        match self {
            Self::PendingEmpty(_)
            | Self::PendingNotSet(_)
            | Self::PendingNotPublished(_)
            | Self::BothAccepted(_)
            | Self::OnlyPreviousAccepted => Repair::RollForward,
            Self::PendingIsCurrent(_)
            | Self::Fault(
                Reason::PendingAltered { .. }
                | Reason::Document {
                    label: Label::Pending,
                    ..
                },
            ) => discard().unwrap_or(Repair::Nothing),
            Self::NotesLeft(version) => Repair::RemoveNotes(version.clone()),
            _ => Repair::Nothing,
        }
    }
}
