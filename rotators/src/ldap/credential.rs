//! What a secret says about a server and an entry, checked once.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain};

/// LDAP over TLS, and everything else (RFC 4511, section 5.2; the registry of IANA).
const TLS_PORT: u16 = 636;
const PORT: u16 = 389;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["openldap", "ldap"],
    expected: "openldap or ldap",
    login,
};

/// An entry of a directory, with its password and the way to reach it.
pub struct LdapCredential {
    pub(super) server: Server,
    pub(super) login: Login,
    pub(super) admin: Option<SecretId>,
}

/// A server and how it is reached.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    /// Whether TLS begins with a request in plaintext.
    pub(super) start_tls: bool,
}

impl TryFrom<&SecretDocument> for LdapCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        if let Some(engine) = secret.optional_text("engine")? {
            FAMILY.check_engine(&engine)?;
        }
        let tls = Tls::of(secret)?;
        let start_tls = secret.flag("start_tls")?.unwrap_or(false);
        if start_tls && matches!(tls, Tls::Plaintext) {
            return Err(DocumentError::Unsuitable {
                key: "start_tls",
                expected: "false where `ssl` is false; remove one of them",
            });
        }
        let encrypted = !start_tls && !matches!(tls, Tls::Plaintext);
        let usual = if encrypted { TLS_PORT } else { PORT };
        Ok(Self {
            server: Server {
                host: plain(secret.text("host")?),
                port: secret.port("port")?.unwrap_or(usual),
                tls,
                start_tls,
            },
            login: login(secret)?,
            admin: admin_of(secret)?,
        })
    }
}

/// Without a name or without a password a server lets everyone in, as nobody (RFC 4513, sections 5.1.1 and
/// 5.1.2): that would look like a login. An empty password is none to the document.
fn login(secret: &SecretDocument) -> Result<Login, DocumentError> {
    let username = plain(secret.text("username")?);
    if !username.contains('=') {
        return Err(DocumentError::Unsuitable {
            key: "username",
            expected: "a distinguished name, such as uid=app,ou=services,dc=example,dc=com",
        });
    }
    Ok(Login {
        username,
        password: secret.text("password")?,
    })
}

impl fmt::Debug for LdapCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LdapCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(extra: &Value) -> Result<LdapCredential, DocumentError> {
        let mut secret = json!({
            "host": "ldap.example", "username": "uid=app,dc=example", "password": "sentinel",
        });
        for (key, value) in extra.as_object().expect("an object") {
            secret[key] = value.clone();
        }
        LdapCredential::try_from(&SecretDocument::from_text(&secret.to_string()))
    }

    #[test]
    fn the_port_is_that_of_the_protection() {
        for (extra, port, start_tls) in [
            (json!({}), 636, false),
            (json!({"engine": "openldap"}), 636, false),
            (json!({"engine": "ldap", "start_tls": true}), 389, true),
            (json!({"start_tls": "true", "port": "1389"}), 1389, true),
            (json!({"start_tls": false}), 636, false),
            (json!({"ssl": false}), 389, false),
            (json!({"ssl": false, "start_tls": false}), 389, false),
            (json!({"ssl": "false", "port": 7}), 7, false),
        ] {
            let read = read(&extra).expect("a credential");
            assert_eq!(
                (read.server.port, read.server.start_tls),
                (port, start_tls),
                "{extra}"
            );
            assert_eq!(format!("{read:?}"), "LdapCredential([redacted])");
        }
    }

    #[test]
    fn what_would_let_everyone_in_is_refused() {
        for (extra, key) in [
            (json!({"password": ""}), "`password`"),
            (json!({"username": ""}), "`username`"),
            (json!({"username": "app"}), "`username`"),
            (json!({"engine": "redis"}), "`engine`"),
            (json!({"ssl": false, "start_tls": true}), "`start_tls`"),
            (json!({"start_tls": "later"}), "`start_tls`"),
        ] {
            let fault = read(&extra).expect_err("a fault").to_string();
            assert!(
                fault.contains(key) && !fault.contains("sentinel"),
                "{fault}"
            );
        }
    }
}
