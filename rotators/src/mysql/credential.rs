//! What a secret says about a server and a user, checked once.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::RotatorError;

use crate::database::pair::{self, Partner};
use crate::database::turns::Turn;
pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain, without_nul};
use crate::rds::Address;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["mysql", "aurora-mysql", "mariadb"],
    expected: "mysql, aurora-mysql or mariadb",
    login: |secret| {
        Ok(Login {
            username: plain(without_nul("username", secret.text("username")?)?),
            password: without_nul("password", secret.text("password")?)?,
        })
    },
};

/// A user of a server, with its password and the way to reach it.
pub struct MySqlCredential {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: Option<String>,
    pub(super) login: Login,
    pub(super) tls: Tls,
    pub(super) admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    usernames: Result<Option<[String; 2]>, DocumentError>,
    is_mariadb: bool,
}

impl MySqlCredential {
    /// The same at another address of the same database.
    pub(super) fn at(&self, address: Address) -> Self {
        Self {
            tls: self.tls.at(&address, &self.host),
            host: address.host,
            port: address.port,
            database: self.database.clone(),
            login: self.login.clone(),
            admin: None,
            usernames: Ok(None),
            is_mariadb: self.is_mariadb,
        }
    }

    /// Whose turn it is, if it is this one's.
    pub(super) fn turn(&self, suffix: &str) -> Result<Turn<'_>, RotatorError> {
        let longest = if self.is_mariadb { 128 } else { 32 };
        let partner = Partner::of(&self.login, &self.usernames, suffix)?;
        let partner = partner.at_most(longest, "characters", |name| name.chars().count())?;
        Turn::new(&self.login, partner, self.admin.as_ref())
    }
}

impl TryFrom<&SecretDocument> for MySqlCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let engine = secret.text("engine")?;
        FAMILY.check_engine(&engine)?;
        let login = (FAMILY.login)(secret)?;
        Ok(Self {
            host: plain(secret.text("host")?),
            usernames: pair::usernames(secret, &login.username, |name| {
                let name = without_nul("usernames", name).map_err(|_| pair::NO_PAIR)?;
                Ok(plain(name))
            }),
            port: secret.port("port")?.unwrap_or(3306),
            database: match secret.optional_text("dbname")? {
                Some(name) => Some(plain(without_nul("dbname", name)?)),
                None => None,
            },
            login,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
            is_mariadb: engine.expose_secret() == "mariadb",
        })
    }
}

impl fmt::Debug for MySqlCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
