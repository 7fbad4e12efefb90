//! Two users that take turns: what is the same at all engines.

#[cfg(feature = "_compares_first")]
mod readiness;

use secrecy::SecretString;
use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{Live, Overlap, Profile, Rotates, RotatorError};

#[cfg(feature = "_compares_first")]
pub(crate) use self::readiness::Readiness;
use super::Login;
use super::pair::Partner;

/// What a rotation between two users promises.
pub(crate) fn profile() -> Profile {
    let keys = Rotates::Keys(&["username", "password"]);
    Profile::new(keys, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
}

/// A user, the other one of its pair, and who works on both.
pub(crate) struct Turn<'c> {
    pub(crate) own: &'c Login,
    pub(crate) partner: Partner,
    /// The secret of the admin.
    pub(crate) admin: &'c SecretId,
}

impl<'c> Turn<'c> {
    pub(crate) fn new(
        own: &'c Login,
        partner: Partner,
        admin: Option<&'c SecretId>,
    ) -> Result<Self, RotatorError> {
        let admin = admin.ok_or_else(|| {
            RotatorError::misconfigured(
                "users that take turns need an admin; add `masterarn`, the admin's secret, to the secret",
            )
        })?;
        Ok(Self {
            own,
            partner,
            admin,
        })
    }

    /// What the next version of the secret holds, with this password.
    pub(crate) fn next(&self, password: SecretString) -> Patch {
        let username = self.partner.name.as_str().into();
        Patch::key("username", username).and("password", password)
    }

    /// Whoever may write a pending value must not be able to name a user of somebody else's: the one that was
    /// just let in is of the pair.
    pub(crate) fn check(&self, proven: &Login) -> Result<(), RotatorError> {
        if [&self.partner.name, &self.own.username].contains(&&proven.username) {
            return Ok(());
        }
        Err(RotatorError::misconfigured(
            "the pending version names a user that does not take turns with the current one; remove AWSPENDING \
             from it, then rotate again",
        ))
    }
}
