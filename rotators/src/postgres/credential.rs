//! What a secret says about a server and a role, checked once.

use std::fmt;

use secrecy::SecretString;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

use super::error::DIALECT;
use crate::database::pair::usernames;
pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain, without_nul};
use crate::postgres_wire::Place;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["postgres", "aurora-postgresql"],
    expected: "postgres or aurora-postgresql",
    login: |secret| {
        Ok(Login {
            username: name("username", secret.text("username")?)?,
            password: without_nul("password", secret.text("password")?)?,
        })
    },
};

/// The longest name of a role, in bytes (`PostgreSQL` manual, "Identifiers and Key Words"). Servers cut
/// longer ones off without an error, and would change another role.
pub(super) const MAX_NAME_BYTES: usize = 63;

/// A role of a server, with its password and the way to reach it.
pub struct PostgresCredential {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) login: Login,
    pub(super) tls: Tls,
    pub(super) admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    pub(super) usernames: Result<Option<[String; 2]>, DocumentError>,
}

impl TryFrom<&SecretDocument> for PostgresCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        FAMILY.check_engine(&secret.text("engine")?)?;
        let login = (FAMILY.login)(secret)?;
        Ok(Self {
            host: plain(secret.text("host")?),
            port: secret.port("port")?.unwrap_or(5432),
            database: match secret.optional_text("dbname")? {
                Some(name) => plain(without_nul("dbname", name)?),
                None => "postgres".to_owned(),
            },
            usernames: usernames(secret, &login.username, |text| name("usernames", text)),
            login,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
        })
    }
}

impl PostgresCredential {
    /// Where its sessions lead.
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            host: &self.host,
            port: self.port,
            database: &self.database,
            tls: &self.tls,
            dialect: &DIALECT,
        }
    }
}

fn name(key: &'static str, text: SecretString) -> Result<String, DocumentError> {
    let name = plain(without_nul(key, text)?);
    if name.len() > MAX_NAME_BYTES {
        return Err(DocumentError::Unsuitable {
            key,
            expected: "at most 63 bytes long",
        });
    }
    Ok(name)
}

impl fmt::Debug for PostgresCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
