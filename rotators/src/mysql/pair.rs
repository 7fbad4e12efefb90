//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::MySqlCredential;

/// How the users of a pair are named.
///
/// ```
/// use rotators::mysql::PairSettings;
///
/// let pair = PairSettings::with_suffix("_b")?;
/// assert_ne!(pair, PairSettings::default());
/// # Ok::<(), rotators::mysql::InvalidSuffix>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSettings {
    suffix: String,
}

/// A suffix that makes no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the suffix of the second user must be 1 to 16 characters long, without a zero byte")]
pub struct InvalidSuffix;

impl PairSettings {
    /// The second user is named like the first, and this at the end. Default: `_clone`, as AWS's functions
    /// have it.
    ///
    /// # Errors
    /// [`InvalidSuffix`].
    pub fn with_suffix(suffix: &str) -> Result<Self, InvalidSuffix> {
        if suffix.is_empty() || suffix.chars().count() > 16 || suffix.contains('\0') {
            return Err(InvalidSuffix);
        }
        Ok(Self {
            suffix: suffix.to_owned(),
        })
    }

    /// The user that takes turns with the one of a secret.
    pub(super) fn partner(&self, credential: &MySqlCredential) -> Result<String, RotatorError> {
        let username = &credential.login.username;
        let partner = match username.strip_suffix(&self.suffix) {
            Some(base) if !base.is_empty() => base.to_owned(),
            _ => format!("{username}{}", self.suffix),
        };
        let longest = credential.longest_name();
        if partner.chars().count() > longest {
            return Err(RotatorError::misconfigured(format!(
                "the name of the second user would be longer than {longest} characters; choose a shorter \
                 suffix, or a shorter name of the user"
            )));
        }
        Ok(partner)
    }
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            suffix: "_clone".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::document::SecretDocument;
    use serde_json::json;

    use super::*;

    fn partner(engine: &str, username: &str, suffix: &str) -> Result<String, String> {
        let secret = json!({"engine": engine, "host": "h", "username": username, "password": "p"});
        let secret = SecretDocument::from_text(&secret.to_string());
        let credential = MySqlCredential::try_from(&secret).expect("a credential");
        let pair = PairSettings::with_suffix(suffix).expect("a suffix");
        pair.partner(&credential).map_err(|fault| fault.to_string())
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
            assert_eq!(partner("mysql", one, suffix).as_deref(), Ok(two));
        }
    }

    /// Characters, not bytes: `MySQL` manual, "Account Names", and `MariaDB`'s "Identifier Names".
    #[test]
    fn names_end_at_the_limit() {
        for (engine, longest) in [("mysql", 32), ("aurora-mysql", 32), ("mariadb", 128)] {
            let fits = "é".repeat(longest - 6);
            assert_eq!(
                partner(engine, &fits, "_clone"),
                Ok(format!("{fits}_clone"))
            );
            let fault = partner(engine, &format!("{fits}é"), "_clone").expect_err(engine);
            assert!(fault.contains(&format!("{longest} characters")), "{fault}");
            assert!(!fault.contains(&fits), "{fault}");
        }
    }

    #[test]
    fn a_suffix_that_makes_no_name_is_refused() {
        for bad in ["", "a\0b", &"x".repeat(17)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
    }
}
