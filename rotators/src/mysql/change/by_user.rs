//! What a user does itself.

use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

use super::Passwords;
use super::by_admin::one_password;
use crate::mysql::connection::{Record, Session};
use crate::mysql::error::{SessionError, code, is_missing_right, rejected};
use crate::mysql::hash::{Plugin, ROUNDS};
use crate::mysql::sql::{Account, Literal, Sql};
use crate::mysql::version::Server;

/// How a user changes itself, for the host from which it came in.
///
/// `MySQL` takes a hash from admins only. From the user it takes the password, which it writes to no log, and
/// with it the current one (`REPLACE`): that is how it tells whether the login was the second password.
pub(in crate::mysql) struct ByUser<'s> {
    session: &'s mut Session,
    user: &'s str,
}

impl<'s> ByUser<'s> {
    pub(in crate::mysql) fn new(session: &'s mut Session, user: &'s str) -> Self {
        Self { session, user }
    }

    pub(in crate::mysql) async fn change(
        mut self,
        passwords: Passwords<'_>,
    ) -> Result<(), RotatorError> {
        let look = |fault: SessionError, session: &Session| fault.of_statement(session.peer());
        let server = self.session.prepare().await;
        let server = server.map_err(|fault| look(fault, self.session))?;
        let passwords = match self.no_room(server) {
            None => passwords,
            Some(why) => passwords.without_room(why)?,
        };
        self.check_hosts().await?;
        let changed = match passwords {
            Passwords::Replaced { new, .. } if server.is_mariadb => {
                return self.set_hash(new).await;
            }
            Passwords::Only(_) if server.is_mariadb => return Ok(()),
            Passwords::Both { new, old } | Passwords::BothIfPossible { new, old } => {
                self.retain(new, old).await
            }
            Passwords::Replaced { new, old } => self.replace(new, old).await,
            Passwords::Only(kept) => self.discard(kept).await,
        };
        match changed {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.explained(fault).await),
        }
    }

    /// Why there is no room for two passwords.
    fn no_room(&self, server: Server) -> Option<RotatorError> {
        let peer = self.session.peer();
        if server.is_mariadb {
            return Some(RotatorError::misconfigured(format!(
                "{peer} is MariaDB, where only an admin can give a user two passwords; add `masterarn`, the \
                 secret of an admin, or let the old password be replaced (`OLD_PASSWORD_KEPT`)"
            )));
        }
        (!server.has_two_passwords()).then(|| one_password(peer))
    }

    /// Without an admin the accounts for other hosts would keep the old password.
    async fn check_hosts(&mut self) -> Result<(), RotatorError> {
        let hosts =
            Sql::new("SELECT host FROM mysql.user WHERE user = ").literal(Literal(self.user));
        match self.session.records(&hosts).await {
            Ok(hosts) if hosts.len() > 1 => Err(RotatorError::misconfigured(format!(
                "the user exists for several hosts at {}, and can change itself for one; add `masterarn`, \
                 the secret of an admin, to the secret",
                self.session.peer()
            ))),
            Ok(_) => Ok(()),
            // Most users cannot look.
            Err(SessionError::Refused(code)) if is_missing_right(code) => Ok(()),
            Err(fault) => Err(fault.of_statement(self.session.peer())),
        }
    }

    async fn retain(&mut self, new: &SecretString, old: &SecretString) -> Result<(), SessionError> {
        let retain = own(new)
            .text(" REPLACE ")
            .literal(Literal(old.expose_secret()));
        match self
            .session
            .run(&retain.text(" RETAIN CURRENT PASSWORD"))
            .await
        {
            // The old one is the second password, and stays so while another one takes the first place.
            Err(SessionError::Refused(code::NOT_THE_PRIMARY)) => self.session.run(&own(new)).await,
            other => other,
        }
    }

    async fn replace(
        &mut self,
        new: &SecretString,
        old: &SecretString,
    ) -> Result<(), SessionError> {
        match self.session.run(&own(new)).await {
            Err(SessionError::Refused(code::CURRENT_REQUIRED)) => {
                let replace = own(new)
                    .text(" REPLACE ")
                    .literal(Literal(old.expose_secret()));
                self.session.run(&replace).await
            }
            other => other,
        }
    }

    async fn discard(&mut self, kept: &SecretString) -> Result<(), SessionError> {
        let discard = "CURRENT_USER() DISCARD OLD PASSWORD";
        let same = own(kept)
            .text(" REPLACE ")
            .literal(Literal(kept.expose_secret()));
        match self.session.run(&same.text(", ").text(discard)).await {
            // Another one has taken the first place: then what is kept is what would be discarded.
            Err(SessionError::Refused(code::NOT_THE_PRIMARY)) => Ok(()),
            // A password history forbids to set it again, and says so before it looks at `REPLACE`: which of
            // the two is the first cannot be told.
            Err(SessionError::Refused(code::HISTORY)) => {
                tracing::warn!(
                    "the old password was not discarded and works until the next rotation: the user has a \
                     password history; add `masterarn`, the secret of an admin, to the secret"
                );
                Ok(())
            }
            other => other,
        }
    }

    /// Of `MariaDB`: there users may set hashes.
    async fn set_hash(&mut self, new: &SecretString) -> Result<(), RotatorError> {
        let peer = self.session.peer().clone();
        let shown = self
            .session
            .records(&Sql::new("SHOW CREATE USER CURRENT_USER()"))
            .await;
        let shown = shown.map_err(|fault| fault.of_statement(&peer))?;
        let shown = shown.first().and_then(Record::first).unwrap_or_default();
        // Of several ways to log in this changes the first.
        let name = match shown.split_once(" IDENTIFIED VIA ") {
            Some((_, rest)) => rest.split(' ').next().unwrap_or_default().to_owned(),
            None => String::new(),
        };
        let plugin = Plugin::of(&name).ok_or_else(|| {
            RotatorError::refused(format!(
                "the first way in which the user at {peer} logs in is no password that the server keeps; \
                 give it mysql_native_password or ed25519"
            ))
        })?;
        let verifier = plugin.verifier(new.expose_secret(), ROUNDS)?;
        let set = Sql::new("SET PASSWORD = ").literal(Literal(&verifier));
        let set = self.session.run(&set).await;
        set.map_err(|fault| fault.explained(&peer, |code| rejected(code, &peer)))
    }

    async fn explained(&mut self, fault: SessionError) -> RotatorError {
        let account = match &fault {
            SessionError::Refused(code) if is_missing_right(*code) => self.account().await,
            _ => None,
        };
        let peer = self.session.peer();
        fault.explained(peer, |code| match (code, account) {
            (_, Some(account)) => Some(RotatorError::refused(format!(
                "the user may not give itself a second password at {peer}; GRANT \
                 APPLICATION_PASSWORD_ADMIN ON *.* TO {account}, or add `masterarn`, the secret of an admin"
            ))),
            (code::CURRENT_REQUIRED, _) => Some(RotatorError::refused(format!(
                "{peer} asks for the first of the user's two passwords, and the second is the one that is \
                 known; ALTER USER .. PASSWORD REQUIRE CURRENT OPTIONAL, or add `masterarn`"
            ))),
            _ => rejected(code, peer),
        })
    }

    /// Under which name the server knows the user that is logged in.
    async fn account(&mut self) -> Option<Account> {
        let account = self
            .session
            .records(&Sql::new("SELECT CURRENT_USER()"))
            .await
            .ok()?;
        let account = account.first()?.first()?;
        let (user, host) = account.rsplit_once('@')?;
        Some(Account::new(user, host))
    }
}

/// The user's own account, and a password.
fn own(password: &SecretString) -> Sql {
    Sql::new("ALTER USER CURRENT_USER() IDENTIFIED BY ").literal(Literal(password.expose_secret()))
}
