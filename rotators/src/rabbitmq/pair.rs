//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::RabbitMqCredential;
pub(super) use crate::database::pair::Partner;

/// In bytes: messages name their user in a short string (AMQP 0-9-1, section 4.2.5.3; `user-id`).
const LONGEST: usize = 255;

/// How the users of a pair are named.
///
/// ```
/// use rotators::rabbitmq::PairSettings;
///
/// let pair = PairSettings::with_suffix("_b")?;
/// assert_ne!(pair, PairSettings::default());
/// # Ok::<(), rotators::rabbitmq::InvalidSuffix>(())
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
    /// for databases have it.
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
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            suffix: "_clone".to_owned(),
        }
    }
}

/// The user that takes turns with the one of a secret.
pub(super) fn partner_of(
    credential: &RabbitMqCredential,
    settings: &PairSettings,
) -> Result<Partner, RotatorError> {
    Partner::of(&credential.login, &credential.usernames, &settings.suffix)?.at_most(
        LONGEST,
        "bytes",
        str::len,
    )
}

#[cfg(test)]
mod tests {
    use secrets_core::document::SecretDocument;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_end_at_the_limit() {
        let partner = |username: &str| {
            let secret = json!({"host": "h", "username": username, "password": "p"});
            let secret = SecretDocument::from_text(&secret.to_string());
            let credential = RabbitMqCredential::try_from(&secret).expect("a credential");
            partner_of(&credential, &PairSettings::default())
        };
        assert_eq!(partner("app").expect("a name").name, "app_clone");
        assert_eq!(partner("app_clone").expect("a name").name, "app");
        assert!(partner(&"x".repeat(249)).is_ok());
        let fault = partner(&"é".repeat(125))
            .expect_err("256 bytes")
            .to_string();
        assert!(fault.contains("255 bytes"), "{fault}");
        for bad in ["", "a\0b", &"x".repeat(17)] {
            assert_eq!(PairSettings::with_suffix(bad), Err(InvalidSuffix));
        }
    }
}
