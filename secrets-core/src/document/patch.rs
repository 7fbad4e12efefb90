//! What a rotator wants changed.

use std::fmt;

use secrecy::{SecretSlice, SecretString};

/// The changes that make the next value out of the current one.
///
/// A rotator returns changes, never a whole document: so it cannot drop a key that it does not know.
/// The engine refuses keys that the rotator's profile does not name.
///
/// ```
/// use secrets_core::document::Patch;
///
/// let patch = Patch::key("password", "correct horse".into());
/// assert_eq!(format!("{patch:?}"), r#"Patch { keys: ["password"] }"#);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Patch {
    /// New values for these keys of a JSON object.
    Keys(Vec<(String, SecretString)>),
    /// A new whole value, for secrets that are plain text.
    Text(SecretString),
    /// A new whole value, for secrets that are bytes.
    Binary(SecretSlice<u8>),
}

impl Patch {
    /// A change of one key; more with [`Patch::and`].
    pub fn key(key: &str, value: SecretString) -> Self {
        Self::Keys(vec![(key.to_owned(), value)])
    }

    /// One more changed key. On a patch of the whole value it starts a patch of keys.
    #[must_use]
    pub fn and(self, key: &str, value: SecretString) -> Self {
        let mut changes = match self {
            Self::Keys(changes) => changes,
            Self::Text(_) | Self::Binary(_) => Vec::new(),
        };
        changes.push((key.to_owned(), value));
        Self::Keys(changes)
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(changes) => f
                .debug_struct("Patch")
                .field(
                    "keys",
                    &changes.iter().map(|(key, _)| key).collect::<Vec<_>>(),
                )
                .finish(),
            Self::Text(_) => f.write_str("Patch { text: [redacted] }"),
            Self::Binary(_) => f.write_str("Patch { binary: [redacted] }"),
        }
    }
}
