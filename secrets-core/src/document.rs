//! The value of a secret: a JSON object, plain text, or bytes.
//!
//! Most secrets are JSON objects of which a rotator knows a few keys. The others belong to someone
//! else: they survive a rotation to the letter, in order and number format. So an object is kept as
//! pairs of key and raw JSON text, never as numbers that were read and written again.
//!
//! Everything here is wiped when dropped and prints no value.

mod error;
mod object;
mod patch;

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice, SecretString};

pub use error::{DocumentError, Kind};
use object::Object;
pub use patch::Patch;

/// The most that one secret value may hold, in bytes (AWS page "Secrets Manager quotas").
pub const MAX_SECRET_BYTES: usize = 65_536;

/// The value of one version of a secret.
///
/// ```
/// use secrets_core::document::SecretDocument;
/// use secrecy::ExposeSecret;
///
/// let secret = SecretDocument::from_text(r#"{"host": "db.example", "port": 5432, "password": "x"}"#);
/// assert_eq!(secret.text("host")?.expose_secret(), "db.example");
/// assert_eq!(secret.port("port")?, Some(5432));
/// assert_eq!(format!("{secret:?}"), r#"SecretDocument { keys: ["host", "port", "password"] }"#);
/// # Ok::<(), secrets_core::document::DocumentError>(())
/// ```
#[derive(Clone)]
pub struct SecretDocument(Form);

#[derive(Clone)]
enum Form {
    Object(Object),
    Text {
        text: SecretString,
        /// Where the text, which starts like a JSON object, stops being one.
        breaks_at: Option<(usize, usize)>,
    },
    Binary(SecretSlice<u8>),
}

/// A value as the service takes it: exposed, so handle with care.
pub enum Exposed {
    /// For `SecretString`.
    Text(SecretString),
    /// For `SecretBinary`.
    Binary(SecretSlice<u8>),
}

impl SecretDocument {
    /// Takes the `SecretString` of a version: a JSON object if it is one, else plain text.
    pub fn from_text(text: &str) -> Self {
        Self(match Object::parse(text) {
            Ok(object) => Form::Object(object),
            Err(fault) => Form::Text {
                text: SecretString::from(text),
                breaks_at: text.trim_start().starts_with('{').then_some(fault),
            },
        })
    }

