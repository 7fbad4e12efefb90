//! Two roles that take turns: while one is in use, the other gets a new password.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::connection::{Entry, Session, make_safe};
use super::credential::{FAMILY, PostgresCredential};
use super::error::SessionError;
use super::pair::{PairLayout, PairSettings};
use super::settings::PostgresSettings;
use super::twin::{self, Twin};
use super::{admin, owner};
use crate::database::current_user;
use crate::database::turns;
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
        let Ok(partner) = candidate.0.partner(&self.pair.suffix) else {
            return Ok(Verdict::Accepted);
        };
        if !is_there(session, &partner.name).await.map_err(look)? {
            return Ok(Verdict::Accepted);
        }
        let version = twin::version(session).await.map_err(look)?;
        let own = &candidate.0.login.username;
        let difference = twin::difference(session, own, &partner.name, version).await;
        let difference = difference.map_err(look)?;
        if difference.is_none() || *own == current_user(&self.secrets, &FAMILY, cx).await? {
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

    /// Why the pair of a user cannot get an owner role; asked in a session of that user.
    async fn no_owner(
        &self,
        proven: &PostgresCredential,
        cx: &Context,
    ) -> Result<Option<RotatorError>, RotatorError> {
        let session = proven.0.enter(self.settings.terms(), cx).await?;
        let refusal = owner::refusal(&session).await;
        let refusal = refusal.map_err(|fault| fault.of_statement(session.peer()));
        session.close().await;
        refusal
    }
}

impl<R: SecretReader> Rotator for AlternatingUsers<R> {
    type Credential = PostgresCredential;

    fn profile(&self) -> Profile {
        turns::profile()
    }

    async fn create(
        &self,
        current: &PostgresCredential,
        _: &Context,
    ) -> Result<Patch, RotatorError> {
        let turn = current.0.turn(&self.pair.suffix)?;
        Ok(turn.next(self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, PostgresCredential>,
        pending: &PostgresCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let turn = pending.0.turn(&self.pair.suffix)?;
        turn.check(&proven.0.login)?;
        let opened = admin::open(&self.secrets, &self.settings, turn.admin, pending, cx);
        let session = opened.await?;
        let made = async {
            let look = |fault: SessionError| fault.of_statement(session.peer());
            make_safe(&session).await.map_err(look)?;
            let name = &turn.own.username;
            let makes_owner = self.pair.layout == PairLayout::Owner
                && !is_there(&session, name).await.map_err(look)?;
            let twin = Twin {
                session: &session,
                settings: &self.settings,
                pair: &self.pair,
                partner: &turn.partner,
                wanted: turn.own,
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
        match candidate.0.log_in(self.settings.terms(), cx).await? {
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

impl<R> fmt::Debug for AlternatingUsers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlternatingUsers")
            .field("settings", &self.settings)
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}
