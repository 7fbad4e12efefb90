//! Gives the second user the rights of the first, and its password last, in one transaction.
//!
//! `PostgreSQL` takes back a transaction that does not come to its end, with the roles made in it. So a user
//! of a pair has its new password and all rights, or is what it was before.

use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::credential::Login;
use super::error::{Peer, SessionError, of_change};
use super::pair::{PairLayout, PairSettings, Partner};
use super::password::with_password;
use super::portrait::{MEMBERSHIP_OPTIONS, Membership, Portrait, Step};
use super::rights::Difference;
use super::role_setting::{Key, ROLE};
use super::settings::PostgresSettings;
use super::wording::{Stage, grant_to_admin};
use super::{layout, owner};
use crate::postgres_wire::{Ident, Literal, Sql};

/// The admin's work on a pair.
pub(super) struct Twin<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: &'a PostgresSettings,
    pub(super) pair: &'a PairSettings,
    /// The user whose rights count.
    pub(super) partner: &'a Partner,
    /// The user that gets them, with its new password.
    pub(super) wanted: &'a Login,
    /// Who was let in a moment ago.
    pub(super) proven: &'a Login,
    /// Why the pair cannot have an owner role, as far as a session of the proven user knows.
    pub(super) no_owner: Option<RotatorError>,
    pub(super) version: u32,
}

/// The version of the server, such as 180004.
pub(super) async fn version(session: &Session) -> Result<u32, SessionError> {
    let version = session.run(&Sql::new("SHOW server_version_num")).await?;
    Ok(version.and_then(|v| v.parse().ok()).unwrap_or_default())
}

/// What two users may not do alike, be it for rights or for what they are.
pub(super) async fn difference(
    session: &Session,
    one: &str,
    two: &str,
    version: u32,
) -> Result<Difference, SessionError> {
    let pair = (
        Portrait::of(session, one, version).await?,
        Portrait::of(session, two, version).await?,
    );
    let (Some(first), Some(second)) = pair else {
        return Ok(Difference::default().and(vec!["one of the users is gone"]));
    };
    let others = first.apart_from(two).differences(&second.apart_from(one));
    let rights = Difference::between(session, one, two, version).await?;
    Ok(rights.and(others))
}

