//! What is told of a finding: its cause and its remedy.

use std::fmt;

use super::super::error::{unix, with_causes};
use super::Finding;

const GO_ON: &str = "rotate again (RotateSecret, or run the four steps by hand)";

impl Finding {
    /// What to do. Where a step would end with an error, its text holds the remedy already.
    pub fn remedy(&self) -> String {
        match self {
            Self::Healthy | Self::PendingOnCurrent => "nothing has to be done".to_owned(),
            Self::Fault(_) => "as said; then look again".to_owned(),
            Self::PendingEmpty(_) => {
                format!(
                    "{GO_ON}: createSecret makes the value; the log of the function says why it did not"
                )
            }
            Self::PendingNotSet(_) => {
                format!(
                    "{GO_ON}: setSecret sets it; AWSCURRENT works meanwhile, so there is no hurry"
                )
            }
            Self::PendingNotPublished(_) => {
                format!(
                    "{GO_ON} at once: finishSecret publishes it. Do not remove AWSPENDING: it is the only value that works"
                )
            }
            Self::BothAccepted(_) => format!("{GO_ON}: finishSecret publishes it"),
            Self::PendingIsCurrent(version) => {
                format!(
                    "remove AWSPENDING from `{version}`; it holds nothing that AWSCURRENT does not hold"
                )
            }
            Self::OnlyPreviousAccepted => {
                format!(
                    "{GO_ON} at once: setSecret logs in with AWSPREVIOUS and sets the new value"
                )
            }
            Self::CreateTried(_) => GO_ON.to_owned(),
            Self::NotesLeft(version) => {
                format!(
                    "remove the labels CREATE-BEGAN-... from `{version}`, or leave them: they cost label places only"
                )
            }
            Self::SecondSecretUnusable { .. } => {
                "correct `masterarn`, or let the role of the function read it, and use its KMS key"
                    .to_owned()
            }
            Self::SecondSecretRefused(secret) => {
                format!("put the working password into `{secret}`")
            }
            Self::ClockBehind(_) => {
                "set the clock: AWS refuses requests that are five minutes off".to_owned()
            }
        }
    }
}

/// The cause, in one sentence; for faults of a step the error with all its causes.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("AWSCURRENT works and no rotation is under way"),
            Self::PendingOnCurrent => f.write_str(
                "AWSPENDING sits on the version that holds AWSCURRENT, which is how a rotation that is over looks",
            ),
            Self::Fault(reason) => f.write_str(&with_causes(reason)),
            Self::PendingEmpty(version) => write!(
                f,
                "AWSPENDING sits on `{version}`, which has no value: the rotation ended before or in createSecret"
            ),
            Self::PendingNotSet(version) => write!(
                f,
                "the value of `{version}` (AWSPENDING) was stored and not set: the target refuses it and accepts \
                 AWSCURRENT"
            ),
            Self::PendingNotPublished(version) => write!(
                f,
                "the value of `{version}` (AWSPENDING) was set and not published: the target accepts it and refuses \
                 AWSCURRENT, so readers of AWSCURRENT are refused"
            ),
            Self::BothAccepted(version) => write!(
                f,
                "the target accepts `{version}` (AWSPENDING) as well as AWSCURRENT: the rotation ended before \
                 finishSecret moved AWSCURRENT"
            ),
            Self::PendingIsCurrent(version) => write!(
                f,
                "`{version}` (AWSPENDING) holds the value of AWSCURRENT: a test of the rotation left it"
            ),
            Self::OnlyPreviousAccepted => f.write_str(
                "the target accepts AWSPREVIOUS only: its password was set back, or AWSCURRENT was put by hand",
            ),
            Self::CreateTried(since) => write!(
                f,
                "making a value was begun at {} and did not come to its end; another try is allowed",
                unix(*since)
            ),
            Self::NotesLeft(version) => write!(
                f,
                "`{version}` (AWSCURRENT) holds labels CREATE-BEGAN-..., which this rotator does not use: another \
                 rotator left them"
            ),
            Self::SecondSecretUnusable { secret, reason } => {
                write!(
                f,
                "the second secret `{secret}` (`masterarn`) cannot be used: {}",
                with_causes(reason)
            )
            }
            Self::SecondSecretRefused(secret) => write!(
                f,
                "the target refuses the login in the second secret `{secret}` (`masterarn`)"
            ),
            Self::ClockBehind(seconds) => write!(
                f,
                "a version was made {seconds} s from now: the clock of this machine is behind"
            ),
        }
    }
}
