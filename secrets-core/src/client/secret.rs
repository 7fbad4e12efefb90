//! A value as `get_secret` gives it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;

use super::entry::Held;
use crate::document::SecretDocument;
use crate::event::VersionId;

/// The value of a secret, and which version it is. It is wiped when the last one who holds it lets go, so
/// keep it no longer than it takes to use it.
pub struct Secret(pub(super) Guard<Option<Arc<Held>>>);

impl Secret {
    fn held(&self) -> &Held {
        match &*self.0 {
            Some(held) => held,
            None => unreachable!("only made of a value that is there"),
        }
    }

    /// Which version it is.
    pub fn version(&self) -> &VersionId {
        &self.held().id
    }
}

impl Deref for Secret {
    type Target = SecretDocument;

    fn deref(&self) -> &SecretDocument {
        &self.held().document
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self(Guard::from_inner(Option::clone(&self.0)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("version", self.version())
            .field("document", &self.held().document)
            .finish()
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[redacted], version {}", self.version())
    }
}
