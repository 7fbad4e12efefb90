//! The server that is talked to, and as whom.

use std::fmt::Display;

use secrets_core::rotator::RotatorError;

/// Whose login it is.
#[cfg(feature = "_session")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Own,
    Admin,
}

/// What stands behind the name of a server.
#[cfg(feature = "_session")]
impl Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own => Ok(()),
            Self::Admin => f.write_str(" (as the admin of `masterarn`)"),
        }
    }
}

/// A time-out; `what` is what did not happen in time.
pub(crate) fn silent(peer: &(dyn Display + Sync), what: &str) -> RotatorError {
    RotatorError::unreachable(format!(
        "{peer} {what} in time; check `host` and `port`, the security groups and routes of the function's \
         VPC, and the load of the server"
    ))
}

/// The connection ended; `when` says in the middle of what.
#[cfg(feature = "_sql")]
pub(crate) fn broken(peer: &(dyn Display + Sync), when: &str) -> RotatorError {
    RotatorError::unreachable(format!(
        "{peer} closed the connection {when}; check `port`, and that the server is up, then try again"
    ))
}
