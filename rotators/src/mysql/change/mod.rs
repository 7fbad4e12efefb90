//! The statements that change the passwords of one user.
//!
//! What they leave behind does not depend on what was there: that the old password is the first or the second
//! one of the account is nothing that a login tells, and `RETAIN CURRENT PASSWORD`, said to an account that
//! was logged in to with its second password, ends that very password.

mod by_admin;
mod by_user;

use secrecy::SecretString;
use secrets_core::rotator::RotatorError;

pub(super) use self::by_admin::ByAdmin;
pub(super) use self::by_user::ByUser;

/// What is to work afterwards. The old password works now.
#[derive(Clone, Copy)]
pub(super) enum Passwords<'p> {
    /// These two.
    Both {
        new: &'p SecretString,
        old: &'p SecretString,
    },
    /// These two; the new one alone where there is no room for two.
    BothIfPossible {
        new: &'p SecretString,
        old: &'p SecretString,
    },
    /// The new one.
    Replaced {
        new: &'p SecretString,
        old: &'p SecretString,
    },
    /// This one, which works now.
    Only(&'p SecretString),
}

impl Passwords<'_> {
    /// What becomes of it where there is no room for two passwords; `why` says what can be done about that.
    ///
    /// Asked before anything is sent: a server keeps the text of a statement that it cannot read.
    fn without_room(self, why: RotatorError) -> Result<Self, RotatorError> {
        match self {
            Self::Both { .. } => Err(why),
            Self::BothIfPossible { new, old } => {
                tracing::warn!(reason = %why, "the old password ends now");
                Ok(Self::Replaced { new, old })
            }
            Self::Replaced { .. } | Self::Only(_) => Ok(self),
        }
    }
}
