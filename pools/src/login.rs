//! What most databases are logged in to with.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};

/// The keys `username` and `password` of a secret, as AWS's rotation functions name them.
///
/// Where a pool needs more of the secret, such as `host`, any other type will do that is made of a document.
pub struct DbLogin {
    username: SecretString,
    password: SecretString,
}

impl DbLogin {
    /// The user name. With alternating users it changes with the version.
    pub fn username(&self) -> &str {
        self.username.expose_secret()
    }

    /// The password, for the driver. Drivers keep what they are given, and do not wipe it.
    pub fn expose_password(&self) -> &str {
        self.password.expose_secret()
    }
}

impl TryFrom<&SecretDocument> for DbLogin {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            username: secret.text("username")?,
            password: secret.text("password")?,
        })
    }
}

impl fmt::Debug for DbLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DbLogin([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_of_two_keys_and_shows_neither() {
        let secret = r#"{"username": "app", "password": "sentinel", "host": "db"}"#;
        let login = DbLogin::try_from(&SecretDocument::from_text(secret)).expect("a login");
        assert_eq!(
            (login.username(), login.expose_password()),
            ("app", "sentinel")
        );
        assert_eq!(format!("{login:?}"), "DbLogin([redacted])");

        for incomplete in [r#"{"username": "app"}"#, r#"{"password": "sentinel"}"#] {
            assert!(DbLogin::try_from(&SecretDocument::from_text(incomplete)).is_err());
        }
    }
}
