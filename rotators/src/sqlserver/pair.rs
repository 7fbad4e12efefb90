//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::{LONGEST, SqlServerCredential, units};
pub(super) use crate::database::pair::Partner;
pub use crate::database::{InvalidSuffix, PairSettings};

/// The user that takes turns with the one of a secret.
pub(super) fn partner_of(
    credential: &SqlServerCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    Partner::of(&credential.login, &credential.usernames, &settings.suffix)?.at_most(
        LONGEST,
        "characters",
        units,
    )
}

#[cfg(test)]
mod tests {
    use secrets_core::document::SecretDocument;
    use serde_json::json;

    use super::*;

    fn partner(username: &str) -> Result<String, String> {
        let secret =
            json!({"engine": "sqlserver", "host": "h", "username": username, "password": "p"});
        let secret = SecretDocument::from_text(&secret.to_string());
        let credential = SqlServerCredential::try_from(&secret).expect("a credential");
        let partner = partner_of(&credential, &PairSettings::default());
        partner
            .map(|partner| partner.name)
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn names_end_at_the_limit() {
        assert_eq!(partner("app").as_deref(), Ok("app_clone"));
        assert_eq!(partner("app_clone").as_deref(), Ok("app"));
        let fits = "é".repeat(LONGEST - 6);
        assert_eq!(partner(&fits), Ok(format!("{fits}_clone")));
        let fault = partner(&format!("{fits}é")).expect_err("too long");
        assert!(fault.contains("128 characters"), "{fault}");
    }

    #[test]
    fn a_suffix_that_makes_no_name_is_refused() {
        for bad in ["", "a\nb", &"x".repeat(17)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
    }
}
