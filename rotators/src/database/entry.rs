//! What becomes of a login.

use secrets_core::rotator::RotatorError;
#[cfg(any(feature = "ldap", feature = "mongodb"))]
use secrets_core::rotator::Verdict;

/// What became of a login.
pub(crate) enum Entry<S> {
    /// The server let the credential in.
    Open(S),
    /// The server refused the credential as wrong.
    Wrong,
}

impl<S> Entry<S> {
    /// The session, or what it means here that there is none.
    pub(crate) fn session_or(
        self,
        wrong: impl FnOnce() -> RotatorError,
    ) -> Result<S, RotatorError> {
        match self {
            Self::Open(session) => Ok(session),
            Self::Wrong => Err(wrong()),
        }
    }

    /// What the login alone says of the credential.
    #[cfg(any(feature = "ldap", feature = "mongodb"))]
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Open(_) => Verdict::Accepted,
            Self::Wrong => Verdict::Rejected,
        }
    }
}
