//! Which two users take turns.

use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::rotator::RotatorError;

use super::credential::MySqlCredential;
pub(super) use crate::database::pair::Partner;
pub use crate::database::{InvalidSuffix, PairSettings};
use crate::database::{pair, plain, without_nul};

/// The user that takes turns with the one of a secret.
pub(super) fn partner_of(
    credential: &MySqlCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    let characters = |name: &str| name.chars().count();
    Partner::of(&credential.login, &credential.usernames, &settings.suffix)?.at_most(
        credential.longest_name(),
        "characters",
        characters,
    )
}

/// The key `usernames`: the user of the secret and another one.
pub(super) fn usernames(
    secret: &SecretDocument,
    username: &str,
) -> Result<Option<[String; 2]>, DocumentError> {
    pair::usernames(secret, username, |name| {
        without_nul("usernames", name)
            .map(plain)
            .map_err(|_| pair::NO_PAIR)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn partner(
        engine: &str,
        username: &str,
        suffix: &str,
        usernames: &Value,
    ) -> Result<Partner, String> {
        let secret = json!({
            "engine": engine, "host": "h", "username": username, "password": "p", "usernames": usernames,
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        let credential = MySqlCredential::try_from(&secret).expect("a credential");
        let settings = PairSettings::with_suffix(suffix).expect("a suffix");
        partner_of(&credential, &settings).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_suffix_comes_and_goes() {
        for (one, two, suffix) in [
            ("app", "app_clone", "_clone"),
            ("app_clone", "app", "_clone"),
            ("app_clone_x", "app_clone_x_clone", "_clone"),
            ("app", "app b", " b"),
            ("_clone", "_clone_clone", "_clone"),
        ] {
            let found = partner("mysql", one, suffix, &Value::Null).expect(one);
            assert_eq!((found.name.as_str(), found.named), (two, false));
        }
    }

    /// Characters, not bytes: `MySQL` manual, "Account Names", and `MariaDB`'s "Identifier Names".
    #[test]
    fn names_end_at_the_limit() {
        for (engine, longest) in [("mysql", 32), ("aurora-mysql", 32), ("mariadb", 128)] {
            let fits = "é".repeat(longest - 6);
            let found = partner(engine, &fits, "_clone", &Value::Null).map(|found| found.name);
            assert_eq!(found, Ok(format!("{fits}_clone")));
            let long = format!("{fits}é");
            let named = json!([long, "é".repeat(longest)]);
            assert!(partner(engine, &long, "_clone", &named).is_ok());
            let too_long = json!([long, "é".repeat(longest + 1)]);
            for usernames in [Value::Null, too_long] {
                let fault = partner(engine, &long, "_clone", &usernames).expect_err(engine);
                assert!(fault.contains(&format!("{longest} characters")), "{fault}");
                assert!(!fault.contains(&fits), "{fault}");
            }
        }
    }

    #[test]
    fn both_users_can_be_named() {
        for (username, other) in [("a", "b"), ("b", "a")] {
            let found = partner("mysql", username, "_clone", &json!(["a", "b"])).expect(username);
            assert_eq!((found.name.as_str(), found.named), (other, true));
        }
        for wrong in [
            json!(["a"]),
            json!(["a", "a"]),
            json!(["b", "c"]),
            json!(["a", "b", "c"]),
            json!("a,b"),
            json!(["a", ""]),
            json!(["a", "b\0"]),
        ] {
            let fault = partner("mysql", "a", "_clone", &wrong).expect_err(&wrong.to_string());
            assert!(fault.contains("`usernames`"), "{wrong}: {fault}");
        }
    }

    #[test]
    fn a_suffix_that_makes_no_name_is_refused() {
        for bad in ["", "a\0b", &"x".repeat(17)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
    }
}
