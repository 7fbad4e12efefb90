//! Two users that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::PairSettings;
use super::amqp::{ACCESS_REFUSED, log_in};
use super::credential::{FAMILY, RabbitMqCredential};
use super::management::Management;
use super::settings::RabbitMqSettings;
use super::twin::Twin;
use crate::database::current_user;
use crate::database::turns;

/// Rotates between two users with the same rights, such as `app` and `app_clone`. An admin, whom the key
/// `masterarn` of the secret names, makes the second one and sets passwords.
///
/// What `AWSCURRENT` and `AWSPREVIOUS` hold both work until the next rotation. Connections that are open stay
/// open.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::rabbitmq::{AlternatingUsers, PairSettings, RabbitMqSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let settings = RabbitMqSettings::new(policy);
/// let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct AlternatingUsers<R> {
    secrets: R,
    settings: RabbitMqSettings,
    pair: PairSettings,
}

impl<R: SecretReader> AlternatingUsers<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: RabbitMqSettings, pair: PairSettings) -> Self {
        Self {
            secrets,
            settings,
            pair,
        }
    }

    /// Lets the admin work on the user of this credential.
    async fn as_admin<T>(
        &self,
        wanted: &RabbitMqCredential,
        cx: &Context,
        work: impl AsyncFnOnce(Twin<'_>) -> Result<T, RotatorError>,
    ) -> Result<T, RotatorError> {
        let turn = wanted.turn(&self.pair.suffix)?;
        let opened = Management::open(&self.secrets, &self.settings, turn.admin, wanted, cx);
        let api = opened.await?;
        let twin = Twin {
            api: &api,
            model: &turn.partner,
            wanted: turn.own,
        };
        work(twin).await
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = RabbitMqCredential;

    fn profile(&self) -> Profile {
        turns::profile()
    }

    async fn create(
        &self,
        current: &RabbitMqCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        let turn = current.turn(&self.pair.suffix)?;
        Ok(turn.next(self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, RabbitMqCredential>,
        pending: &RabbitMqCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        pending
            .turn(&self.pair.suffix)?
            .check(&login.credential().login)?;
        let make = async |twin: Twin<'_>| twin.make().await;
        self.as_admin(pending, cx, make).await
    }

    /// A comparison and a login.
    ///
    /// `Rejected` is also said of a pending user that may not do the same as the user in use: then
    /// `setSecret` brings it into line, and the other steps do not go on. Of the user in use a login is
    /// enough, whatever the other one may.
    async fn test(
        &self,
        candidate: &RabbitMqCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let in_use = current_user(&self.secrets, &FAMILY, cx).await?;
        let mut password_is_known = false;
        if candidate.login.username != in_use {
            let judge = async |twin: Twin<'_>| twin.readiness().await;
            match self.as_admin(candidate, cx, judge).await?.has_password(cx) {
                Ok(known) => password_is_known = known,
                Err(verdict) => return Ok(verdict),
            }
        }
        match log_in(candidate, &self.settings, cx).await? {
            Verdict::Rejected if password_is_known => Err(RotatorError::refused(
                "the broker refuses the second user, though the password is right; check that its \
                 `auth_backends` hold `internal`, that `loopback_users` does not hold the user, and that `port` \
                 and `management_port` lead to the same broker",
            )
            .with_code(ACCESS_REFUSED.to_string())),
            verdict => Ok(verdict),
        }
    }
}

impl<R> fmt::Debug for AlternatingUsers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlternatingUsers")
            .field("settings", &self.settings)
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}
