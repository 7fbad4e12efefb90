//! What a server's codes mean. Its words are never read: they are translated, and may quote secrets.
//!
//! The codes are those of the manuals, "Server Error Message Reference" of `MySQL` and "MariaDB Error Codes".

use std::fmt;

use mysql_async::{DriverError, Error, IoError, ServerError, TlsError};
use secrets_core::rotator::RotatorError;

pub(super) use crate::database::Role;
use crate::{database, tls};

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) role: Role,
}

/// Codes that decide what happens next.
pub(super) mod code {
    pub(crate) const DATABASE_DENIED: u16 = 1044;
    pub(crate) const ACCESS_DENIED: u16 = 1045;
    pub(crate) const UNKNOWN_DATABASE: u16 = 1049;
    pub(crate) const DUPLICATE: u16 = 1062;
    pub(crate) const TABLE_DENIED: u16 = 1142;
    pub(crate) const NO_SUCH_TABLE: u16 = 1146;
    pub(crate) const UNKNOWN_VARIABLE: u16 = 1193;
    pub(crate) const RIGHT_MISSING: u16 = 1227;
    pub(crate) const NO_SUCH_USER: u16 = 1396;
    pub(crate) const TOO_LONG: u16 = 1470;
    pub(crate) const POLICY: u16 = 1819;
    pub(crate) const MUST_CHANGE: u16 = 1820;
    pub(crate) const HASH_FORMAT: u16 = 1827;
    pub(crate) const HISTORY: u16 = 3638;
    pub(crate) const NOT_THE_PRIMARY: u16 = 3891;
    pub(crate) const CURRENT_REQUIRED: u16 = 3892;
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, self.role)
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(super) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// The connection ended; `when` says in the middle of what.
    fn broken(&self, when: &str) -> RotatorError {
        database::broken(self, when)
    }

    fn no_way(&self) -> RotatorError {
        RotatorError::unreachable(format!(
            "no way to {self}; check `host` and `port`, that the server runs, and the security groups, \
             routes and name resolution of the function's VPC"
        ))
    }

    /// Something else listens there, or a server that is too new or too old.
    fn not_understood(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak the protocol of MySQL as we do; check `host` and `port`"
        ))
    }
}

/// What is told apart in an error of the driver.
enum Fault<'e> {
    Server(u16),
    Tls(&'e rustls::Error),
    NoTls,
    /// No connection at all.
    NoWay,
    /// The connection ended.
    Broken,
    Garbled,
    /// A way to log in that sends the password itself, or that the driver does not know.
    Unsupported,
}

impl<'e> Fault<'e> {
    fn of(error: &'e Error) -> Self {
        match error {
            Error::Server(ServerError { code, .. }) => Self::Server(*code),
            Error::Driver(DriverError::NoClientSslFlagFromServer) => Self::NoTls,
            Error::Driver(
                DriverError::UnknownAuthPlugin { .. }
                | DriverError::CleartextPluginDisabled
                | DriverError::MysqlOldPasswordDisabled,
            ) => Self::Unsupported,
            Error::Driver(DriverError::ConnectionClosed) => Self::Broken,
            Error::Io(IoError::Tls(TlsError::Tls(fault))) => Self::Tls(fault),
            Error::Io(IoError::Io(fault)) => Self::of_io(fault),
            _ => Self::Garbled,
        }
    }

    fn of_io(fault: &'e std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let inner = fault.get_ref();
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Tls(tls);
        }
        match fault.kind() {
            Kind::InvalidData | Kind::InvalidInput => Self::Garbled,
            Kind::UnexpectedEof
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe => Self::Broken,
            _ => Self::NoWay,
        }
    }
}

/// What an error means for a login: `Ok` says that the credential is wrong.
pub(super) fn at_login(error: &Error, peer: &Peer) -> Result<(), RotatorError> {
    Err(match Fault::of(error) {
        Fault::Server(code::ACCESS_DENIED) => return Ok(()),
        Fault::Server(code) => refused_login(code, peer).with_code(code.to_string()),
        Fault::Tls(fault) => tls::refusal(fault, peer),
        Fault::NoTls => RotatorError::tls(format!(
            "{peer} offers no TLS; enable it there, or set `\"ssl\": false` in the secret to send passwords \
             unprotected"
        )),
        Fault::NoWay => peer.no_way(),
        Fault::Broken => peer.broken("during the login"),
        Fault::Garbled => peer.not_understood(),
        // MySQL asks those whom it does not know for any of its ways to log in.
        Fault::Unsupported => RotatorError::refused(format!(
            "there is no such user at {peer}, or it logs in by other means than a password that the server \
             keeps; give it caching_sha2_password, mysql_native_password or, in MariaDB, ed25519"
        )),
    })
}

