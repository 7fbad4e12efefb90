//! What a rotator must never do, and how it was caught.

use std::fmt;

use super::gate::Fault;

/// The twelve promises that the kit checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Invariant {
    /// I1: nobody is ever locked out.
    NobodyLockedOut,
    /// I2: what is in use is not revoked.
    InUseIsKept,
    /// I3: repeating a step changes nothing.
    RepeatsAreHarmless,
    /// I4: after a crash one more try completes.
    CrashesHeal,
    /// I5: old credentials do not pile up.
    NothingPilesUp,
    /// I6: an inconclusive probe changes nothing.
    DoubtChangesNothing,
    /// I7: no secret in logs and errors.
    NothingLeaks,
    /// I8: one refused login a credential and step.
    NoLockout,
    /// I9: the new value differs.
    ValueChanges,
    /// I10: a foreign pending value stays.
    ForeignPendingStays,
    /// I11: the rest of the secret stays.
    RestOfSecretStays,
    /// I12: the profile tells the truth.
    ProfileIsTrue,
}

impl Invariant {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::NobodyLockedOut,
        Self::InUseIsKept,
        Self::RepeatsAreHarmless,
        Self::CrashesHeal,
        Self::NothingPilesUp,
        Self::DoubtChangesNothing,
        Self::NothingLeaks,
        Self::NoLockout,
        Self::ValueChanges,
        Self::ForeignPendingStays,
        Self::RestOfSecretStays,
        Self::ProfileIsTrue,
    ];

    fn sentence(self) -> &'static str {
        match self {
            Self::NobodyLockedOut => {
                "at every moment some labelled version works, and after a rotation AWSCURRENT does"
            }
            Self::InUseIsKept => "no credential that AWSCURRENT or AWSPENDING names is revoked",
            Self::RepeatsAreHarmless => "repeating any step ends in the same state",
            Self::CrashesHeal => "after any crash or fault, one more try completes the rotation",
            Self::NothingPilesUp => {
                "the number of live credentials stays within the profile's limit"
            }
            Self::DoubtChangesNothing => "an inconclusive probe never leads to a change",
            Self::NothingLeaks => "no secret is in a log line, an error or its Debug",
            Self::NoLockout => {
                "a probe costs at most one refused login, and nothing else costs one"
            }
            Self::ValueChanges => "the new value differs from the current one",
            Self::ForeignPendingStays => "a foreign AWSPENDING is never overwritten",
            Self::RestOfSecretStays => "keys that do not rotate survive to the letter",
            Self::ProfileIsTrue => "the profile promises no overlap that is not there",
        }
    }

    /// What an author mostly has to change; `docs/write-a-rotator.md` has the same in its table.
    fn remedy(self) -> &'static str {
        match self {
            Self::NobodyLockedOut => {
                "set what the pending secret holds, all of it, and `Rejected` only what the target refused"
            }
            Self::InUseIsKept => {
                "delete by identity, never by age, and nothing that `kept` holds; in `create` only what \
                 `Context::tried_since` shows to be left over; what is shown once needs `Repeat::Told`"
            }
            Self::RepeatsAreHarmless => {
                "see first what is there, and change nothing where it is as it should be"
            }
            Self::CrashesHeal => {
                "`there already` and `gone already` are success: the call before may have done it; remember nothing \
                 between two calls; log in to retire with the last of `kept`"
            }
            Self::NothingPilesUp => {
                "name what you make after `Context::version`, and find it again; or retire the old ones \
                 (`Profile::retiring`); or say how many there may be (`Profile::holding`)"
            }
            Self::DoubtChangesNothing => {
                "let `test` name the answers that mean accepted and refused; all others are `Err`, and it changes \
                 nothing"
            }
            Self::NothingLeaks => {
                "keep it out of errors and logs, and what a service answers, too; if it is a name and no secret, \
                 say so in `Target::is_secret`"
            }
            Self::NoLockout => {
                "present a credential once a probe: no retries in the client, no second login"
            }
            Self::ValueChanges => "let `create` make a value that never was there before",
            Self::ForeignPendingStays => "do not write the secret: return a `Patch`",
            Self::RestOfSecretStays => {
                "return a `Patch` with the keys that the profile names (`Rotates::Keys`), and no others"
            }
            Self::ProfileIsTrue => {
                "if the old credential stops working, say so: `Overlap::ReplaceInPlace`, or `Overlap::MintedInPlace` \
                 where `create` ends it"
            }
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}: {}", *self as u8 + 1, self.sentence())
    }
}

/// What was done when a promise broke; its text goes into [`Prover::replay`](super::Prover::replay).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Calls of the rotator on its own.
    Contract,
    /// Rotations in which nothing goes wrong, each step sent twice.
    Undisturbed,
    /// A rotation while the target is out of reach.
    Outage,
    /// A fault at one call of one of several rotations.
    FaultAt {
        /// Counted from 1.
        rotation: usize,
        /// Counted from 1.
        call: usize,
        /// What happened there.
        fault: Fault,
    },
    /// Two invocations side by side.
    SideBySide {
        /// Which pair: `set+set` for a duplicated event, `finish<create` for a late one that meets the
        /// next rotation.
        pair: String,
        /// Whose turn it was at each call: `0` or `1`.
        turns: String,
    },
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract => f.write_str("contract"),
            Self::Undisturbed => f.write_str("undisturbed"),
            Self::Outage => f.write_str("outage"),
            Self::FaultAt {
                rotation,
                call,
                fault,
            } => write!(f, "{fault}@{rotation}.{call}"),
            Self::SideBySide { pair, turns } => write!(f, "{pair}:{turns}"),
        }
    }
}

impl Schedule {
    /// Reads what Display writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "contract" => return Some(Self::Contract),
            "undisturbed" => return Some(Self::Undisturbed),
            "outage" => return Some(Self::Outage),
            _ => {}
        }
        if let Some((fault, place)) = text.split_once('@') {
            let (rotation, call) = place.split_once('.')?;
            return Some(Self::FaultAt {
                rotation: rotation.parse().ok()?,
                call: call.parse().ok()?,
                fault: fault.parse().ok()?,
            });
        }
        let (pair, turns) = text.split_once(':')?;
        Some(Self::SideBySide {
            pair: pair.to_owned(),
            turns: turns.to_owned(),
        })
    }
}

/// A broken promise, and the shortest schedule found that breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// What was seen.
    pub seen: String,
    /// When.
    pub schedule: Schedule,
    /// The call that was broken on purpose, if one was.
    pub broken: Option<&'static str>,
    /// The calls up to where it was seen; after a fault, those of the next try.
    pub calls: Vec<&'static str>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.invariant)?;
        writeln!(f, "  seen:     {}", self.seen)?;
        match self.broken {
            Some(call) => writeln!(f, "  schedule: {} (call `{call}`)", self.schedule)?,
            None => writeln!(f, "  schedule: {}", self.schedule)?,
        }
        // None where the rotator was called without the engine.
        if !self.calls.is_empty() {
            writeln!(f, "  calls:    {}", self.calls.join(" "))?;
        }
        writeln!(f, "  remedy:   {}", self.invariant.remedy())?;
        write!(
            f,
            "  replay:   Prover::new(fresh).replay(\"{}\").await",
            self.schedule
        )
    }
}

impl std::error::Error for Violation {}
