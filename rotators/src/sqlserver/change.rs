//! The statement that sets a password, of a login or of a user of a contained database.
//!
//! It holds the password itself: only with the right `CONTROL SERVER` may a hash be given instead (`HASHED`),
//! which no admin of Amazon RDS has, and the server checks no policy on a hash. SQL Server keeps the statement out
//! of traces, and its password out of audits and triggers.

use secrecy::{ExposeSecret, SecretString};
use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::credential::Login;
use super::error::{SessionError, code, is_missing_right, rejected};
use super::sql::{Ident, Literal, Sql};

/// What keeps the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    /// The server.
    Login,
    /// The database: a user of a contained database. The session must be in there.
    User,
}

impl Keeper {
    pub(super) fn alter(self, name: &str) -> Sql {
        let alter = match self {
            Self::Login => "ALTER LOGIN ",
            Self::User => "ALTER USER ",
        };
        Sql::new(alter).ident(Ident(name))
    }
}

/// Sets the password. Users who change their own give the one with which they came in.
pub(super) async fn set_password(
    session: &mut Session,
    keeper: Keeper,
    wanted: &Login,
    old: Option<&SecretString>,
) -> Result<(), RotatorError> {
    let mut sql = keeper
        .alter(&wanted.username)
        .text(" WITH PASSWORD = ")
        .literal(Literal(wanted.password.expose_secret()));
    if let Some(old) = old {
        sql = sql
            .text(" OLD_PASSWORD = ")
            .literal(Literal(old.expose_secret()));
    }
    let changed = session.run(&sql).await;
    changed.map_err(|fault| changing(fault, session, old.is_some()))
}

fn changing(fault: SessionError, session: &Session, is_own: bool) -> RotatorError {
    let peer = session.peer();
    fault.explained(peer, |code| match code {
        // Also said of an old password that does not hold any more.
        code::NO_LOGIN_OR_RIGHT if is_own => Some(RotatorError::refused(format!(
            "{peer} does not let the user change its own password, or it was changed a moment ago by somebody \
             else; try again, and if that does not help, let an admin do it (`masterarn`)"
        ))),
        _ if is_missing_right(code) => Some(RotatorError::refused(format!(
            "there is no such user at {peer}, or its password may not be changed; GRANT ALTER ANY LOGIN TO the \
             admin (for members of sysadmin and those with CONTROL SERVER: CONTROL SERVER; in a contained \
             database: ALTER ANY USER)"
        ))),
        _ => rejected(code, peer),
    })
}
