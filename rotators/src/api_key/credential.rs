//! A secret whose keys the configuration names, so that nothing is known of it beforehand.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Exposed, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::RotatorError;

use crate::oauth::token_client::ClientCredential;
use crate::web::json::{Json, scalar};

/// A secret that is a JSON object.
pub struct ApiKeyCredential {
    json: Json,
    document: SecretDocument,
}

impl ApiKeyCredential {
    /// The text, number or truth value under a key.
    pub(super) fn text(&self, key: &str) -> Option<SecretString> {
        scalar(self.json.value().get(key)?)
    }

    /// The same, and it must be there.
    pub(super) fn required(&self, key: &str) -> Result<SecretString, RotatorError> {
        self.text(key).ok_or_else(|| {
            RotatorError::misconfigured(format!("`{key}` is missing; add it to the secret"))
        })
    }

    /// Whether the same stands under the key.
    pub(super) fn has(&self, key: &str, text: &SecretString) -> bool {
        self.text(key)
            .is_some_and(|own| own.expose_secret() == text.expose_secret())
    }

    /// What a client authenticates with that this secret describes.
    pub(super) fn client(&self) -> ClientCredential {
        ClientCredential::new(&self.document)
    }

    /// The secret that `masterarn` names.
    pub(super) fn master(&self) -> Result<SecretId, RotatorError> {
        let id = self.required("masterarn")?;
        Ok(SecretId::from(id.expose_secret()))
    }
}

impl TryFrom<&SecretDocument> for ApiKeyCredential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let json = match secret.expose() {
            Exposed::Text(text) => Json::parse(text.expose_secret().as_bytes()),
            Exposed::Binary(_) => None,
        };
        json.filter(|json| json.value().is_object())
            .map(|json| Self {
                json,
                document: secret.clone(),
            })
            .ok_or_else(|| DocumentError::NotAnObject {
                found: secret.kind(),
            })
    }
}

impl fmt::Debug for ApiKeyCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_text_whatever_they_are() {
        let secret = SecretDocument::from_text(
            r#"{"api_key": "sentinel", "key_id": 70001, "on": true, "none": null, "empty": "", "list": []}"#,
        );
        let secret = ApiKeyCredential::try_from(&secret).expect("an object");
        for (key, text) in [
            ("api_key", Some("sentinel")),
            ("key_id", Some("70001")),
            ("on", Some("true")),
            ("none", None),
            ("empty", None),
            ("list", None),
            ("absent", None),
        ] {
            let found = secret.text(key);
            assert_eq!(
                found.as_ref().map(ExposeSecret::expose_secret),
                text,
                "{key}"
            );
        }
        assert_eq!(format!("{secret:?}"), "ApiKeyCredential([redacted])");
        let fault = secret.required("absent").expect_err("absent");
        assert_eq!(
            fault.to_string(),
            "`absent` is missing; add it to the secret"
        );
    }

    #[test]
    fn what_is_no_object_is_told() {
        for text in ["sentinel", "[\"sentinel\"]", "{\"a\": sentinel"] {
            let fault = ApiKeyCredential::try_from(&SecretDocument::from_text(text));
            let fault = fault.expect_err(text).to_string();
            assert!(fault.contains("must be a JSON object"), "{fault}");
        }
    }
}