fn refused_login(code: u16, peer: &Peer) -> RotatorError {
    match code {
        3118 | 4151 => RotatorError::refused(format!(
            "the user at {peer} is locked; ALTER USER .. ACCOUNT UNLOCK, once it is known why it was"
        )),
        3955 | 4150 => RotatorError::refused(format!(
            "{peer} has locked the user after wrong passwords; find out who sends them, then ALTER USER .. \
             ACCOUNT UNLOCK (in MariaDB: FLUSH PRIVILEGES)"
        )),
        code::MUST_CHANGE | 1862 => expired(peer),
        code::DATABASE_DENIED => RotatorError::refused(format!(
            "the user may not use the database `dbname` at {peer}; grant it a right there, or remove `dbname`"
        )),
        code::UNKNOWN_DATABASE => RotatorError::misconfigured(format!(
            "`dbname` names no database of {peer}; correct it in the secret"
        )),
        1129 | 1130 => RotatorError::refused(format!(
            "{peer} takes no connections from this function's address; create the user for a host that \
             covers it (1129: FLUSH HOSTS)"
        )),
        1251 | 1524 | 1698 => RotatorError::refused(format!(
            "the user at {peer} does not log in with a password that the server keeps; give it \
             caching_sha2_password, mysql_native_password or, in MariaDB, ed25519"
        )),
        3159 => RotatorError::tls(format!(
            "{peer} asks for TLS; remove `\"ssl\": false` from the secret"
        )),
        _ => no_service(code, peer).unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses the login; look the code up in the manual's list of server errors"
            ))
        }),
    }
}

fn expired(peer: &Peer) -> RotatorError {
    RotatorError::refused(format!(
        "the password of the user at {peer} has expired; give it a new one by ALTER USER, write it into the \
         secret, and let it expire later than the rotation (PASSWORD EXPIRE INTERVAL)"
    ))
}

/// Codes that say that the server cannot serve anyone at the moment.
fn no_service(code: u16, peer: &Peer) -> Option<RotatorError> {
    match code {
        // Connections: all of the server's, of the user, of the user in an hour.
        1040 | 1203 | 1226 => Some(RotatorError::unreachable(format!(
            "{peer} has no connection left; try again later, or raise max_connections or the limits of the \
             user"
        ))),
        // Memory, shutdown, network, lock waits, deadlocks, killed statements, time limits, offline mode.
        1037
        | 1038
        | 1041
        | 1053
        | 1079
        | 1152..=1161
        | 1205
        | 1213
        | 1317
        | 1969
        | 3024
        | 3032
        | 3168
        | 4031 => Some(RotatorError::unreachable(format!(
            "{peer} cannot serve at the moment (stopping, overloaded, or busy with another change); try \
             again later"
        ))),
        _ => None,
    }
}

/// Why a statement did not come to its end.
#[derive(Debug)]
pub(super) enum SessionError {
    /// The server refused it, and changed nothing.
    Refused(u16),
    /// No answer: it may have had its effect.
    Broken(RotatorError),
}

impl SessionError {
    pub(super) fn new(error: &Error, peer: &Peer) -> Self {
        match Fault::of(error) {
            Fault::Server(code) => match no_service(code, peer) {
                Some(fault) => Self::Broken(fault.with_code(code.to_string())),
                None => Self::Refused(code),
            },
            _ => Self::Broken(peer.broken("during a statement")),
        }
    }

    /// What it means where nobody but us is to blame, or the server.
    pub(super) fn of_statement(self, peer: &Peer) -> RotatorError {
        self.explained(peer, |_| None)
    }

    /// What it means; `explain` knows the codes of the statement.
    pub(super) fn explained(
        self,
        peer: &Peer,
        explain: impl FnOnce(u16) -> Option<RotatorError>,
    ) -> RotatorError {
        let code = match self {
            Self::Broken(fault) => return fault,
            Self::Refused(code) => code,
        };
        let fault = match code {
            // Not for sessions like this one, a read-only transaction, a read-only engine.
            1290 | 1792 | 1836 => Some(RotatorError::misconfigured(format!(
                "{peer} is a replica or read-only, and takes no changes; set `host` to the primary (the \
                 cluster's writer endpoint)"
            ))),
            // Such a user is let in, and may do nothing else.
            code::MUST_CHANGE => Some(expired(peer)),
            _ => explain(code),
        };
        let fault = fault.unwrap_or_else(|| {
            RotatorError::refused(format!(
                "{peer} refuses a statement; look the code up in the manual's list of server errors"
            ))
        });
        fault.with_code(code.to_string())
    }
}

/// Codes with which a server refuses a new password by its own rules.
pub(super) fn rejected(code: u16, peer: &Peer) -> Option<RotatorError> {
    match code {
        code::POLICY => Some(RotatorError::rejected_by_target(format!(
            "the new password does not meet the rules of {peer} (validate_password); fit those of the \
             function to them"
        ))),
        code::HISTORY => Some(RotatorError::rejected_by_target(format!(
            "{peer} knows the new password from the user's history; rotate again"
        ))),
        code::HASH_FORMAT | 1372 => Some(RotatorError::rejected_by_target(format!(
            "{peer} does not take the hash of the new password; report this with the server's version"
        ))),
        _ => None,
    }
}

/// Codes that say that a right is missing.
pub(super) fn is_missing_right(code: u16) -> bool {
    matches!(
        code,
        code::DATABASE_DENIED | code::TABLE_DENIED | code::RIGHT_MISSING | 1143 | 1370 | 1410
    )
}

#[cfg(test)]
mod tests;
