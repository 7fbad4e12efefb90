//! Two roles that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::{SecretReader, Version};
use tokio::time::timeout_at;

use super::connection::{Entry, Session, make_safe};
use super::credential::{FAMILY, PostgresCredential};
use super::error::{Role, SessionError, unread_current};
use super::pair::{PairLayout, PairSettings, partner_of};
use super::settings::PostgresSettings;
use super::twin::{self, Twin};
use super::{admin, owner};
use crate::postgres_wire::{Literal, Sql};

/// Rotates between two roles with the same rights, such as `app` and `app_clone`. An admin, whom the key
/// `masterarn` of the secret names, makes the second one and sets passwords.
///
/// What `AWSCURRENT` and `AWSPREVIOUS` hold both work until the next rotation.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::postgres::{AlternatingUsers, PairSettings, PostgresSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let settings = PostgresSettings::new(policy);
/// let rotator = AlternatingUsers::new(store.clone(), settings, PairSettings::default());
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct AlternatingUsers<R> {
    secrets: R,
    settings: PostgresSettings,
    pair: PairSettings,
}

impl<R: SecretReader> AlternatingUsers<R> {
    /// A rotator with these settings; `secrets` is where the admin's secret is read.
    pub fn new(secrets: R, settings: PostgresSettings, pair: PairSettings) -> Self {
        Self {
            secrets,
            settings,
            pair,
        }
    }

    async fn open(
        &self,
        PostgresCredential(role): &PostgresCredential,
        cx: &Context,
    ) -> Result<Entry, RotatorError> {
        let terms = self.settings.terms();
        Session::open(role.place(), &role.login, Role::Own, terms, cx).await
    }

    /// Whether the user that is logged in may do what its partner may.
    async fn judge(
        &self,
        session: &Session,
        candidate: &PostgresCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let look = |fault: SessionError| fault.of_statement(session.peer());
        make_safe(session).await.map_err(look)?;
        // Where there can be no partner, creating says why.
        let Ok(partner) = partner_of(candidate, &self.pair) else {
            return Ok(Verdict::Accepted);
        };
        if !is_there(session, &partner.name).await.map_err(look)? {
            return Ok(Verdict::Accepted);
        }
        let version = twin::version(session).await.map_err(look)?;
        let own = &candidate.0.login.username;
        let difference = twin::difference(session, own, &partner.name, version).await;
        let difference = difference.map_err(look)?;
        if difference.is_none() || self.is_current(own, cx).await? {
            return Ok(Verdict::Accepted);
        }
        tracing::warn!(
            secret = %cx.secret(),
            difference = %difference,
            "the user logs in, but may not do the same as the user in use; setSecret brings them into line \
             or says who must"
        );
        Ok(Verdict::Rejected)
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

    /// Why the pair of a user cannot get an owner role; asked in a session of that user.
    async fn no_owner(
        &self,
        proven: &PostgresCredential,
        cx: &Context,
    ) -> Result<Option<RotatorError>, RotatorError> {
        let Entry::Open(session) = self.open(proven, cx).await? else {
            return Err(RotatorError::unreachable(
                "the server refuses a password that it took a moment ago: somebody else changed it; try \
                 again, which finds the one that holds",
            ));
        };
        let refusal = owner::refusal(&session).await;
        let refusal = refusal.map_err(|fault| fault.of_statement(session.peer()));
        session.close().await;
        refusal
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = PostgresCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["username", "password"]);
        Profile::new(keys, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
    }

    async fn create(
        &self,
        current: &PostgresCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        admin_of(current)?;
        let partner = partner_of(current, &self.pair)?;
        let password = self.settings.password.generate()?;
        Ok(Patch::key("username", partner.name.as_str().into()).and("password", password))
    }

    async fn set(
        &self,
        login: Proven<'_, PostgresCredential>,
        pending: &PostgresCredential,
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
        let session = admin::open(&self.secrets, &self.settings, admin, pending, cx).await?;
        let made = async {
            let look = |fault: SessionError| fault.of_statement(session.peer());
            make_safe(&session).await.map_err(look)?;
            let name = &pending.0.login.username;
            let makes_owner = self.pair.layout == PairLayout::Owner
                && !is_there(&session, name).await.map_err(look)?;
            let twin = Twin {
                session: &session,
                settings: &self.settings,
                pair: &self.pair,
                partner: &partner,
                wanted: &pending.0.login,
                proven: &proven.0.login,
                no_owner: if makes_owner {
                    self.no_owner(proven, cx).await?
                } else {
                    None
                },
                version: twin::version(&session).await.map_err(look)?,
            };
            twin.make().await
        }
        .await;
        session.close().await;
        made
    }

    /// A login and a comparison.
    ///
    /// `Rejected` is also said of a pending user that may not do the same as the user in use: then
    /// `setSecret` brings it into line, and the other steps do not go on. Of the user in use a login is
    /// enough, whatever the other one may.
    async fn test(
        &self,
        candidate: &PostgresCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match self.open(candidate, cx).await? {
            Entry::Wrong => Ok(Verdict::Rejected),
            Entry::Open(session) => {
                let verdict = self.judge(&session, candidate, cx).await;
                session.close().await;
                verdict
            }
        }
    }
}

async fn is_there(session: &Session, role: &str) -> Result<bool, SessionError> {
    let question = Sql::new("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ");
    let found = session.run(&question.literal(Literal(role))).await?;
    Ok(found.is_some())
}

fn admin_of(secret: &PostgresCredential) -> Result<&secrets_core::event::SecretId, RotatorError> {
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
