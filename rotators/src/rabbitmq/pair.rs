//! Which two users take turns.

use secrets_core::rotator::RotatorError;

use super::credential::RabbitMqCredential;
pub(super) use crate::database::pair::Partner;
pub use crate::database::{InvalidSuffix, PairSettings};

/// In bytes: messages name their user in a short string (AMQP 0-9-1, section 4.2.5.3; `user-id`).
const LONGEST: usize = 255;

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
