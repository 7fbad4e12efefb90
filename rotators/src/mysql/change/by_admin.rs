//! What an admin does.

use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

use super::Passwords;
use crate::mysql::connection::Session;
use crate::mysql::error::{Peer, SessionError, code, is_missing_right, rejected};
use crate::mysql::sql::Sql;
use crate::mysql::stored::{Hashing, Stored, rounds};

/// How an admin changes a user: by hashes, for all hosts of the user in one statement.
pub(in crate::mysql) struct ByAdmin<'s> {
    session: &'s mut Session,
    user: &'s str,
}

impl<'s> ByAdmin<'s> {
    pub(in crate::mysql) fn new(session: &'s mut Session, user: &'s str) -> Self {
        Self { session, user }
    }

    pub(in crate::mysql) async fn change(
        mut self,
        passwords: Passwords<'_>,
    ) -> Result<(), RotatorError> {
        let server = self.session.prepare().await;
        let server = server.map_err(|fault| fault.of_statement(self.session.peer()))?;
        let peer = self.session.peer().clone();
        let passwords = if server.has_two_passwords() {
            passwords
        } else {
            passwords.without_room(one_password(&peer))?
        };
        let stored = Stored::of(self.session, self.user, server).await?;
        let rounds = rounds(self.session, server).await;
        let rounds = rounds.map_err(|fault| fault.of_statement(self.session.peer()))?;
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
            Some(second) => match self.session.run(&both(&first, &second)).await {
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
            (Passwords::Both { new, old } | Passwords::BothIfPossible { new, old }, true) => {
                (self.set(&[new, old])?, None)
            }
            (Passwords::Both { new, old } | Passwords::BothIfPossible { new, old }, false) => {
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
}

fn both(first: &[Sql], second: &[Sql]) -> Sql {
    let pairs = first.iter().zip(second);
    alter(pairs.flat_map(|(first, second)| [first, second]))
}

fn alter<'s>(each: impl IntoIterator<Item = &'s Sql>) -> Sql {
    Sql::new("ALTER USER ").list(each, Sql::append)
}

/// What it means that there is no room for two passwords.
pub(super) fn one_password(peer: &Peer) -> RotatorError {
    RotatorError::misconfigured(format!(
        "{peer} keeps one password a user: two need MySQL 8.0.14 or MariaDB 10.4; let the old password be \
         replaced (`OLD_PASSWORD_KEPT`), or let two users take turns"
    ))
}
