//! What state a secret's rotation is in, found out without changing anything.
//!
//! [`Rotation::examine`](super::Rotation::examine) reads the labels and the values under them, presents each
//! credential once, and gathers all that it finds instead of ending at the first fault: a missing right, a
//! target out of reach, a half-done rotation. What follows from what was seen is decided in `decide`, which is pure. A function may
//! run it as its check before the first rotation, and a person when a rotation is stuck.

mod decide;
mod finding;
mod look;
mod repair;
mod second_secret;
mod trial;
mod words;

use std::time::SystemTime;

pub use finding::{Finding, Repair, Weight};

use super::Reason;
use crate::event::{SecretId, VersionId};
use crate::rotator::Profile;
use crate::store::{Label, SecretState};

/// All that is known of a secret's rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// The secret.
    pub secret: SecretId,
    /// Labels and dates, if they could be read.
    pub state: Option<SecretState>,
    /// What the rotator promises.
    pub profile: Profile,
    /// The versions under `AWSPENDING`, `AWSCURRENT` and `AWSPREVIOUS`, as far as there are such: a pending
    /// version that is the current one is listed once, as current.
    pub candidates: Vec<Candidate>,
    /// What was found, the gravest first; never empty.
    pub findings: Vec<Finding>,
}

/// A version, and how its credential fares at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The label under which it was looked at.
    pub label: Label,
    /// The version.
    pub version: VersionId,
    /// When it was made, where that is known.
    pub created: Option<SystemTime>,
    /// How it fares.
    pub standing: Standing,
}

/// How the credential of a version fares at the target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The target lets it in.
    Accepted,
    /// The target refuses it as wrong.
    Rejected,
    /// The version holds the same credential as the one under that label, which was presented already.
    SameAs(Label),
    /// The version has no value.
    Empty,
    /// It was not presented, since there was no need to, or no use.
    NotAsked,
    /// It was not presented, since it differs from the current value in these keys, which a rotation must not
    /// change: its host may be somebody else's.
    Altered(Vec<String>),
    /// It could not be read or presented.
    Failed(Reason),
}

impl Standing {
    /// A stable word for tools.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::SameAs(_) => "same",
            Self::Empty => "empty",
            Self::NotAsked => "not_asked",
            Self::Altered(_) => "altered",
            Self::Failed(_) => "failed",
        }
    }
}

impl Examination {
    /// The version under a label, if there is one.
    pub fn candidate(&self, label: &Label) -> Option<&Candidate> {
        self.candidates.iter().find(|it| it.label == *label)
    }

    /// Whether somebody has to do something.
    pub fn needs_action(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.weight() != Weight::Note)
    }

    /// What can be done about it without a person's judgement.
    pub fn repair(&self) -> Repair {
        let mut repairs = self
            .findings
            .iter()
            .filter_map(|finding| match finding.weight() {
                Weight::Blocks => Some(finding.repair(self)),
                _ => match finding.repair(self) {
                    Repair::Nothing => None,
                    repair => Some(repair),
                },
            });
        repairs.next().unwrap_or(Repair::Nothing)
    }

    /// The pending version, if taking `AWSPENDING` off it provably locks nobody out: what `AWSCURRENT` holds
    /// was just accepted, and what is pending was refused, or is no credential at all.
    pub fn discardable(&self) -> Option<&VersionId> {
        let current = self.candidate(&Label::Current)?;
        let pending = self.candidate(&Label::Pending)?;
        let useless = match &pending.standing {
            Standing::Rejected | Standing::Empty | Standing::Altered(_) => true,
            Standing::SameAs(label) => *label == Label::Current,
            Standing::Failed(reason) => matches!(reason, Reason::Document { .. }),
            Standing::Accepted | Standing::NotAsked => false,
        };
        (useless && current.standing == Standing::Accepted).then_some(&pending.version)
    }
}
