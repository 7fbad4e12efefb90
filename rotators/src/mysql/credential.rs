//! What a secret says about a server and a user, checked once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

use super::pair;
use crate::tls::CaCertificates;

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
    pub(super) usernames: Result<Option<[String; 2]>, DocumentError>,
    is_mariadb: bool,
}

impl MySqlCredential {
    /// How many characters the name of a user may have.
    pub(super) fn longest_name(&self) -> usize {
        if self.is_mariadb { 128 } else { 32 }
    }
}

/// Who logs in.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: SecretString,
}

/// How the connection is protected.
#[derive(Clone)]
pub(super) enum Tls {
    /// The server must prove to be `server_name`.
    Verified {
        server_name: String,
        /// The secret's own authorities.
        ca: Option<CaCertificates>,
    },
    /// Because the secret says so.
    Plaintext,
}

impl TryFrom<&SecretDocument> for MySqlCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let engine = secret.text("engine")?;
        check_engine(&engine)?;
        let host = plain(secret.text("host")?);
        let login = Login::try_from(secret)?;
        Ok(Self {
            usernames: pair::usernames(secret, &login.username),
            port: secret.port("port")?.unwrap_or(3306),
            database: match secret.optional_text("dbname")? {
                Some(name) => Some(plain(without_nul("dbname", name)?)),
                None => None,
            },
            login,
            tls: if secret.flag("ssl")? == Some(false) {
                Tls::Plaintext
            } else {
                let server_name = secret.optional_text("tls_server_name")?;
                Tls::Verified {
                    server_name: server_name.map_or_else(|| host.clone(), plain),
                    ca: ca_certificate(secret)?,
                }
            },
            admin: secret
                .optional_text("masterarn")?
                .map(|arn| SecretId::from(arn.expose_secret())),
            is_mariadb: engine.expose_secret() == "mariadb",
            host,
        })
    }
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            username: plain(without_nul("username", secret.text("username")?)?),
            password: without_nul("password", secret.text("password")?)?,
        })
    }
}

/// The admin that `masterarn` names: a user of the same server.
pub(super) struct AdminCredential {
    pub(super) login: Login,
    /// As far as the admin's secret names one: those that RDS keeps hold a name and a password only.
    host: Option<String>,
}

impl AdminCredential {
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.host
            .as_deref()
            .is_none_or(|own| own.eq_ignore_ascii_case(host))
    }
}

impl TryFrom<&SecretDocument> for AdminCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        if let Some(engine) = secret.optional_text("engine")? {
            check_engine(&engine)?;
        }
        Ok(Self {
            login: Login::try_from(secret)?,
            host: secret.optional_text("host")?.map(plain),
        })
    }
}

fn check_engine(engine: &SecretString) -> Result<(), DocumentError> {
    match engine.expose_secret() {
        "mysql" | "aurora-mysql" | "mariadb" => Ok(()),
        _ => Err(DocumentError::Unsuitable {
            key: "engine",
            expected: "mysql, aurora-mysql or mariadb",
        }),
    }
}

fn ca_certificate(secret: &SecretDocument) -> Result<Option<CaCertificates>, DocumentError> {
    let Some(pem) = secret.optional_text("ca_certificate")? else {
        return Ok(None);
    };
    match CaCertificates::from_pem(pem.expose_secret()) {
        Ok(ca) => Ok(Some(ca)),
        Err(_) => Err(DocumentError::WrongType {
            key: "ca_certificate",
            expected: "one or more certificates in PEM",
        }),
    }
}

/// The protocol ends names with a zero byte, so none can hold one.
fn without_nul(key: &'static str, text: SecretString) -> Result<SecretString, DocumentError> {
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
fn plain(text: SecretString) -> String {
    text.expose_secret().to_owned()
}

impl fmt::Debug for MySqlCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login([redacted])")
    }
}

impl fmt::Debug for AdminCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminCredential([redacted])")
    }
}

#[cfg(test)]
mod tests;
