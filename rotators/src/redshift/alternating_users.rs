//! Two users that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::PairSettings;
use super::admin;
use super::credential::{FAMILY, RedshiftCredential};
use super::password::PasswordHash;
use super::settings::RedshiftSettings;
use super::twin::{self, Twin};
use crate::database::current_user;
use crate::database::turns;

/// Rotates between two users with the same rights, such as `app` and `app_clone`. An admin, whom the key
/// `masterarn` of the secret names, makes the second one, brings its rights into line and sets passwords.
///
/// What `AWSCURRENT` and `AWSPREVIOUS` hold both work until the next rotation.
///
/// ```
/// use rotators::password::PasswordRules;
/// use rotators::redshift::{AlternatingUsers, PairSettings, RedshiftSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let settings = RedshiftSettings::new(&PasswordRules::default())?;
/// let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::redshift::UnsuitableRules>(())
/// ```
pub struct AlternatingUsers<R> {
    secrets: R,
    settings: RedshiftSettings,
    pair: PairSettings,
}

impl<R: SecretReader> AlternatingUsers<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: RedshiftSettings, pair: PairSettings) -> Self {
        Self {
            secrets,
            settings,
            pair,
        }
    }

    /// Whether a user that could log in may do what its partner may. Of the user in use a login is enough.
    async fn judge(
        &self,
        candidate: &RedshiftCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        // Where there can be no partner, or no admin, creating says why.
        let Ok(turn) = candidate.0.turn(&self.pair.suffix) else {
            return Ok(Verdict::Accepted);
        };
        let own = &turn.own.username;
        if *own == current_user(&self.secrets, &FAMILY, cx).await? {
            return Ok(Verdict::Accepted);
        }
        let opened = admin::open(&self.secrets, &self.settings, turn.admin, candidate, cx);
        let session = opened.await?;
        let difference = twin::difference(&session, [&turn.partner.name, own]).await;
        session.close().await;
        match difference? {
            Some(difference) if !difference.is_none() => {
                tracing::warn!(
                    secret = %cx.secret(),
                    difference = %difference,
                    "the user logs in, but may not do the same as the user in use; setSecret brings them into \
                     line or says who must"
                );
                Ok(Verdict::Rejected)
            }
            _ => Ok(Verdict::Accepted),
        }
    }

    /// As what kind of hash the new password is kept: a login of the user in use tells.
    async fn hash(
        &self,
        proven: &RedshiftCredential,
        cx: &Context,
    ) -> Result<PasswordHash, RotatorError> {
        let chosen = self.settings.password_hash;
        if chosen != PasswordHash::Same {
            return Ok(chosen);
        }
        let session = proven.0.enter(self.settings.terms(), cx).await?;
        let hash = chosen.seen_by(&session);
        session.close().await;
        Ok(hash)
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = RedshiftCredential;

    fn profile(&self) -> Profile {
        turns::profile()
    }

    async fn create(
        &self,
        current: &RedshiftCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        let turn = current.0.turn(&self.pair.suffix)?;
        Ok(turn.next(self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, RedshiftCredential>,
        pending: &RedshiftCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let turn = pending.0.turn(&self.pair.suffix)?;
        turn.check(&proven.0.login)?;
        let hash = self.hash(proven, cx).await?;
        let opened = admin::open(&self.secrets, &self.settings, turn.admin, pending, cx);
        let session = opened.await?;
        let twin = Twin {
            session: &session,
            settings: &self.settings,
            partner: &turn.partner,
            wanted: turn.own,
            hash,
        };
        let made = twin.make().await;
        session.close().await;
        made
    }

    /// A login, and for the user that is not in use a comparison, which takes the admin: users do not see what
    /// others may do.
    ///
    /// `Rejected` is also said of a pending user that may not do the same as the user in use: then `setSecret`
    /// brings it into line, and the other steps do not go on.
    async fn test(
        &self,
        candidate: &RedshiftCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match candidate.0.test(self.settings.terms(), cx).await? {
            Verdict::Accepted => self.judge(candidate, cx).await,
            verdict @ Verdict::Rejected => Ok(verdict),
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
