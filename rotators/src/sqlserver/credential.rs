//! What a secret says about a server and a user, checked once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::RotatorError;

use crate::database::pair::{self, Partner};
use crate::database::turns::Turn;
pub(super) use crate::database::{AdminCredential, Login, Tls};
use crate::database::{Family, admin_of, plain};
use crate::rds::Address;

/// How long names and passwords may be, in UTF-16 code units: `sysname`, and "Passwords" in the Transact-SQL
/// reference; a login message holds no more either (MS-TDS 2.2.6.4).
pub(super) const LONGEST: usize = 128;

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &[
        "sqlserver",
        "sqlserver-ee",
        "sqlserver-se",
        "sqlserver-ex",
        "sqlserver-web",
    ],
    expected: "sqlserver, sqlserver-ee, sqlserver-se, sqlserver-ex or sqlserver-web",
    login: |secret| {
        Ok(Login {
            username: plain(checked("username", secret.text("username")?)?),
            password: checked("password", secret.text("password")?)?,
        })
    },
};

/// How long a text is to the server.
pub(super) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn checked(key: &'static str, text: SecretString) -> Result<SecretString, DocumentError> {
    let shown = text.expose_secret();
    if shown.chars().any(char::is_control) || units(shown) > LONGEST {
        return Err(DocumentError::WrongType {
            key,
            expected: "at most 128 characters long and free of control characters",
        });
    }
    Ok(text)
}

/// A user of a server, with its password and the way to reach it.
pub struct SqlServerCredential {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) login: Login,
    pub(super) tls: Tls,
    pub(super) admin: Option<SecretId>,
    /// The two users that take turns, where the secret names both. What is wrong with them matters to
    /// alternating users only: to others the key belongs to somebody else.
    usernames: Result<Option<[String; 2]>, DocumentError>,
}

impl SqlServerCredential {
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
        }
    }

    /// Whose turn it is, if it is this one's.
    pub(super) fn turn(&self, suffix: &str) -> Result<Turn<'_>, RotatorError> {
        let partner = Partner::of(&self.login, &self.usernames, suffix)?;
        let partner = partner.at_most(LONGEST, "characters", units)?;
        Turn::new(&self.login, partner, self.admin.as_ref())
    }
}

impl TryFrom<&SecretDocument> for SqlServerCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        FAMILY.check_engine(&secret.text("engine")?)?;
        let login = (FAMILY.login)(secret)?;
        let name = |text| {
            checked("usernames", text)
                .map(plain)
                .map_err(|_| pair::NO_PAIR)
        };
        Ok(Self {
            host: plain(secret.text("host")?),
            usernames: pair::usernames(secret, &login.username, name),
            port: secret.port("port")?.unwrap_or(1433),
            database: match secret.optional_text("dbname")? {
                Some(name) => plain(checked("dbname", name)?),
                None => "master".to_owned(),
            },
            login,
            tls: Tls::of(secret)?,
            admin: admin_of(secret)?,
        })
    }
}

impl fmt::Debug for SqlServerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlServerCredential")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(extra: &Value) -> Result<SqlServerCredential, DocumentError> {
        let mut secret =
            json!({"engine": "sqlserver", "host": "h", "username": "app", "password": "sentinel"});
        for (key, value) in extra.as_object().expect("an object") {
            secret[key] = value.clone();
        }
        (&SecretDocument::from_text(&secret.to_string())).try_into()
    }

    #[test]
    fn the_keys_are_those_of_awss_functions() {
        let least = read(&json!({})).expect("a credential");
        assert_eq!((least.port, least.database.as_str()), (1433, "master"));
        assert_eq!(
            format!("{least:?}"),
            "SqlServerCredential { host: \"h\", port: 1433, .. }"
        );
        for engine in FAMILY.engines {
            let all =
                json!({"engine": engine, "port": "1434", "dbname": "shop", "masterarn": "arn:a"});
            let all = read(&all).expect("a credential");
            assert_eq!((all.port, all.database.as_str()), (1434, "shop"));
            assert!(all.admin.is_some());
        }
        assert!(read(&json!({"engine": "postgres"})).is_err());
    }

    #[test]
    fn names_and_passwords_are_what_a_statement_can_hold() {
        let longest = "é".repeat(LONGEST);
        assert!(read(&json!({"username": longest, "password": longest})).is_ok());
        // Two code units each.
        let clefs = "𝄞".repeat(LONGEST / 2 + 1);
        for bad in [&format!("{longest}x"), "a\\\nb", "a\0b", &clefs] {
            for key in ["username", "password", "dbname"] {
                let fault = read(&json!({key: bad})).expect_err(bad).to_string();
                assert!(fault.contains(key) && !fault.contains(bad), "{fault}");
            }
            let pair = read(&json!({"usernames": ["app", bad]})).expect("a credential");
            assert_eq!(pair.usernames, Err(pair::NO_PAIR));
        }
    }

    #[test]
    fn the_second_users_name_ends_at_the_limit() {
        let partner = |username: &str| {
            let user = read(&json!({"username": username, "masterarn": "arn:a"}));
            let user = user.expect("a credential");
            let turn = user.turn("_clone").map(|turn| turn.partner.name);
            turn.map_err(|fault| fault.to_string())
        };
        assert_eq!(partner("app").as_deref(), Ok("app_clone"));
        assert_eq!(partner("app_clone").as_deref(), Ok("app"));
        let fits = "é".repeat(LONGEST - 6);
        assert_eq!(partner(&fits), Ok(format!("{fits}_clone")));
        let fault = partner(&format!("{fits}é")).expect_err("too long");
        assert!(fault.contains("128 characters"), "{fault}");
    }
}
