//! The statements that change the passwords of one user.
//!
//! What they leave behind does not depend on what was there: that the old password is the first or the second
//! one of the account is nothing that a login tells, and `RETAIN CURRENT PASSWORD`, said to an account that
//! was logged in to with its second password, ends that very password.

use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

use super::connection::{Record, Session};
use super::error::{SessionError, code, is_missing_right, rejected};
use super::hash::{Plugin, ROUNDS};
use super::sql::{Account, Literal, Sql};
use super::stored::{Hashing, Stored, rounds};
use super::version::Server;

/// What is to work afterwards.
#[derive(Clone, Copy)]
pub(super) enum Passwords<'p> {
    /// These two. The old one works now.
    Both {
        new: &'p SecretString,
        old: &'p SecretString,
    },
    /// The new one, on a server that may have room for one. The old one works now.
    Replaced {
        new: &'p SecretString,
        old: &'p SecretString,
    },
    /// This one, which works now.
    Only(&'p SecretString),
}

/// How an admin changes a user: by hashes, for all hosts of the user in one statement.
pub(super) struct ByAdmin<'s> {
    session: &'s mut Session,
    user: &'s str,
}

impl<'s> ByAdmin<'s> {
    pub(super) fn new(session: &'s mut Session, user: &'s str) -> Self {
        Self { session, user }
    }

    pub(super) async fn change(mut self, passwords: Passwords<'_>) -> Result<(), RotatorError> {
        let server = self.session.prepare().await;
        let server = server.map_err(|fault| fault.of_statement(self.session.peer()))?;
        check(server, passwords, self.session)?;
        let stored = Stored::of(self.session, self.user, server).await?;
        let rounds = rounds(self.session, server).await;
        let rounds = rounds.map_err(|fault| fault.of_statement(self.session.peer()))?;
        let peer = self.session.peer().clone();
        let hashing = Hashing {
            server,
            peer: &peer,
            rounds,
        };
        let steps = Steps {
            stored: &stored,
            hashing: &hashing,
        };
        let (first, second) = steps.of(passwords)?;
        let changed = match second {
            // With a password history the server writes both down, at the same moment under the same key.
            Some(second) => match self.session.run(&steps.both(&first, &second)).await {
                Err(SessionError::Refused(code::DUPLICATE)) => {
                    self.one_by_one(&first, &second).await
                }
                other => other,
            },
            None => self.session.run(&alter(&first)).await,
        };
        changed.map_err(|fault| self.explained(fault))
    }

    /// In between the old password works, as it did.
    async fn one_by_one(&mut self, first: &[Sql], second: &[Sql]) -> Result<(), SessionError> {
        self.session.run(&alter(first)).await?;
        self.session.run(&alter(second)).await
    }

    fn explained(&self, fault: SessionError) -> RotatorError {
        let peer = self.session.peer();
        fault.explained(peer, |code| match code {
            code::NO_SUCH_USER => Some(RotatorError::refused(format!(
                "there is no user `username` at {peer} any more; create it again"
            ))),
            _ if is_missing_right(code) => Some(RotatorError::refused(format!(
                "{peer} may not change the user's password; GRANT CREATE USER ON *.* TO the admin, and \
                 SYSTEM_USER where the user has that"
            ))),
            _ => rejected(code, peer),
        })
    }
}

/// What a statement says of each account.
struct Steps<'s> {
    stored: &'s [Stored],
    hashing: &'s Hashing<'s>,
}

impl Steps<'_> {
    /// What is said of all accounts, and then, in the same statement, once more.
    ///
    /// `MySQL` carries out one after the other: whatever was there, after the first the old password is the
    /// account's own, so that the second retains it.
    fn of(&self, passwords: Passwords<'_>) -> Result<(Vec<Sql>, Option<Vec<Sql>>), RotatorError> {
        let server = self.hashing.server;
        Ok(match (passwords, server.is_mariadb) {
            (Passwords::Both { new, old }, true) => (self.set(&[new, old])?, None),
            (Passwords::Both { new, old }, false) => {
                let retained = self.set(&[new])?.into_iter();
                let retained = retained.map(|sql| sql.text(" RETAIN CURRENT PASSWORD"));
                (self.set(&[old])?, Some(retained.collect()))
            }
            (Passwords::Replaced { new: one, .. } | Passwords::Only(one), is_mariadb) => {
                let discarded = !is_mariadb && server.has_two_passwords();
                (self.set(&[one])?, discarded.then(|| self.discard()))
            }
        })
    }

    fn set(&self, passwords: &[&SecretString]) -> Result<Vec<Sql>, RotatorError> {
        let passwords: Vec<_> = passwords.iter().map(|it| it.expose_secret()).collect();
        let each = self.stored.iter();
        each.map(|stored| stored.with_passwords(Sql::new(""), &passwords, self.hashing))
            .collect()
    }

    fn discard(&self) -> Vec<Sql> {
        let each = self.stored.iter();
        each.map(|it| {
            Sql::new("")
                .account(&it.account)
                .text(" DISCARD OLD PASSWORD")
        })
        .collect()
    }

    fn both(&self, first: &[Sql], second: &[Sql]) -> Sql {
        let pairs = first.iter().zip(second);
        alter(pairs.flat_map(|(first, second)| [first, second]))
    }
}

fn alter<'s>(each: impl IntoIterator<Item = &'s Sql>) -> Sql {
    Sql::new("ALTER USER ").list(each, Sql::append)
}

/// How a user changes itself, for the host from which it came in.
///
/// `MySQL` takes a hash from admins only. From the user it takes the password, which it writes to no log, and
/// with it the current one (`REPLACE`): that is how it tells whether the login was the second password.
pub(super) struct ByUser<'s> {
    session: &'s mut Session,
    user: &'s str,
}

impl<'s> ByUser<'s> {
    pub(super) fn new(session: &'s mut Session, user: &'s str) -> Self {
        Self { session, user }
    }

    pub(super) async fn change(mut self, passwords: Passwords<'_>) -> Result<(), RotatorError> {
        let look = |fault: SessionError, session: &Session| fault.of_statement(session.peer());
        let server = self.session.prepare().await;
        let server = server.map_err(|fault| look(fault, self.session))?;
        check(server, passwords, self.session)?;
        self.check_hosts().await?;
        let changed = match (server.is_mariadb, passwords) {
            (true, Passwords::Replaced { new, .. }) => return self.set_hash(new).await,
            (true, _) => {
                return Err(RotatorError::misconfigured(format!(
                    "{} is MariaDB, where only an admin can give a user two passwords; add `masterarn`, the \
                     secret of an admin, or let the old password be replaced",
                    self.session.peer()
                )));
            }
            (false, Passwords::Both { new, old }) => self.retain(new, old).await,
            (false, Passwords::Replaced { new, old }) => self.replace(new, old).await,
            (false, Passwords::Only(kept)) => self.discard(kept).await,
        };
        match changed {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.explained(fault).await),
        }
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

/// Whether the server can do it; asked first, since of a statement that it cannot read it keeps the text.
fn check(server: Server, passwords: Passwords<'_>, session: &Session) -> Result<(), RotatorError> {
    match passwords {
        Passwords::Replaced { .. } => Ok(()),
        _ if server.has_two_passwords() => Ok(()),
        _ => Err(RotatorError::misconfigured(format!(
            "{} keeps one password a user: two need MySQL 8.0.14 or MariaDB 10.4; let the old password be \
             replaced, or let two users take turns",
            session.peer()
        ))),
    }
}
