//! One role, whose password is replaced in place.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;
use tokio_postgres::error::SqlState;

use super::admin;
use super::connection::{Session, make_safe};
use super::credential::{Login, PostgresCredential};
use super::error::{SessionError, of_change};
use super::password::with_password;
use super::settings::PostgresSettings;
use crate::postgres_wire::{Ident, Literal, Sql};

/// Rotates the password of one role. The role changes it itself; where it may not, the admin does whom
/// the key `masterarn` of the secret names.
///
/// `PostgreSQL` keeps one password a role, so `AWSCURRENT` is refused from `setSecret` to `finishSecret`.
/// Sessions that are open stay open.
///
/// An expiry date of the password (`VALID UNTIL`) is pushed forward in the same statement. Roles may not
/// change their own date: that takes `masterarn`. Without it the date stays, which is logged as a warning.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::postgres::{PostgresSettings, SingleUser};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), PostgresSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: PostgresSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: PostgresSettings) -> Self {
        Self { secrets, settings }
    }

    /// Until when the new password must be valid, where that is later than what the role has.
    async fn new_expiry(
        &self,
        session: &Session,
        username: &str,
    ) -> Result<Option<String>, SessionError> {
        let question = Sql::new("SELECT to_char(wanted AT TIME ZONE 'UTC', ")
            .text("'YYYY-MM-DD HH24:MI:SS') || '+00' FROM (SELECT rolvaliduntil, now() + ")
            .number(self.settings.password_valid_days.max(1))
            .text(" * interval '1 day' AS wanted FROM pg_roles WHERE rolname = ")
            .literal(Literal(username))
            .text(") AS role WHERE rolvaliduntil < wanted");
        match session.run(&question).await {
            // A server that shows its roles to nobody: then the date stays as it is.
            Err(SessionError::Refused(SqlState::INSUFFICIENT_PRIVILEGE)) => Ok(None),
            other => other,
        }
    }

    fn change(&self, wanted: &Login, valid_until: Option<&str>) -> Sql {
        let alter = Sql::new("ALTER ROLE ").ident(Ident(&wanted.username));
        with_password(alter, wanted, self.settings.password_form, valid_until)
    }

    /// The role changes its own password; the date stays where only an admin could move it.
    async fn change_own(
        &self,
        session: &Session,
        pending: &PostgresCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let peer = session.peer();
        let statement = |fault: SessionError| fault.of_statement(peer);
        let change = |fault: SessionError| of_change(fault, peer, self.settings.password_form);
        // `ALTER ROLE .. SET role` makes every session start as another role, who may not do this.
        let own_role = Sql::new("SET ROLE NONE");
        session.run(&own_role).await.map_err(statement)?;
        make_safe(session).await.map_err(statement)?;

        let username = &pending.0.login.username;
        let new_expiry = self.new_expiry(session, username).await;
        let mut valid_until = new_expiry.map_err(statement)?;
        if let Some(until) = &valid_until
            && !may_extend(session, username, until).await.map_err(change)?
        {
            if let Some(admin) = &pending.0.admin {
                let until = valid_until.as_deref();
                return self.change_as_admin(admin, pending, until, cx).await;
            }
            tracing::warn!(
                secret = %cx.secret(),
                "the password has an expiry date (VALID UNTIL) that the role may not change itself: add \
                 `masterarn` to the secret, or remove the date (VALID UNTIL 'infinity'), before it passes"
            );
            valid_until = None;
        }
        let password = self.change(&pending.0.login, valid_until.as_deref());
        match (session.run(&password).await, &pending.0.admin) {
            (Ok(_), _) => Ok(()),
            (Err(SessionError::Refused(SqlState::INSUFFICIENT_PRIVILEGE)), Some(admin)) => {
                let until = valid_until.as_deref();
                self.change_as_admin(admin, pending, until, cx).await
            }
            (Err(fault), _) => Err(change(fault)),
        }
    }

    async fn change_as_admin(
        &self,
        admin: &SecretId,
        pending: &PostgresCredential,
        valid_until: Option<&str>,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let session = admin::open(&self.secrets, &self.settings, admin, pending, cx).await?;
        let peer = session.peer();
        let changed = match make_safe(&session).await {
            Err(fault) => Err(fault.of_statement(peer)),
            Ok(()) => match session
                .run(&self.change(&pending.0.login, valid_until))
                .await
            {
                Err(fault) => Err(of_change(fault, peer, self.settings.password_form)),
                Ok(_) => Ok(()),
            },
        };
        session.close().await;
        changed
    }
}

/// Whether the session may move the date. Asked beforehand, in a transaction that is taken back: servers
/// log statements that they refuse, and the one that is sent in earnest holds a password.
async fn may_extend(
    session: &Session,
    username: &str,
    valid_until: &str,
) -> Result<bool, SessionError> {
    session.run(&Sql::new("BEGIN")).await?;
    let extend = Sql::new("ALTER ROLE ")
        .ident(Ident(username))
        .text(" VALID UNTIL ")
        .literal(Literal(valid_until));
    let extended = session.run(&extend).await;
    session.run(&Sql::new("ROLLBACK")).await?;
    match extended {
        Ok(_) => Ok(true),
        Err(SessionError::Refused(SqlState::INSUFFICIENT_PRIVILEGE)) => Ok(false),
        Err(fault) => Err(fault),
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = PostgresCredential;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &PostgresCredential, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, PostgresCredential>,
        pending: &PostgresCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let PostgresCredential(proven) = login.credential();
        let session = proven.enter(self.settings.terms(), cx).await?;
        let changed = self.change_own(&session, pending, cx).await;
        session.close().await;
        changed
    }

    async fn test(
        &self,
        candidate: &PostgresCredential,
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
    use crate::password::{PasswordPolicy, PasswordRules};

    #[test]
    fn debug_shows_settings_only() {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
        let rotator = SingleUser::new(MemoryStore::new(), PostgresSettings::new(policy));
        assert_eq!(
            format!("{rotator:?}"),
            "SingleUser { settings: PostgresSettings { password: PasswordPolicy { length: 32, \
             characters: 89, required_types: 4 }, password_form: Scram, password_valid_days: 90, \
             ca_certificate: None, admin_servers: AdminServers { rds: None }, timeouts: Timeouts { login: 5s, statement: 10s } }, .. }"
        );
    }
}
