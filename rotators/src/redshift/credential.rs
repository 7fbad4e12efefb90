//! What a secret says about a server and a user, checked once.

use std::fmt;

use secrets_core::document::{DocumentError, SecretDocument};

use super::error::DIALECT;
use crate::database::Family;
pub(super) use crate::database::{AdminCredential, Login};
use crate::postgres_wire::credential::{Credential, Names, Secrets};

/// The longest name of a user: AWS page "Names and identifiers".
pub(super) const NAMES: Names = Names {
    longest_bytes: 127,
    expected: "at most 127 bytes long",
};

/// What is particular to the secrets of these servers.
pub(super) const FAMILY: Family = Family {
    engines: &["redshift"],
    expected: "redshift",
    login: |secret| NAMES.login(secret),
};

const SECRETS: Secrets = Secrets {
    family: FAMILY,
    names: NAMES,
    port: 5439,
    database: "dev",
    dialect: &DIALECT,
};

/// A user of a cluster or workgroup, with its password and the way to reach it.
pub struct RedshiftCredential(pub(super) Credential);

impl TryFrom<&SecretDocument> for RedshiftCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Credential::of(secret, &SECRETS).map(Self)
    }
}

impl fmt::Debug for RedshiftCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show("RedshiftCredential", f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Tls;

    const MINIMAL: &str = r#"{"engine":"redshift","host":"h","username":"App","password":"p"}"#;

    fn read(secret: &str) -> Result<RedshiftCredential, DocumentError> {
        RedshiftCredential::try_from(&SecretDocument::from_text(secret))
    }

    #[test]
    fn what_is_left_out_has_the_defaults_of_awss_functions() {
        let read = read(MINIMAL).expect("complete");
        let RedshiftCredential(user) = &read;
        assert_eq!((user.port, user.database.as_str()), (5439, "dev"));
        assert_eq!(user.login.username, "App", "case is kept");
        assert!(matches!(user.tls, Tls::Verified { .. }));
        assert!(user.admin.is_none());
        assert_eq!(
            format!("{read:?}"),
            r#"RedshiftCredential { host: "h", port: 5439, .. }"#
        );
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_value() {
        let long = "a".repeat(128);
        for (good, bad, key) in [
            ("redshift", "postgres", "engine"),
            (r#""engine":"redshift","#, "", "engine"),
            ("App", long.as_str(), "username"),
            (r#""p""#, r#""p\u0000""#, "password"),
            (r#""host":"h","#, "", "host"),
        ] {
            let fault = read(&MINIMAL.replace(good, bad))
                .expect_err(key)
                .to_string();
            assert!(fault.contains(&format!("`{key}`")), "{fault}");
            assert!(bad.is_empty() || !fault.contains(bad), "{fault}");
        }
        assert!(read(&MINIMAL.replace("App", &long[1..])).is_ok());
    }
}
