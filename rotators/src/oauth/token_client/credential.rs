//! What a client proves itself with, as its secret has it.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{Exposed, SecretDocument};
use secrets_core::rotator::RotatorError;

use crate::web::Template;
use crate::web::json::{Json, Pointer};
use crate::web::template::Unfilled;

/// The credential of a client: `client_id`, `client_secret`, `private_key` and `certificate` (PEM),
/// `key_id`, and whatever else the configuration names.
///
/// A key is asked for when it is needed: what one way of authentication needs, another does not.
pub struct ClientCredential {
    texts: Option<Json>,
    place: &'static str,
}

impl ClientCredential {
    /// The client's credential in this secret.
    pub fn new(secret: &SecretDocument) -> Self {
        Self::at(secret, "the secret")
    }

    /// The same, with words for the secret: "the secret that `masterarn` names".
    pub(crate) fn at(secret: &SecretDocument, place: &'static str) -> Self {
        let texts = match secret.expose() {
            Exposed::Text(text) => Json::parse(text.expose_secret().as_bytes()),
            Exposed::Binary(_) => None,
        };
        Self { texts, place }
    }

    /// The text under a key, if there is one that is not empty.
    pub(crate) fn find(&self, key: &str) -> Option<SecretString> {
        self.texts.as_ref()?.text(&Pointer::named(key))
    }

    /// The text under a key that must be there.
    pub(crate) fn text(&self, key: &str) -> Result<SecretString, RotatorError> {
        self.find(key)
            .ok_or_else(|| self.fault(key, "is missing, empty or no text; correct it"))
    }

    /// Fills a template of the field `field` in.
    pub(crate) fn fill(
        &self,
        template: &Template,
        field: &str,
    ) -> Result<Zeroizing<String>, RotatorError> {
        template
            .fill(&|key| self.find(key))
            .map_err(|Unfilled(key)| {
                let rule = format!("is missing, empty or no text, and `{field}` needs it; add it");
                self.fault(&key, &rule)
            })
    }

    /// What is wrong with a key.
    pub(crate) fn fault(&self, key: &str, rule: &str) -> RotatorError {
        RotatorError::misconfigured(format!("in {} `{key}` {rule}", self.place))
    }

    /// Where this credential was read.
    pub(crate) fn place(&self) -> &'static str {
        self.place
    }
}

impl fmt::Debug for ClientCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCredential([redacted])")
    }
}
