//! What may be wrong with a secret's value: key names and positions, never values.

use std::fmt;

/// The form that a secret's value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JSON object.
    Object,
    /// Text that is no JSON object.
    Text {
        /// Line and column, 1-based, where text that starts like a JSON object stops being one.
        breaks_at: Option<(usize, usize)>,
    },
    /// Bytes.
    Binary,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("a JSON object"),
            Self::Text { breaks_at: None } => f.write_str("plain text"),
            Self::Text {
                breaks_at: Some((line, column)),
            } => write!(f, "broken JSON (at line {line}, column {column})"),
            Self::Binary => f.write_str("binary"),
        }
    }
}

/// Why a secret's value is not what a rotator or an application needs.
///
/// It is whoever keeps the secret who must act. No variant holds any part of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Keys were asked of something that has none.
    #[error("the secret is {found}; it must be a JSON object")]
    NotAnObject {
        /// What it is instead.
        found: Kind,
    },
    /// Plain text was asked of something else.
    #[error("the secret is {found}; it must be plain text")]
    NotText {
        /// What it is instead.
        found: Kind,
    },
    /// A needed key is absent or null.
    #[error("`{key}` is missing; add it to the secret")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A key holds the empty string.
    #[error("`{key}` is empty; give it a value in the secret")]
    Empty {
        /// The key.
        key: &'static str,
    },
    /// A key holds something of another type or out of range.
    #[error("`{key}` must be {expected}; correct it in the secret")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A key holds a value that this rotator cannot work with.
    #[error(
        "`{key}` does not fit this rotator: it must be {expected}; correct it in the secret, or attach the rotator that fits"
    )]
    Unsuitable {
        /// The key.
        key: &'static str,
        /// What would fit.
        expected: &'static str,
    },
    /// The value would not fit into a secret.
    #[error("the secret would have {bytes} bytes; a secret holds at most 65536")]
    TooLong {
        /// What it would have.
        bytes: usize,
    },
}
