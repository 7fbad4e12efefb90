//! One user, whose password is replaced in place.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::amqp::log_in;
use super::credential::RabbitMqCredential;
use super::management::Management;
use super::password;
use super::settings::RabbitMqSettings;

/// Rotates the password of one user, whom the admin of `masterarn` changes.
///
/// A broker keeps one password a user, so from `setSecret` to `finishSecret` it refuses what `AWSCURRENT`
/// holds. [`AlternatingUsers`](super::AlternatingUsers) has no such gap. Connections that are open stay open.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::rabbitmq::{RabbitMqSettings, SingleUser};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), RabbitMqSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: RabbitMqSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: RabbitMqSettings) -> Self {
        Self { secrets, settings }
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = RabbitMqCredential;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(
        &self,
        current: &RabbitMqCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        current.admin()?;
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, RabbitMqCredential>,
        pending: &RabbitMqCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let (name, admin) = (&proven.login.username, proven.admin()?);
        let api = Management::open(&self.secrets, &self.settings, admin, proven, cx).await?;
        if api.admin() == name {
            return Err(RotatorError::misconfigured(
                "the admin is the user that rotates; let `masterarn` name another user",
            ));
        }
        let account = api.account(name).await?.ok_or_else(|| {
            RotatorError::refused(
                "the broker that the user logs in to is not the one that the management API knows, or the \
                 user is in another of its `auth_backends`; check `port` and `management_port`",
            )
            .with_code("404")
        })?;
        let hash = password::hash(&pending.login.password)?;
        api.set_password(name, &hash, &account.raw_tags).await
    }

    async fn test(
        &self,
        candidate: &RabbitMqCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        log_in(candidate, &self.settings, cx).await
    }
}

impl<R> fmt::Debug for SingleUser<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUser")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
