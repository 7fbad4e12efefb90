//! What the secrets say, checked once.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::SecretId;

/// The access key of a user, and what is known about it.
pub struct IamCredential {
    pub(super) key: AccessKey,
    pub(super) user_name: Option<String>,
    /// The id of the key that the next one replaces at AWS.
    pub(super) previous: Option<String>,
    pub(super) master: Option<SecretId>,
}

/// What requests are signed with.
pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: SecretString,
}

impl TryFrom<&SecretDocument> for IamCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let previous = secret.optional_text("previous_access_key_id")?;
        let user_name = secret.optional_text("user_name")?;
        let master = secret.optional_text("masterarn")?;
        Ok(Self {
            key: AccessKey::try_from(secret)?,
            user_name: user_name.map(|name| checked_name(&name)).transpose()?,
            previous: previous
                .map(|id| checked_id(&id, "previous_access_key_id"))
                .transpose()?,
            master: master.map(|id| SecretId::from(id.expose_secret())),
        })
    }
}

impl TryFrom<&SecretDocument> for AccessKey {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            id: checked_id(&secret.text("access_key_id")?, "access_key_id")?,
            secret: secret.text("secret_access_key")?,
        })
    }
}

/// Errors name ids. So what is in the place of one must not be a secret that was put there by mistake: those
/// have small letters. And temporary keys, whose ids begin with `ASIA`, cannot be rotated (IAM user guide,
/// "Unique identifiers").
fn checked_id(id: &SecretString, key: &'static str) -> Result<String, DocumentError> {
    let id = id.expose_secret();
    let is_id = (16..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_id && !id.starts_with("ASIA") {
        Ok(id.to_owned())
    } else {
        Err(DocumentError::Unsuitable {
            key,
            expected: "the id of a user's access key, such as AKIAIOSFODNN7EXAMPLE",
        })
    }
}

/// As `CreateUser` takes it: API reference of IAM.
fn checked_name(name: &SecretString) -> Result<String, DocumentError> {
    let name = name.expose_secret();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if name.len() <= 64 && name.bytes().all(allowed) {
        Ok(name.to_owned())
    } else {
        Err(DocumentError::Unsuitable {
            key: "user_name",
            expected: "the name of an IAM user, without a path",
        })
    }
}

impl fmt::Debug for IamCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamCredential")
            .field("access_key_id", &self.key.id)
            .field("user_name", &self.user_name)
            .field("previous_access_key_id", &self.previous)
            .field("master", &self.master)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIAIOSFODNN7EXAMPLE";

    fn read(json: &str) -> Result<IamCredential, DocumentError> {
        IamCredential::try_from(&SecretDocument::from_text(json))
    }

    #[test]
    fn debug_shows_ids_and_names_and_no_secret() {
        let credential = read(&format!(
            r#"{{"access_key_id": "{ID}", "secret_access_key": "sentinel", "user_name": "app"}}"#
        ));
        assert_eq!(
            format!("{:?}", credential.expect("a whole secret")),
            "IamCredential { access_key_id: \"AKIAIOSFODNN7EXAMPLE\", user_name: Some(\"app\"), \
             previous_access_key_id: None, master: None, .. }"
        );
    }

    #[test]
    fn what_is_no_id_is_refused_and_not_shown() {
        for id in [
            "sentinel/Secret+Key",
            "ASIAIOSFODNN7EXAMPLE",
            "AKIAshort",
            "",
        ] {
            for key in ["access_key_id", "previous_access_key_id"] {
                let mut value = serde_json::json!({
                    "access_key_id": ID, "secret_access_key": "secret", "previous_access_key_id": ID,
                });
                value[key] = id.into();
                let fault = read(&value.to_string()).expect_err("no id").to_string();
                assert!(fault.contains(&format!("`{key}`")), "{fault}");
                assert!(id.is_empty() || !fault.contains(id), "{fault}");
            }
        }
    }

    #[test]
    fn a_user_is_named_without_a_path() {
        for (name, good) in [("app", true), ("a_b+=,.@-1", true), ("team/app", false)] {
            let value = serde_json::json!({
                "access_key_id": ID, "secret_access_key": "secret", "user_name": name,
            });
            assert_eq!(read(&value.to_string()).is_ok(), good, "{name}");
        }
    }
}
