//! What a server's codes mean (`src/mongo/base/error_codes.yml` of `MongoDB`). Its words are never read: they
//! quote what it was sent.

use std::fmt;

use secrets_core::rotator::RotatorError;

use super::credential::Node;
use crate::database;
pub(super) use crate::database::Role;

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) node: Node,
    pub(super) role: Role,
}

/// Codes that decide what happens next.
pub(super) mod code {
    pub(crate) const FAILED_TO_PARSE: i32 = 9;
    pub(crate) const USER_NOT_FOUND: i32 = 11;
    pub(crate) const UNAUTHORIZED: i32 = 13;
    pub(crate) const AUTHENTICATION_FAILED: i32 = 18;
    pub(crate) const ROLE_NOT_FOUND: i32 = 31;
    pub(crate) const INVALID_OPTIONS: i32 = 72;
    /// What `DocumentDB` answers to what it does not have.
    pub(crate) const NOT_SUPPORTED: i32 = 303;
    pub(crate) const UNKNOWN_FIELD: i32 = 40415;
    pub(crate) const USER_EXISTS: i32 = 51003;
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused it, and changed nothing.
    Refused(i32),
    /// No answer, or not now: it may have had its effect.
    Broken(RotatorError),
}

impl Failure {
    /// What it means where nobody but us is to blame, or the server.
    pub(super) fn of_command(self, peer: &Peer) -> RotatorError {
        self.explained(peer, |_| None)
    }

    /// What it means; `explain` knows the codes of the command.
    pub(super) fn explained(
        self,
        peer: &Peer,
        explain: impl FnOnce(i32) -> Option<RotatorError>,
    ) -> RotatorError {
        let code = match self {
            Self::Broken(fault) => return fault,
            Self::Refused(code) => code,
        };
        let fault = explain(code).or_else(|| peer.unmanaged(code));
        let fault = fault.unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses a command; look the code up in the manual, \"Error Codes\""
            ))
        });
        fault.with_code(code.to_string())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.node, self.role)
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// The connection ended.
    pub(super) fn broken(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} closed the connection; check that it is up, that it has connections left, and that `ssl` \
             fits the server (`tls` in its settings), then try again"
        ))
    }

    /// Something else listens there, or a server of long ago.
    pub(super) fn not_understood(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak the protocol of MongoDB 3.6 and later; check `host`, \
             `port` and `ssl`"
        ))
    }

    /// A member of a replica set that is without its primary.
    pub(super) fn no_primary(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} is not the primary of its replica set, and knows of none at the moment; try again later"
        ))
    }

    /// The server could not prove that it knows the password.
    pub(super) fn impostor(&self) -> RotatorError {
        RotatorError::tls(format!(
            "{self} let us in without knowing the password itself, so it is not the server that it says it \
             is; find out who answers at this address"
        ))
    }

    /// What the refusal of a login means: `Ok` says that the credential is wrong.
    pub(super) fn at_login(&self, failure: Failure) -> Result<(), RotatorError> {
        match failure {
            Failure::Refused(code::AUTHENTICATION_FAILED) => Ok(()),
            other => Err(other.explained(self, |code| match code {
                334 => Some(self.no_password()),
                _ => Some(RotatorError::refused(format!(
                    "{self} refuses the login; look the code up in the manual, \"Error Codes\""
                ))),
            })),
        }
    }

    /// The user has other ways to log in.
    pub(super) fn no_password(&self) -> RotatorError {
        RotatorError::refused(format!(
            "the user at {self} does not log in with a password that the server keeps; give it one \
             (updateUser with `pwd`), or name another user"
        ))
    }

    /// Codes that say that the server cannot serve anyone at the moment, or that a change is not everywhere.
    pub(super) fn not_now(&self, code: i32) -> Option<RotatorError> {
        let fault = match code {
            // NotWritablePrimary, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, PrimarySteppedDown,
            // InterruptedDueToReplStateChange, LegacyNotPrimary, FailedToSatisfyReadPreference.
            10107 | 13435 | 13436 | 189 | 11602 | 10058 | 133 => format!(
                "{self} is no primary (any more); try again, which asks for the new one, or set `host` to \
                 the cluster's endpoint"
            ),
            // WriteConcernFailed (also WriteConcernTimeout), UnsatisfiableWriteConcern.
            64 | 100 => format!(
                "{self} did not bring the change to the majority of its replica set in time; see to the \
                 secondaries, then try again"
            ),
            // HostUnreachable, HostNotFound, LockTimeout, LockBusy, ExceededMemoryLimit, MaxTimeMSExpired,
            // NetworkTimeout, ShutdownInProgress, WriteConflict, ConflictingOperationInProgress,
            // NetworkInterfaceExceededTimeLimit, TransactionAborted, ExceededTimeLimit,
            // IngressRequestRateLimitExceeded, SocketException, InterruptedAtShutdown, Interrupted.
            6 | 7 | 24 | 46 | 50 | 89 | 91 | 112 | 117 | 146 | 202 | 244 | 262 | 462 | 9001
            | 11600 | 11601 => format!(
                "{self} cannot serve at the moment (stopping, overloaded, or busy with another change); try \
                 again later"
            ),
            _ => return None,
        };
        Some(RotatorError::unreachable(fault).with_code(code.to_string()))
    }

    /// Codes of servers that do not manage their users by commands.
    fn unmanaged(&self, code: i32) -> Option<RotatorError> {
        // CommandNotFound, CommandNotSupported, and what Atlas answers.
        matches!(code, 59 | 115 | 8000).then(|| {
            RotatorError::refused(format!(
                "{self} does not take commands for users; MongoDB Atlas and some proxies change users with \
                 an API of their own, which takes another rotator"
            ))
        })
    }
}
