//! Two users that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::PairSettings;
use super::admin;
use super::connection::{Entry, Session};
use super::credential::{FAMILY, SqlServerCredential};
use super::error::Role;
use super::settings::SqlServerSettings;
use super::single_user::new_password;
use super::twin::Twin;
use crate::database::current_user;
use crate::database::turns;

/// Rotates between two users with the same rights, such as `app` and `app_clone`. An admin, whom the key
/// `masterarn` of the secret names, makes the second one and sets passwords.
///
/// What `AWSCURRENT` and `AWSPREVIOUS` hold both work until the next rotation.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::sqlserver::{AlternatingUsers, PairSettings, SqlServerSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let settings = SqlServerSettings::new(policy);
/// let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct AlternatingUsers<R> {
    secrets: R,
    settings: SqlServerSettings,
    pair: PairSettings,
}

impl<R: SecretReader> AlternatingUsers<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: SqlServerSettings, pair: PairSettings) -> Self {
        Self {
            secrets,
            settings,
            pair,
        }
    }

    /// Lets the admin work on the user of this credential.
    async fn as_admin<T>(
        &self,
        wanted: &SqlServerCredential,
        cx: &Context,
        work: impl AsyncFnOnce(&mut Twin<'_>) -> Result<T, RotatorError>,
    ) -> Result<T, RotatorError> {
        let turn = wanted.turn(&self.pair.suffix)?;
        let opened = admin::open(&self.secrets, &self.settings, turn.admin, wanted, cx);
        let mut session = opened.await?;
        let mut twin = Twin {
            session: &mut session,
            settings: &self.settings,
            suffix: &self.pair.suffix,
            database: &wanted.database,
            model: &turn.partner,
            wanted: turn.own,
        };
        let done = work(&mut twin).await;
        session.close().await;
        done
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = SqlServerCredential;

    fn profile(&self) -> Profile {
        turns::profile()
    }

    async fn create(
        &self,
        current: &SqlServerCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        let turn = current.turn(&self.pair.suffix)?;
        Ok(turn.next(new_password(&self.settings)?))
    }

    async fn set(
        &self,
        login: Proven<'_, SqlServerCredential>,
        pending: &SqlServerCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        pending
            .turn(&self.pair.suffix)?
            .check(&login.credential().login)?;
        let make = async |twin: &mut Twin<'_>| Box::pin(twin.make()).await;
        self.as_admin(pending, cx, make).await
    }

    /// A comparison and a login.
    ///
    /// `Rejected` is also said of a pending user that may not do the same as the user in use: then
    /// `setSecret` brings it into line, and the other steps do not go on. Of the user in use a login is
    /// enough, whatever the other one may.
    async fn test(
        &self,
        candidate: &SqlServerCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let in_use = current_user(&self.secrets, &FAMILY, cx).await?;
        if candidate.login.username != in_use {
            let judge = async |twin: &mut Twin<'_>| Box::pin(twin.readiness()).await;
            let readiness = self.as_admin(candidate, cx, judge).await?;
            if let Err(verdict) = readiness.has_password(cx) {
                return Ok(verdict);
            }
        }
        match Session::open(candidate, &candidate.login, Role::Own, &self.settings, cx).await? {
            Entry::Wrong => Ok(Verdict::Rejected),
            Entry::Open(session) => session.works().await,
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