    /// Takes the `SecretBinary` of a version.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Form::Binary(SecretSlice::from(bytes)))
    }

    /// Which of the three forms it has.
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Form::Object(_) => Kind::Object,
            Form::Text { breaks_at, .. } => Kind::Text {
                breaks_at: *breaks_at,
            },
            Form::Binary(_) => Kind::Binary,
        }
    }

    /// The text under `key`, which must be there and not empty.
    ///
    /// # Errors
    /// [`DocumentError`]: no JSON object, key missing, not a string, or empty.
    pub fn text(&self, key: &'static str) -> Result<SecretString, DocumentError> {
        self.optional_text(key)?
            .ok_or(DocumentError::Missing { key })
    }

    /// The text under `key`, if the key is there and not null.
    ///
    /// # Errors
    /// [`DocumentError`]: no JSON object, not a string, or empty.
    pub fn optional_text(&self, key: &'static str) -> Result<Option<SecretString>, DocumentError> {
        let Some(raw) = self.object()?.get(key) else {
            return Ok(None);
        };
        let text = object::string(raw).ok_or(DocumentError::WrongType {
            key,
            expected: "a string",
        })?;
        if text.expose_secret().is_empty() {
            return Err(DocumentError::Empty { key });
        }
        Ok(Some(text))
    }

    /// The texts of the list under `key`, if the key is there and not null.
    ///
    /// # Errors
    /// [`DocumentError`]: no JSON object, or not a list of strings that are not empty.
    pub fn optional_texts(
        &self,
        key: &'static str,
    ) -> Result<Option<Vec<SecretString>>, DocumentError> {
        let Some(raw) = self.object()?.get(key) else {
            return Ok(None);
        };
        match object::strings(raw) {
            Some(texts) if texts.iter().all(|text| !text.expose_secret().is_empty()) => {
                Ok(Some(texts))
            }
            _ => Err(DocumentError::WrongType {
                key,
                expected: "a list of strings, none of them empty",
            }),
        }
    }

    /// The port under `key`, 1 to 65,535, as a number or a string of digits (AWS's functions write both).
    ///
    /// # Errors
    /// [`DocumentError`]: no JSON object, or not a port.
    pub fn port(&self, key: &'static str) -> Result<Option<u16>, DocumentError> {
        let fault = DocumentError::WrongType {
            key,
            expected: "a port from 1 to 65535",
        };
        let Some(raw) = self.object()?.get(key) else {
            return Ok(None);
        };
        let digits = object::string(raw);
        let digits = digits.as_ref().map_or(raw, ExposeSecret::expose_secret);
        match digits.parse() {
            Ok(0) | Err(_) => Err(fault),
            Ok(port) => Ok(Some(port)),
        }
    }

    /// The yes or no under `key`, as a boolean or the string `true` or `false` in any case.
    ///
    /// # Errors
    /// [`DocumentError`]: no JSON object, or neither yes nor no.
    pub fn flag(&self, key: &'static str) -> Result<Option<bool>, DocumentError> {
        let Some(raw) = self.object()?.get(key) else {
            return Ok(None);
        };
        let word = object::string(raw);
        let word = word.as_ref().map_or(raw, ExposeSecret::expose_secret);
        if word.eq_ignore_ascii_case("true") {
            Ok(Some(true))
        } else if word.eq_ignore_ascii_case("false") {
            Ok(Some(false))
        } else {
            Err(DocumentError::WrongType {
                key,
                expected: "true or false",
            })
        }
    }

    /// The whole of a secret that is plain text.
    ///
    /// # Errors
    /// [`DocumentError::NotText`] for a JSON object or bytes.
    pub fn plain_text(&self) -> Result<&SecretString, DocumentError> {
        match &self.0 {
            Form::Text { text, .. } => Ok(text),
            _ => Err(DocumentError::NotText { found: self.kind() }),
        }
    }

    /// The value in the form in which the service stores it; an object is written out anew.
    pub fn expose(&self) -> Exposed {
        match &self.0 {
            Form::Object(object) => Exposed::Text(object.to_text()),
            Form::Text { text, .. } => Exposed::Text(text.clone()),
            Form::Binary(bytes) => Exposed::Binary(bytes.clone()),
        }
    }

    /// The key names of an object, in their order; none for text and bytes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        match &self.0 {
            Form::Object(object) => Some(object.keys()),
            _ => None,
        }
        .into_iter()
        .flatten()
    }

    /// This document with the changes of `patch`: keys replaced in place, new ones at the end.
    ///
    /// # Errors
    /// [`DocumentError`]: a patch of keys onto something that is no JSON object, or a result above
    /// [`MAX_SECRET_BYTES`].
    pub fn patched(&self, patch: &Patch) -> Result<Self, DocumentError> {
        let patched = match patch {
            Patch::Keys(changes) => {
                let mut object = self.object()?.clone();
                for (key, value) in changes {
                    object.put(key, value.expose_secret());
                }
                Self(Form::Object(object))
            }
            Patch::Text(text) => Self(Form::Text {
                text: text.clone(),
                breaks_at: None,
            }),
            Patch::Binary(bytes) => Self(Form::Binary(bytes.clone())),
        };
        let bytes = match patched.expose() {
            Exposed::Text(text) => text.expose_secret().len(),
            Exposed::Binary(bytes) => bytes.expose_secret().len(),
        };
        if bytes > MAX_SECRET_BYTES {
            return Err(DocumentError::TooLong { bytes });
        }
        Ok(patched)
    }

    /// The keys whose values are not the same in both, by meaning and not by letter (`1e2` is `100.0`).
    ///
    /// Two documents of different forms, or two different texts, differ under the empty key.
    pub fn differing_keys(&self, other: &Self) -> Vec<String> {
        match (&self.0, &other.0) {
            (Form::Object(one), Form::Object(two)) => one.differing_keys(two),
            (Form::Text { text: one, .. }, Form::Text { text: two, .. })
                if one.expose_secret() == two.expose_secret() =>
            {
                Vec::new()
            }
            (Form::Binary(one), Form::Binary(two))
                if one.expose_secret() == two.expose_secret() =>
            {
                Vec::new()
            }
            _ => vec![String::new()],
        }
    }

    /// This document with the given keys, and only those, taken from `other`.
    ///
    /// Documents that are no objects are taken whole.
    pub(crate) fn with_keys_from(&self, other: &Self, keys: &[&str]) -> Self {
        match (&self.0, &other.0) {
            (Form::Object(own), Form::Object(other)) => {
                Self(Form::Object(own.with_keys_from(other, keys)))
            }
            _ => other.clone(),
        }
    }

    fn object(&self) -> Result<&Object, DocumentError> {
        match &self.0 {
            Form::Object(object) => Ok(object),
            _ => Err(DocumentError::NotAnObject { found: self.kind() }),
        }
    }
}

impl fmt::Debug for SecretDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Object(object) => f
                .debug_struct("SecretDocument")
                .field("keys", &object.keys().collect::<Vec<_>>())
                .finish(),
            Form::Text { .. } => f.write_str("SecretDocument { text: [redacted] }"),
            Form::Binary(_) => f.write_str("SecretDocument { binary: [redacted] }"),
        }
    }
}

#[cfg(test)]
mod tests;
