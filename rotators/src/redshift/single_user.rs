//! One user, whose password is replaced in place.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;
use tokio_postgres::error::SqlState;

use super::admin;
use super::credential::RedshiftCredential;
use super::error::{SessionError, of_change};
use super::password::{PasswordHash, alter};
use super::settings::RedshiftSettings;
use super::statements::{expiry, make_safe};
use crate::postgres_wire::Session;

/// Rotates the password of one user. The user changes it itself; where it may not, the admin does whom the key
/// `masterarn` of the secret names.
///
/// Redshift keeps one password a user, so `AWSCURRENT` is refused from `setSecret` to `finishSecret`. Sessions
/// that are open stay open.
///
/// An expiry date of the password (`VALID UNTIL`) is pushed forward in the same statement. Only superusers may
/// move a date: that takes `masterarn`. Without it the date stays, which is logged as a warning.
///
/// ```
/// use rotators::password::PasswordRules;
/// use rotators::redshift::{RedshiftSettings, SingleUser};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let settings = RedshiftSettings::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), settings);
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::redshift::UnsuitableRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: RedshiftSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: RedshiftSettings) -> Self {
        Self { secrets, settings }
    }

    /// The user changes its own password, unless the date is to be moved, which only an admin may.
    async fn change_own(
        &self,
        session: &Session,
        pending: &RedshiftCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let peer = session.peer();
        let look = |fault: SessionError| fault.of_statement(peer);
        make_safe(session).await.map_err(look)?;
        let username = &pending.0.login.username;
        let days = self.settings.password_valid_days;
        let expiry = expiry(session, username, days).await.map_err(look)?;
        let expiry = expiry.filter(|expiry| expiry.too_soon);
        let may_extend = expiry.as_ref().is_some_and(|expiry| expiry.superuser);
        let mut until = expiry.map(|expiry| expiry.wanted);

        let hash = self.settings.password_hash.seen_by(session);
        if until.is_some() && !may_extend {
            if let Some(admin) = &pending.0.admin {
                return self
                    .change_as_admin(admin, pending, (hash, until.as_deref()), cx)
                    .await;
            }
            tracing::warn!(
                secret = %cx.secret(),
                "the password has an expiry date (VALID UNTIL) that the user may not change itself: add \
                 `masterarn` to the secret, or remove the date (VALID UNTIL 'infinity'), before it passes"
            );
            until = None;
        }
        let password = alter(&pending.0.login, hash, until.as_deref());
        match (session.run(&password).await, &pending.0.admin) {
            (Ok(_), _) => Ok(()),
            (Err(SessionError::Refused(SqlState::INSUFFICIENT_PRIVILEGE)), Some(admin)) => {
                self.change_as_admin(admin, pending, (hash, until.as_deref()), cx)
                    .await
            }
            (Err(fault), _) => Err(of_change(fault, peer)),
        }
    }

    async fn change_as_admin(
        &self,
        admin: &SecretId,
        pending: &RedshiftCredential,
        (hash, until): (PasswordHash, Option<&str>),
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let session = admin::open(&self.secrets, &self.settings, admin, pending, cx).await?;
        let changed = session.run(&alter(&pending.0.login, hash, until)).await;
        let changed = changed.map_err(|fault| of_change(fault, session.peer()));
        session.close().await;
        changed.map(drop)
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = RedshiftCredential;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &RedshiftCredential, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, RedshiftCredential>,
        pending: &RedshiftCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let RedshiftCredential(proven) = login.credential();
        let session = proven.enter(self.settings.terms(), cx).await?;
        let changed = self.change_own(&session, pending, cx).await;
        session.close().await;
        changed
    }

    async fn test(
        &self,
        candidate: &RedshiftCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        candidate.0.test(self.settings.terms(), cx).await
    }
}

impl<R> fmt::Debug for SingleUser<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUser")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::store::memory::MemoryStore;

    use super::*;
    use crate::password::PasswordRules;

    #[test]
    fn debug_shows_settings_only() {
        let settings = RedshiftSettings::new(&PasswordRules::default()).expect("the default");
        let rotator = SingleUser::new(MemoryStore::new(), settings);
        assert_eq!(
            format!("{rotator:?}"),
            "SingleUser { settings: RedshiftSettings { password: PasswordPolicy { length: 32, \
             characters: 89, required_types: 4 }, password_hash: Same, password_valid_days: 90, \
             ca_certificate: None, timeouts: Timeouts { login: 5s, statement: 10s } }, .. }"
        );
    }
}
