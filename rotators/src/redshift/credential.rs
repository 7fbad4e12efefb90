//! What a secret says about a server and a user, checked once.

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
    engines: &["redshift"],
    expected: "redshift",
    login: |secret| {
        Ok(Login {
            username: name("username", secret.text("username")?)?,
            password: without_nul("password", secret.text("password")?)?,
        })
    },
};

/// The longest name of a user, in bytes (AWS page "Names and identifiers"). Longer ones are cut off, which
/// would change another user.
pub(super) const MAX_NAME_BYTES: usize = 127;

/// A user of a cluster or workgroup, with its password and the way to reach it.
pub struct RedshiftCredential {
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

impl TryFrom<&SecretDocument> for RedshiftCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        FAMILY.check_engine(&secret.text("engine")?)?;
        let login = (FAMILY.login)(secret)?;
        Ok(Self {
            host: plain(secret.text("host")?),
            port: secret.port("port")?.unwrap_or(5439),
            database: match secret.optional_text("dbname")? {
                Some(name) => plain(without_nul("dbname", name)?),
                None => "dev".to_owned(),
            },
            usernames: usernames(secret, &login.username, |text| name("usernames", text)),
            login,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
        })
    }
}

impl RedshiftCredential {
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
            expected: "at most 127 bytes long",
        });
    }
    Ok(name)
}

impl fmt::Debug for RedshiftCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedshiftCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<RedshiftCredential, DocumentError> {
        RedshiftCredential::try_from(&SecretDocument::from_text(text))
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_awss_functions() {
        let secret = r#"{"engine":"redshift","host":"h","username":"App","password":"sentinel"}"#;
        let read = read(secret).expect("complete");
        assert_eq!((read.port, read.database.as_str()), (5439, "dev"));
        assert_eq!(read.login.username, "App", "case is kept");
        assert!(matches!(read.tls, Tls::Verified { .. }));
        assert!(read.admin.is_none());
        assert_eq!(
            format!("{read:?}"),
            r#"RedshiftCredential { host: "h", port: 5439, .. }"#
        );
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_value() {
        let long = "a".repeat(128);
        for (secret, key) in [
            (
                r#"{"engine":"postgres","host":"h","username":"u","password":"p"}"#.to_owned(),
                "engine",
            ),
            (
                r#"{"host":"h","username":"u","password":"p"}"#.to_owned(),
                "engine",
            ),
            (
                format!(r#"{{"engine":"redshift","host":"h","username":"{long}","password":"p"}}"#),
                "username",
            ),
            (
                r#"{"engine":"redshift","host":"h","username":"u","password":"p\u0000"}"#
                    .to_owned(),
                "password",
            ),
            (
                r#"{"engine":"redshift","username":"u","password":"p"}"#.to_owned(),
                "host",
            ),
        ] {
            let fault = read(&secret).expect_err(key).to_string();
            assert!(fault.contains(&format!("`{key}`")), "{fault}");
            assert!(!fault.contains(&long), "{fault}");
        }
        let fits = format!(
            r#"{{"engine":"redshift","host":"h","username":"{}","password":"p"}}"#,
            &long[1..]
        );
        assert!(read(&fits).is_ok());
    }
}
