//! The server that is talked to, and how its kind is spoken of.

use std::fmt;

use secrets_core::rotator::RotatorError;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;

use super::fault::Refusal;
use crate::database;
pub(crate) use crate::database::Role;

/// What is particular to one kind of server.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// As it is called.
    pub(crate) name: &'static str,
    /// What logs in there: a role, a user.
    pub(crate) account: &'static str,
    /// Where its codes are explained.
    pub(crate) codes: &'static str,
    /// How it comes to offer TLS.
    pub(crate) enable_tls: &'static str,
    /// How it comes to ask for a login that can be made.
    pub(crate) login_methods: &'static str,
    /// The code with which it refuses a wrong password.
    pub(crate) wrong: &'static str,
    /// Whether the refusal of a login says that the credential is wrong.
    pub(crate) says_wrong: fn(&Refusal) -> bool,
    /// What the refusal of a login means, where that is not the same everywhere.
    pub(crate) refused_login: fn(&SqlState, &Peer, SslMode) -> Option<RotatorError>,
    /// Whether it may ask for Amazon Redshift's digest of a password.
    pub(crate) asks_for_digests: bool,
}

/// The server that is talked to, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) role: Role,
    pub(crate) dialect: &'static Dialect,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, self.role)
    }
}

impl Peer {
    /// A time-out; `what` is what did not happen in time.
    pub(crate) fn silent(&self, what: &str) -> RotatorError {
        database::silent(self, what)
    }

    /// The connection ended; `when` says in the middle of what.
    pub(crate) fn broken(&self, when: &str) -> RotatorError {
        database::broken(self, when)
    }

    /// Something else listens there.
    pub(crate) fn not_this_server(&self) -> RotatorError {
        RotatorError::misconfigured(format!(
            "what answers at {self} does not speak the protocol of {}; check `host` and `port`",
            self.dialect.name
        ))
    }
}
