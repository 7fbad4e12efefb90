//! What a secret says about a server and a role, checked once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

use super::tls::CaCertificates;

/// The longest name of a role, in bytes (`PostgreSQL` manual, "Identifiers and Key Words"). Servers cut
/// longer ones off without an error, and would change another role.
pub(super) const MAX_NAME_BYTES: usize = 63;

/// What a secret may have as its `engine`.
pub(super) const ENGINES: &[&str] = &["postgres", "aurora-postgresql"];

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

impl TryFrom<&SecretDocument> for PostgresCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        check_engine(&secret.text("engine")?)?;
        let host = plain(secret.text("host")?);
        let login = Login::try_from(secret)?;
        Ok(Self {
            port: secret.port("port")?.unwrap_or(5432),
            database: match secret.optional_text("dbname")? {
                Some(name) => plain(without_nul("dbname", name)?),
                None => "postgres".to_owned(),
            },
            usernames: usernames(secret, &login.username),
            login,
            tls: if secret.flag("ssl")? == Some(false) {
                Tls::Plaintext
            } else {
                let server_name = secret.optional_text("tls_server_name")?;
                Tls::Verified {
                    server_name: server_name.map_or_else(|| host.clone(), plain),
                    ca: CaCertificates::of(secret)?,
                }
            },
            admin: secret
                .optional_text("masterarn")?
                .map(|arn| SecretId::from(arn.expose_secret())),
            host,
        })
    }
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            username: name("username", secret.text("username")?)?,
            password: without_nul("password", secret.text("password")?)?,
        })
    }
}

/// `usernames`: the user of the secret and another one.
fn usernames(
    secret: &SecretDocument,
    username: &str,
) -> Result<Option<[String; 2]>, DocumentError> {
    let Some(names) = secret.optional_texts("usernames")? else {
        return Ok(None);
    };
    let names = names.into_iter().map(|text| name("usernames", text));
    match <[String; 2]>::try_from(names.collect::<Result<Vec<_>, _>>()?) {
        Ok(both) if both[0] != both[1] && both.iter().any(|one| one == username) => Ok(Some(both)),
        _ => Err(DocumentError::Unsuitable {
            key: "usernames",
            expected: "a list of two different users, one of which is `username`",
        }),
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

/// The admin that `masterarn` names: a role of the same server.
pub(super) struct AdminCredential {
    pub(super) login: Login,
    /// As far as the admin's secret names one: those that RDS keeps hold a name and a password only.
    pub(super) host: Option<String>,
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
    if ENGINES.contains(&engine.expose_secret()) {
        return Ok(());
    }
    Err(DocumentError::Unsuitable {
        key: "engine",
        expected: "postgres or aurora-postgresql",
    })
}

/// The protocol ends texts with a zero byte, so no text can hold one.
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

impl fmt::Debug for PostgresCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresCredential")
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
