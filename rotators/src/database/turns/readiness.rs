//! What the admin sees before the second user logs in.

use secrets_core::rotator::{Context, Verdict};

/// Whether the second user can take over.
pub(crate) enum Readiness {
    /// It may do the same.
    Ready {
        /// Whether what the server stores says that the password is right; else a login has to say it.
        has_password: bool,
    },
    /// In words.
    Lacking(&'static str),
}

impl Readiness {
    /// Whether the password is known to be right; or the verdict on a user that cannot take over.
    pub(crate) fn has_password(self, cx: &Context) -> Result<bool, Verdict> {
        match self {
            Self::Ready { has_password } => Ok(has_password),
            Self::Lacking(what) => {
                tracing::info!(
                    secret = %cx.secret(),
                    what,
                    "the user whose turn it is cannot take over yet; setSecret sees to that"
                );
                Err(Verdict::Rejected)
            }
        }
    }
}
