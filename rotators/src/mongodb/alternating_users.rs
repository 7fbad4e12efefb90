//! Two users that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::PairSettings;
use super::admin;
use super::connection::Session;
use super::credential::{FAMILY, MongoDbCredential};
use super::error::Role;
use super::settings::MongoDbSettings;
use super::twin::Twin;
use crate::database::current_user;
use crate::database::turns;

/// Rotates between two users with the same rights, such as `app` and `app_clone`, on `MongoDB` or Amazon
/// `DocumentDB`. An admin, whom the key `masterarn` of the secret names, makes the second one and sets
/// passwords.
///
/// What `AWSCURRENT` and `AWSPREVIOUS` hold both work until the next rotation.
///
/// ```
/// use rotators::mongodb::{AlternatingUsers, MongoDbSettings, PairSettings};
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let settings = MongoDbSettings::new(policy);
/// let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct AlternatingUsers<R> {
    secrets: R,
    settings: MongoDbSettings,
    pair: PairSettings,
}

impl<R: SecretReader> AlternatingUsers<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: MongoDbSettings, pair: PairSettings) -> Self {
        Self {
            secrets,
            settings,
            pair,
        }
    }

    /// Lets the admin work on the user of this credential.
    async fn as_admin<T>(
        &self,
        wanted: &MongoDbCredential,
        cx: &Context,
        work: impl AsyncFnOnce(&mut Twin<'_>) -> Result<T, RotatorError>,
    ) -> Result<T, RotatorError> {
        let turn = wanted.turn(&self.pair.suffix)?;
        let admin = admin::read(&self.secrets, turn.admin, wanted, cx).await?;
        let own = &wanted.user;
        let pair = [&turn.partner.name, &own.login.username];
        // An admin that is one of the two would change itself.
        if admin.database == own.database && pair.contains(&&admin.login.username) {
            return Err(RotatorError::misconfigured(
                "the admin is one of the two users that take turns; let `masterarn` name another user",
            ));
        }
        let mut session = admin::open(&admin, &self.settings, wanted, cx).await?;
        let mut twin = Twin {
            session: &mut session,
            model: &turn.partner,
            wanted: own,
        };
        work(&mut twin).await
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = MongoDbCredential;

    fn profile(&self) -> Profile {
        turns::profile()
    }

    async fn create(
        &self,
        current: &MongoDbCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        let turn = current.turn(&self.pair.suffix)?;
        Ok(turn.next(self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, MongoDbCredential>,
        pending: &MongoDbCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        pending
            .turn(&self.pair.suffix)?
            .check(&login.credential().user.login)?;
        let make = async |twin: &mut Twin<'_>| twin.make().await;
        self.as_admin(pending, cx, make).await
    }

    /// A comparison and a login.
    ///
    /// `Rejected` is also said of a pending user that may not do the same as the user in use: then
    /// `setSecret` brings it into line, and the other steps do not go on. Of the user in use a login is
    /// enough, whatever the other one may.
    async fn test(
        &self,
        candidate: &MongoDbCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let user = &candidate.user;
        let in_use = current_user(&self.secrets, &FAMILY, cx).await?;
        if user.login.username != in_use {
            let judge = async |twin: &mut Twin<'_>| twin.readiness().await;
            let readiness = self.as_admin(candidate, cx, judge).await?;
            if let Err(verdict) = readiness.has_password(cx) {
                return Ok(verdict);
            }
        }
        let entry = Session::open(candidate, (user, Role::Own), &self.settings, cx).await?;
        Ok(entry.verdict())
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
