//! What a server's codes mean. Its words are never read: they are translated, and may quote secrets.
//!
//! The codes are those of the `PostgreSQL` manual, appendix A.

use std::io;

use secrets_core::rotator::RotatorError;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use super::peer::Peer;
use super::tls;

/// What a server's refusal holds besides words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal<'e> {
    pub(crate) code: &'e SqlState,
    /// The routine of the server that refuses, such as `auth_failed`.
    #[cfg_attr(
        not(feature = "redshift"),
        expect(dead_code, reason = "codes are enough elsewhere")
    )]
    pub(crate) routine: Option<&'e str>,
}

/// What is told apart in an error of the driver.
pub(crate) enum Fault<'e> {
    /// The server said so.
    Server(Refusal<'e>),
    Tls(&'e rustls::Error),
    /// The connection ended.
    Broken,
    /// The server's answer makes no sense.
    Garbled,
    /// The server asks for something that the driver cannot do.
    Unsupported,
}

impl<'e> Fault<'e> {
    pub(crate) fn of(error: &'e tokio_postgres::Error) -> Self {
        if let Some(fault) = error.as_db_error() {
            return Self::Server(Refusal {
                code: fault.code(),
                routine: fault.routine(),
            });
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
            (None, io::ErrorKind::Unsupported) => Self::Unsupported,
            (None, _) => Self::Broken,
        }
    }

    /// What it means for a login: `Ok(None)` says that the credential is wrong.
    pub(crate) fn at_login<T>(&self, peer: &Peer, ssl: SslMode) -> Result<Option<T>, RotatorError> {
        let dialect = peer.dialect;
        Err(match self {
            Self::Server(refusal) if (dialect.says_wrong)(refusal) => return Ok(None),
            Self::Server(refusal) => {
                refused_login(refusal.code, peer, ssl).with_code(refusal.code.code())
            }
            Self::Tls(fault) => tls::refusal(fault, peer),
            Self::Broken => peer.broken("during the login"),
            Self::Garbled => peer.not_this_server(),
            Self::Unsupported => RotatorError::refused(format!(
                "{peer} asks for a login that is not supported; {}",
                dialect.login_methods
            )),
        })
    }
}

fn refused_login(state: &SqlState, peer: &Peer, ssl: SslMode) -> RotatorError {
    if let Some(fault) = (peer.dialect.refused_login)(state, peer, ssl) {
        return fault;
    }
    let account = peer.dialect.account;
    match *state {
        SqlState::INVALID_CATALOG_NAME => RotatorError::misconfigured(format!(
            "`dbname` names no database of {peer}; correct it in the secret"
        )),
        SqlState::INSUFFICIENT_PRIVILEGE => RotatorError::refused(format!(
            "the {account} may not connect to the database at {peer}; grant it CONNECT, or give another \
             `dbname`"
        )),
        SqlState::TOO_MANY_CONNECTIONS => RotatorError::unreachable(format!(
            "{peer} has no connection left for this {account}; try again later, or raise max_connections or \
             the CONNECTION LIMIT of {account} or database"
        )),
        _ => no_service(state, peer).unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses the login; look the code up in {}",
                peer.dialect.codes
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
                 change of the {}); try again later",
                peer.dialect.account
            ))
        })
}

/// Why a statement did not come to its end.
pub(crate) enum SessionError {
    /// The server refused it, and changed nothing.
    Refused(SqlState),
    /// No answer: it may have had its effect.
    Broken(RotatorError),
}

impl SessionError {
    pub(crate) fn new(error: &tokio_postgres::Error, peer: &Peer) -> Self {
        match Fault::of(error) {
            Fault::Server(refusal) => match no_service(refusal.code, peer) {
                Some(fault) => Self::Broken(fault.with_code(refusal.code.code())),
                None => Self::Refused(refusal.code.clone()),
            },
            _ => Self::Broken(peer.broken("during a statement")),
        }
    }

    /// What it means for a statement that looks or prepares.
    pub(crate) fn of_statement(self, peer: &Peer) -> RotatorError {
        match self {
            Self::Broken(fault) => fault,
            Self::Refused(state) => RotatorError::refused(format!(
                "{peer} refuses a statement that every {} may run; look the code up in {}",
                peer.dialect.account, peer.dialect.codes
            ))
            .with_code(state.code()),
        }
    }
}