impl Twin<'_> {
    /// All of it, or nothing.
    pub(super) async fn make(&self) -> Result<(), RotatorError> {
        // A function that is killed leaves its transaction behind, with locks on the roles: the server ends
        // it after the second time, and the next try waits no longer than the first.
        let begin = Sql::new("BEGIN; SET LOCAL lock_timeout = '5s'; ")
            .text("SET LOCAL idle_in_transaction_session_timeout = '20s'");
        self.run(Stage::Make, &begin).await?;
        let done = self.steps().await;
        let end = Sql::new(if done.is_ok() { "COMMIT" } else { "ROLLBACK" });
        let ended = self.session.run(&end).await;
        done?;
        ended
            .map(drop)
            .map_err(|fault| self.fault(Stage::Make, fault))
    }

    async fn steps(&self) -> Result<(), RotatorError> {
        let (first, second) = (&self.partner.name, &self.wanted.username);
        let Some(mut model) = self.portrait(first).await? else {
            return Err(RotatorError::misconfigured(format!(
                "{} has no role of the name of the other user of the pair; create it with the same rights",
                self.peer()
            )));
        };
        let mut present = self.portrait(second).await?;
        self.check_admin(if present.is_some() { second } else { first })
            .await?;
        let layout = layout::of(&model, present.as_ref(), self)?;
        if layout == layout::Layout::New(PairLayout::Owner) {
            owner::introduce(self, &model).await?;
            model = self.portrait(first).await?.unwrap_or(model);
        }
        if present.is_none() {
            let create = Sql::new("CREATE ROLE ").ident(Ident(second));
            self.run(Stage::Make, &create.text(" NOLOGIN INHERIT"))
                .await?;
            present = self.portrait(second).await?;
        }
        let Some(present) = present else {
            return Err(self.peer().broken("while a role was made"));
        };
        let mut steps = layout.steps(&model, &present, self);
        let (model, present) = (model.apart_from(second), present.apart_from(first));
        steps.extend(model.steps(second, &present));
        if layout.copies_memberships() {
            steps.extend(model.membership_steps(second, &present, self.version));
        }
        self.run_all(&steps).await?;
        self.compare().await?;
        self.set_password().await
    }

    /// Membership in another user and acting as it.
    pub(super) fn join(&self, of: &str, member: &str) -> [Step; 2] {
        let role = Key {
            database: None,
            name: ROLE.to_owned(),
        };
        [
            (
                Stage::Make,
                Membership::FULL.grant(of, member, self.version),
            ),
            (Stage::Make, role.set(member, of)),
        ]
    }

    pub(super) async fn run_all(&self, steps: &[Step]) -> Result<(), RotatorError> {
        for (stage, statement) in steps {
            self.run(*stage, statement).await?;
        }
        Ok(())
    }

    pub(super) async fn run(
        &self,
        stage: Stage,
        statement: &Sql,
    ) -> Result<Option<String>, RotatorError> {
        let answer = self.session.run(statement).await;
        answer.map_err(|fault| self.fault(stage, fault))
    }

    pub(super) fn peer(&self) -> &Peer {
        self.session.peer()
    }

    fn fault(&self, stage: Stage, fault: SessionError) -> RotatorError {
        fault.of_stage(stage, self.peer())
    }

    pub(super) async fn portrait(&self, role: &str) -> Result<Option<Portrait>, RotatorError> {
        let portrait = Portrait::of(self.session, role, self.version).await;
        portrait.map_err(|fault| self.fault(Stage::Look, fault))
    }

    /// Says in advance what would be refused halfway.
    async fn check_admin(&self, role: &str) -> Result<(), RotatorError> {
        let question = Sql::new("SELECT CASE WHEN current_user IN (")
            .literal(Literal(&self.partner.name))
            .text(", ")
            .literal(Literal(&self.wanted.username))
            .text(") THEN 'pair' WHEN NOT (rolsuper OR rolcreaterole) THEN 'createrole' ")
            .text("WHEN NOT pg_has_role(oid, ")
            .literal(Literal(role))
            .text("::name, 'MEMBER WITH ADMIN OPTION') THEN 'admin' END ")
            .text("FROM pg_roles WHERE rolname = current_user");
        let missing = self.run(Stage::Look, &question).await?;
        let peer = self.peer();
        Err(RotatorError::refused(match missing.as_deref() {
            Some("pair") => format!(
                "{peer} is one of the two users that take turns; let `masterarn` name another role"
            ),
            Some("createrole") => {
                format!("{peer} may not make roles; ALTER ROLE the admin CREATEROLE")
            }
            Some("admin") if self.version >= MEMBERSHIP_OPTIONS => format!(
                "{peer} has no right on a user of the pair; run as a superuser: {}",
                grant_to_admin(role)
            ),
            _ => return Ok(()),
        }))
    }

    /// The promise that the password is given on.
    async fn compare(&self) -> Result<(), RotatorError> {
        let (one, two) = (&self.partner.name, &self.wanted.username);
        let difference = difference(self.session, one, two, self.version).await;
        let difference = difference.map_err(|fault| self.fault(Stage::Look, fault))?;
        if difference.is_none() {
            return Ok(());
        }
        Err(RotatorError::misconfigured(format!(
            "at {} the two users of the pair may not do the same: {difference}; nothing was changed; give \
             both the same, or none of them, and rotate again (docs/postgres.md tells how to list it)",
            self.peer()
        )))
    }

    async fn set_password(&self) -> Result<(), RotatorError> {
        let until = self.new_expiry().await?;
        let alter = Sql::new("ALTER ROLE ").ident(Ident(&self.wanted.username));
        let form = self.settings.password_form;
        let alter = with_password(alter.text(" LOGIN"), self.wanted, form, until.as_deref());
        let changed = self.session.run(&alter).await.map(drop);
        changed.map_err(|fault| of_change(fault, self.peer(), form))
    }

    /// Until when the new password must be valid: where either user has a date, so that both have one.
    async fn new_expiry(&self) -> Result<Option<String>, RotatorError> {
        let question = Sql::new("SELECT to_char(wanted AT TIME ZONE 'UTC', ")
            .text("'YYYY-MM-DD HH24:MI:SS') || '+00' FROM (SELECT own.rolvaliduntil AS has, ")
            .text("other.rolvaliduntil AS others, now() + ")
            .number(self.settings.password_valid_days.max(1))
            .text(" * interval '1 day' AS wanted FROM pg_roles AS own, pg_roles AS other ")
            .text("WHERE own.rolname = ")
            .literal(Literal(&self.wanted.username))
            .text(" AND other.rolname = ")
            .literal(Literal(&self.partner.name))
            .text(") AS dates WHERE has < wanted OR has IS NULL AND isfinite(others)");
        self.run(Stage::Look, &question).await
    }
}
