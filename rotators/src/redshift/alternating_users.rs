//! Two users that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::{SecretReader, Version};
use tokio::time::timeout_at;

use super::admin;
use super::credential::{FAMILY, RedshiftCredential};
use super::error::{Role, unread_current};
use super::pair::{PairSettings, partner_of};
use super::password::PasswordHash;
use super::settings::RedshiftSettings;
use super::single_user::taken_away;
use super::twin::{self, Twin};
use crate::postgres_wire::{Entry, Session, Sql};

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

    async fn open(&self, user: &RedshiftCredential, cx: &Context) -> Result<Entry, RotatorError> {
        let RedshiftCredential(user) = user;
        let terms = self.settings.terms();
        Session::open(user.place(), &user.login, Role::Own, terms, cx).await
    }

    /// Whether a user that could log in may do what its partner may. Of the user in use a login is enough.
    async fn judge(
        &self,
        candidate: &RedshiftCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let own = &candidate.0.login.username;
        // Where there can be no partner, or no admin, creating says why.
        let (Ok(partner), Some(admin)) = (partner_of(candidate, &self.pair), &candidate.0.admin)
        else {
            return Ok(Verdict::Accepted);
        };
        if self.is_current(own, cx).await? {
            return Ok(Verdict::Accepted);
        }
        let session = admin::open(&self.secrets, &self.settings, admin, candidate, cx).await?;
        let difference = twin::difference(&session, [&partner.name, own]).await;
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

    /// Whether it is the user that applications read, whose rights are the measure.
    async fn is_current(&self, username: &str, cx: &Context) -> Result<bool, RotatorError> {
        let read = self.secrets.get(cx.secret(), &Version::CURRENT);
        let current = match timeout_at(cx.deadline(), read).await {
            Ok(read) => read.map_err(|fault| unread_current(&fault))?,
            Err(_) => {
                return Err(RotatorError::unreachable(
                    "the current version of the secret was not read in time; try again later",
                ));
            }
        };
        let current = (FAMILY.login)(&current.document).map_err(|fault| {
            RotatorError::misconfigured(format!("in the current version of the secret {fault}"))
        })?;
        Ok(current.username == username)
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
        let Entry::Open(session) = self.open(proven, cx).await? else {
            return Err(taken_away());
        };
        let hash = chosen.seen_by(&session);
        session.close().await;
        Ok(hash)
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = RedshiftCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["username", "password"]);
        Profile::new(keys, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
    }

    async fn create(
        &self,
        current: &RedshiftCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        admin_of(current)?;
        let partner = partner_of(current, &self.pair)?;
        let password = self.settings.password.generate()?;
        Ok(Patch::key("username", partner.name.as_str().into()).and("password", password))
    }

    async fn set(
        &self,
        login: Proven<'_, RedshiftCredential>,
        pending: &RedshiftCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let partner = partner_of(pending, &self.pair)?;
        // Whoever may write a pending value must not be able to name a user of somebody else's.
        let pair = [&partner.name, &pending.0.login.username];
        if !pair.contains(&&proven.0.login.username) {
            return Err(RotatorError::misconfigured(
                "the pending version names a user that does not take turns with the current one; remove \
                 AWSPENDING from it, then rotate again",
            ));
        }
        let admin = admin_of(pending)?;
        let hash = self.hash(proven, cx).await?;
        let session = admin::open(&self.secrets, &self.settings, admin, pending, cx).await?;
        let twin = Twin {
            session: &session,
            settings: &self.settings,
            partner: &partner,
            wanted: &pending.0.login,
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
        match self.open(candidate, cx).await? {
            Entry::Wrong => Ok(Verdict::Rejected),
            Entry::Open(session) => {
                let answer = session.run(&Sql::new("SELECT 1")).await;
                let answer = answer.map_err(|fault| fault.of_statement(session.peer()));
                session.close().await;
                answer?;
                self.judge(candidate, cx).await
            }
        }
    }
}

fn admin_of(secret: &RedshiftCredential) -> Result<&SecretId, RotatorError> {
    secret.0.admin.as_ref().ok_or_else(|| {
        RotatorError::misconfigured(
            "users that take turns need an admin; add `masterarn`, the admin's secret, to the secret",
        )
    })
}

impl<R> fmt::Debug for AlternatingUsers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlternatingUsers")
            .field("settings", &self.settings)
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}
