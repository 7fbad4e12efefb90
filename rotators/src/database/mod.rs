//! What the secrets of databases and caches have in common: who logs in, TLS, and the admin.

mod admin;
#[cfg(feature = "_pairs")]
mod current;
#[cfg(feature = "_session")]
mod entry;
#[cfg(feature = "_pairs")]
pub(crate) mod pair;
mod peer;
#[cfg(feature = "_sql")]
pub(crate) mod sql;
#[cfg(feature = "_stream")]
mod stream;
#[cfg(feature = "_suffix_pairs")]
mod suffix;
#[cfg(feature = "_timeouts")]
mod timeouts;
#[cfg(feature = "_pairs")]
pub(crate) mod turns;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

pub(crate) use self::admin::AdminCredential;
#[cfg(feature = "_pairs")]
pub(crate) use self::current::current_user;
#[cfg(feature = "_session")]
pub(crate) use self::entry::Entry;
#[cfg(feature = "_session")]
pub(crate) use self::peer::Role;
#[cfg(feature = "_sql")]
pub(crate) use self::peer::broken;
pub(crate) use self::peer::silent;
#[cfg(feature = "_stream")]
pub(crate) use self::stream::{NoStream, Stream, connect};
#[cfg(feature = "_suffix_pairs")]
pub use self::suffix::{InvalidSuffix, PairSettings};
#[cfg(feature = "_timeouts")]
pub use self::timeouts::Timeouts;
#[cfg(feature = "_rds_admin")]
use crate::rds::Address;
use crate::tls::CaCertificates;

/// What tells the secrets of one family of servers from those of another.
pub(crate) struct Family {
    /// What `engine` may be.
    pub(crate) engines: &'static [&'static str],
    /// The same in words.
    pub(crate) expected: &'static str,
    /// Reads who logs in, by the rules that these servers have for names and passwords.
    pub(crate) login: fn(&SecretDocument) -> Result<Login, DocumentError>,
}

impl Family {
    pub(crate) fn check_engine(&self, engine: &SecretString) -> Result<(), DocumentError> {
        if self.engines.contains(&engine.expose_secret()) {
            return Ok(());
        }
        Err(DocumentError::Unsuitable {
            key: "engine",
            expected: self.expected,
        })
    }
}

/// Who logs in.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
}

#[cfg(any(
    feature = "_postgres_wire",
    feature = "mongodb",
    feature = "mysql",
    feature = "sqlserver"
))]
impl Login {
    /// What it means that the server refuses with this code what it took a moment ago.
    pub(crate) fn taken_away(code: impl Into<String>) -> secrets_core::rotator::RotatorError {
        secrets_core::rotator::RotatorError::unreachable(
            "the server refuses a password that it took a moment ago: somebody else changed it; try again, \
             which finds the one that holds",
        )
        .with_code(code)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login([redacted])")
    }
}

/// How connections are protected.
#[derive(Clone)]
pub(crate) enum Tls {
    /// The server must prove who it is.
    Verified {
        /// The name in its certificate, where that is not the host.
        server_name: Option<String>,
        /// The secret's own authorities.
        ca: Option<CaCertificates>,
    },
    /// Because the secret says so.
    Plaintext,
}

impl Tls {
    /// From `ssl`, `tls_server_name` and `ca_certificate`.
    pub(crate) fn of(secret: &SecretDocument) -> Result<Self, DocumentError> {
        if secret.flag("ssl")? == Some(false) {
            return Ok(Self::Plaintext);
        }
        Ok(Self::Verified {
            server_name: secret.optional_text("tls_server_name")?.map(plain),
            ca: CaCertificates::of(secret)?,
        })
    }
}

#[cfg(feature = "_rds_admin")]
impl Tls {
    /// The same for an admin's way to `admins`, where `own` is the host of the secret: a name that the secret
    /// gives is that of its own host.
    pub(crate) fn at(&self, admins: &Address, own: &str) -> Self {
        match self {
            Self::Verified { ca, .. } if !admins.has_host(own) => Self::Verified {
                server_name: None,
                ca: ca.clone(),
            },
            same => same.clone(),
        }
    }
}

/// The secret of the admin: `masterarn`.
pub(crate) fn admin_of(secret: &SecretDocument) -> Result<Option<SecretId>, DocumentError> {
    let arn = secret.optional_text("masterarn")?;
    Ok(arn.map(|arn| SecretId::from(arn.expose_secret())))
}

/// The protocols of `PostgreSQL` and `MySQL` end texts with a zero byte, and SASL PLAIN separates name and
/// password by one, so no text can hold one.
#[cfg(any(feature = "_postgres_wire", feature = "mysql", feature = "rabbitmq"))]
pub(crate) fn without_nul(
    key: &'static str,
    text: SecretString,
) -> Result<SecretString, DocumentError> {
    if text.expose_secret().contains('\0') {
        return Err(DocumentError::WrongType {
            key,
            expected: "free of zero bytes",
        });
    }
    Ok(text)
}

/// What is no secret.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the secret form is wiped here"
)]
pub(crate) fn plain(text: SecretString) -> String {
    text.expose_secret().to_owned()
}
