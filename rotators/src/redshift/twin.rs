//! Gives the second user the rights of the first, and its password last, in one transaction.
//!
//! Redshift takes back a transaction that does not come to its end, with the users made in it. So a user of a
//! pair has its new password and all rights, or is what it was before.

use secrets_core::rotator::RotatorError;

use super::credential::Login;
use super::difference::{Difference, Step};
use super::error::{Peer, of_change};
use super::password::{PasswordHash, alter};
use super::portrait::{self, Portrait};
use super::settings::RedshiftSettings;
use super::statements::expiry;
use super::wording::{no_superuser, of_look, of_step};
use crate::database::pair::Partner;
use crate::postgres_wire::{Ident, Session, Sql};

/// The admin's work on a pair.
pub(super) struct Twin<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: &'a RedshiftSettings,
    /// The user whose rights count.
    pub(super) partner: &'a Partner,
    /// The user that gets them, with its new password.
    pub(super) wanted: &'a Login,
    /// As what kind of hash.
    pub(super) hash: PasswordHash,
}

/// What two users may not do alike; none if one of them is not there.
pub(super) async fn difference(
    session: &Session,
    users: [&str; 2],
) -> Result<Option<Difference>, RotatorError> {
    check_admin(session, users).await?;
    let [one, two] = portrait::of_pair(session, users).await?;
    let pair = one.zip(two);
    Ok(pair.map(|(one, two)| Difference::between(&one, &two)))
}

/// Says in advance what would be refused halfway, or what would not be seen.
async fn check_admin(session: &Session, [one, two]: [&str; 2]) -> Result<(), RotatorError> {
    let peer = session.peer();
    let question =
        Sql::new("SELECT usesuper, usename FROM pg_catalog.pg_user WHERE usename = current_user");
    let row = session.rows(&question).await;
    let row = row.map_err(|fault| of_look(fault, peer))?.pop();
    let row = row.unwrap_or_default();
    let text = |column: usize| row.get(column).and_then(Option::as_deref);
    if text(0) != Some("t") {
        return Err(no_superuser(peer));
    }
    if [Some(one), Some(two)].contains(&text(1)) {
        return Err(RotatorError::refused(format!(
            "{peer} is one of the two users that take turns; let `masterarn` name another superuser"
        )));
    }
    Ok(())
}

impl Twin<'_> {
    /// All of it, or nothing.
    pub(super) async fn make(&self) -> Result<(), RotatorError> {
        check_admin(self.session, self.users()).await?;
        self.run("begin", &Sql::new("BEGIN")).await?;
        let done = self.steps().await;
        let end = Sql::new(if done.is_ok() { "COMMIT" } else { "ROLLBACK" });
        let ended = self.run("commit", &end).await;
        done?;
        ended
    }

    fn users(&self) -> [&str; 2] {
        [&self.partner.name, &self.wanted.username]
    }

    fn peer(&self) -> &Peer {
        self.session.peer()
    }

    async fn steps(&self) -> Result<(), RotatorError> {
        let users = self.users();
        let [model, present] = portrait::of_pair(self.session, users).await?;
        let Some(model) = model else {
            return Err(RotatorError::misconfigured(format!(
                "{} has no user of the name of the other one of the pair; create it with the same rights",
                self.peer()
            )));
        };
        let present = match present {
            Some(present) => present,
            None => self.create().await?,
        };
        let mut steps = Vec::new();
        if present.attributes.superuser && !model.attributes.superuser {
            steps.push(self.superuser(" NOCREATEUSER"));
        }
        steps.extend(model.steps(users[0], users[1], &present));
        for (what, statement) in &steps {
            self.run(what, statement).await?;
        }
        if model.attributes.superuser && !present.attributes.superuser {
            // The password of a superuser cannot be disabled, and a new user's is.
            self.set_password().await?;
            let (what, statement) = self.superuser(" CREATEUSER");
            self.run(what, &statement).await?;
            return self.compare().await;
        }
        self.compare().await?;
        self.set_password().await
    }

    fn superuser(&self, word: &'static str) -> Step {
        let alter = Sql::new("ALTER USER ").ident(Ident(&self.wanted.username));
        ("attributes", alter.text(word))
    }

    async fn create(&self) -> Result<Portrait, RotatorError> {
        let create = Sql::new("CREATE USER ").ident(Ident(&self.wanted.username));
        let create = create.text(" PASSWORD DISABLE");
        self.run("users", &create).await?;
        Ok(Portrait::default())
    }

    async fn run(&self, what: &str, statement: &Sql) -> Result<(), RotatorError> {
        let answer = self.session.run(statement).await;
        answer
            .map(drop)
            .map_err(|fault| of_step(fault, what, self.peer()))
    }

    /// The promise that the password is given on.
    async fn compare(&self) -> Result<(), RotatorError> {
        let [one, two] = portrait::of_pair(self.session, self.users()).await?;
        let difference = one
            .zip(two)
            .map(|(one, two)| Difference::between(&one, &two));
        match difference {
            Some(difference) if difference.is_none() => Ok(()),
            Some(difference) => Err(RotatorError::misconfigured(format!(
                "at {} the two users of the pair may not do the same: {difference}; nothing was changed; give \
                 both the same, or none of them, and rotate again",
                self.peer()
            ))),
            None => Err(self.peer().broken("while a user was made")),
        }
    }

    async fn set_password(&self) -> Result<(), RotatorError> {
        let until = self.new_expiry().await?;
        let statement = alter(self.wanted, self.hash, until.as_deref());
        let changed = self.session.run(&statement).await;
        changed
            .map(drop)
            .map_err(|fault| of_change(fault, self.peer()))
    }

    /// Until when the new password must be valid: where either user has a date, so that both have one.
    async fn new_expiry(&self) -> Result<Option<String>, RotatorError> {
        let days = self.settings.password_valid_days;
        let look = |fault| of_look(fault, self.peer());
        let [other, own] = self.users();
        let other = expiry(self.session, other, days).await.map_err(look)?;
        let own = expiry(self.session, own, days).await.map_err(look)?;
        let other_ends = other.is_some_and(|other| other.ends);
        Ok(own
            .filter(|own| own.too_soon || (!own.ends && other_ends))
            .map(|own| own.wanted))
    }
}
