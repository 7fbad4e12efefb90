//! What a server's codes mean. Its words are never read: they are translated, and may quote secrets.
//!
//! The codes are those of the `PostgreSQL` manual, appendix A.

use std::fmt;
use std::io;

use secrets_core::rotator::RotatorError;
use secrets_core::store::StoreError;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use super::settings::PasswordForm;
use super::tls;
use crate::tcp;

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) role: Role,
}

/// Whose login it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Own,
    Admin,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        match self.role {
            Role::Own => Ok(()),
            Role::Admin => f.write_str(" (as the admin of `masterarn`)"),
        }
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        tcp::silent(self, what)
    }

    /// The connection ended; `when` says in the middle of what.
    pub(super) fn broken(&self, when: &str) -> RotatorError {
        RotatorError::unreachable(format!(
            "{self} closed the connection {when}; check `port`, and that the server is up, then try again"
        ))
    }

    /// Something else listens there.
    pub(super) fn not_postgres(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak the protocol of PostgreSQL; check `host` and `port`"
        ))
    }
}

/// What is told apart in an error of the driver.
pub(super) enum Fault<'e> {
    /// The server said so.
    Server(&'e SqlState),
    Tls(&'e rustls::Error),
    /// The connection ended.
    Broken,
    /// The server's answer makes no sense.
    Garbled,
    /// The server asks for something that the driver cannot do.
    Unsupported,
}

impl<'e> Fault<'e> {
    pub(super) fn of(error: &'e tokio_postgres::Error) -> Self {
        if let Some(state) = error.code() {
            return Self::Server(state);
        }
        let Some(source) = std::error::Error::source(error) else {
            return if error.is_closed() {
                Self::Broken
            } else {
                Self::Garbled
            };
        };
        let Some(source) = source.downcast_ref::<io::Error>() else {
            return Self::Unsupported;
        };
        let tls = source.get_ref().and_then(|inner| inner.downcast_ref());
        match (tls, source.kind()) {
            (Some(tls), _) => Self::Tls(tls),
            (None, io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Self::Garbled,
            (None, _) => Self::Broken,
        }
    }

    /// What it means for a login: `Ok(None)` says that the credential is wrong.
    pub(super) fn at_login<T>(&self, peer: &Peer, ssl: SslMode) -> Result<Option<T>, RotatorError> {
        Err(match self {
            Self::Server(state) if **state == SqlState::INVALID_PASSWORD => return Ok(None),
            Self::Server(state) => refused_login(state, peer, ssl).with_code(state.code()),
            Self::Tls(fault) => tls::refusal(fault, peer),
            Self::Broken => peer.broken("during the login"),
            Self::Garbled => peer.not_postgres(),
            Self::Unsupported => RotatorError::refused(format!(
                "{peer} asks for a login that is not supported; let pg_hba.conf ask for scram-sha-256"
            )),
        })
    }
}

fn refused_login(state: &SqlState, peer: &Peer, ssl: SslMode) -> RotatorError {
    match *state {
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            let plaintext = match ssl {
                SslMode::Disable => ", or remove `\"ssl\": false` where it asks for TLS",
                _ => "",
            };
            RotatorError::refused(format!(
                "{peer} lets this role in from here under no condition; give it LOGIN, and a line in \
                 pg_hba.conf for this function's network{plaintext}"
            ))
        }
        SqlState::INVALID_CATALOG_NAME => RotatorError::misconfigured(format!(
            "`dbname` names no database of {peer}; correct it in the secret"
        )),
        SqlState::INSUFFICIENT_PRIVILEGE => RotatorError::refused(format!(
            "the role may not connect to the database at {peer}; grant it CONNECT, or give another `dbname`"
        )),
        SqlState::TOO_MANY_CONNECTIONS => RotatorError::unreachable(format!(
            "{peer} has no connection left for this role; try again later, or raise max_connections or the \
             CONNECTION LIMIT of role or database"
        )),
        _ => no_service(state, peer).unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses the login; look the code up in the PostgreSQL manual, appendix A"
            ))
        }),
    }
}

/// Codes that say that the server cannot serve anyone at the moment.
fn no_service(state: &SqlState, peer: &Peer) -> Option<RotatorError> {
    // 08: connection; 40: rolled back; 53: resources; 55: locked; 57: shutdown, start and cancelled
    // statements; 58: system; XX: internal, such as "tuple concurrently updated" where two sessions
    // change one role.
    ["08", "40", "53", "55", "57", "58", "XX"]
        .contains(&state.code().get(..2)?)
        .then(|| {
            RotatorError::unreachable(format!(
                "{peer} cannot serve at the moment (starting, stopping, overloaded, or busy with another \
                 change of the role); try again later"
            ))
        })
}

/// Why a statement did not come to its end.
pub(super) enum SessionError {
    /// The server refused it, and changed nothing.
    Refused(SqlState),
    /// No answer: it may have had its effect.
    Broken(RotatorError),
}

impl SessionError {
    pub(super) fn new(error: &tokio_postgres::Error, peer: &Peer) -> Self {
        match Fault::of(error) {
            Fault::Server(state) => match no_service(state, peer) {
                Some(fault) => Self::Broken(fault.with_code(state.code())),
                None => Self::Refused(state.clone()),
            },
            _ => Self::Broken(peer.broken("during a statement")),
        }
    }

    /// What it means for a statement that looks or prepares.
    pub(super) fn of_statement(self, peer: &Peer) -> RotatorError {
        match self {
            Self::Broken(fault) => fault,
            Self::Refused(state) => RotatorError::refused(format!(
                "{peer} refuses a statement that every role may run; look the code up in the PostgreSQL \
                 manual, appendix A"
            ))
            .with_code(state.code()),
        }
    }

    /// What it means for the statement that sets a password.
    pub(super) fn of_change(self, peer: &Peer, form: PasswordForm) -> RotatorError {
        let state = match self {
            Self::Broken(fault) => return fault,
            Self::Refused(state) => state,
        };
        let fault = match state {
            SqlState::INSUFFICIENT_PRIVILEGE => match peer.role {
                Role::Own => RotatorError::refused(format!(
                    "the role may not change its own password at {peer}; add `masterarn`, the secret of an \
                     admin, to the secret"
                )),
                Role::Admin => RotatorError::refused(format!(
                    "{peer} may not change the role's password; grant the admin CREATEROLE and, from \
                     PostgreSQL 16 on, the role WITH ADMIN TRUE"
                )),
            },
            SqlState::UNDEFINED_OBJECT => RotatorError::refused(format!(
                "there is no role `username` at {peer} any more; create it again"
            )),
            SqlState::READ_ONLY_SQL_TRANSACTION => RotatorError::misconfigured(format!(
                "{peer} is a replica, which takes no changes; set `host` to the primary (the cluster's \
                 writer endpoint)"
            )),
            _ if is_verdict_on_value(&state) => RotatorError::rejected_by_target(match form {
                PasswordForm::Scram => format!(
                    "{peer} does not take the new password as a SCRAM verifier; enable scram-sha-256 \
                         there, or set the password form to plain"
                ),
                PasswordForm::Plain => format!(
                    "{peer} does not take the new password; fit the password rules of the function to \
                         those of the server"
                ),
            }),
            _ => RotatorError::refused(format!(
                "{peer} refuses to change the password; look the code up in the PostgreSQL manual, \
                 appendix A"
            )),
        };
        fault.with_code(state.code())
    }
}

/// Codes with which modules that check passwords refuse one: unsupported form (0A), bad value (22, 23),
/// a rule on credentials (28), an error raised by a function (P0).
fn is_verdict_on_value(state: &SqlState) -> bool {
    let class = state.code().get(..2).unwrap_or_default();
    ["0A", "22", "23", "28", "P0"].contains(&class)
}

/// What it means that the secret itself was not read.
pub(super) fn unread_current(fault: &StoreError) -> RotatorError {
    RotatorError::unreachable(format!(
        "the current version of the secret was not read: {fault}"
    ))
}

#[cfg(test)]
mod tests;
