//! What applications embed: reads the current value of a secret.
//!
//! ```
//! use secrets_core::client::{ClientError, SecretsClient};
//! # use secrets_core::document::SecretDocument;
//! # #[cfg(feature = "testing")]
//! # async fn run() -> Result<(), ClientError> {
//! # let store = secrets_core::store::memory::MemoryStore::new();
//! # let first = "3f6b7c1e-9d0a-4d6e-8a51-0c2f4b7e9a10".into();
//! # store.put_current(&"app/db".into(), &first, &SecretDocument::from_text(r#"{"password": "x"}"#)).unwrap();
//! let secrets = SecretsClient::new(store);
//! let secret = secrets.get_secret("app/db").await?;
//! let password = secret.text("password")?;
//! # Ok(())
//! # }
//! ```

use std::ops::Deref;

use crate::document::{DocumentError, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::store::{SecretReader, StoreError, Version};

/// Reads secrets from one store.
#[derive(Clone, Debug)]
pub struct SecretsClient<R>(R);

/// The current value of a secret, and which version it is.
#[derive(Clone, Debug)]
pub struct Secret {
    version: VersionId,
    document: SecretDocument,
}

impl Secret {
    /// The version that was current.
    pub fn version(&self) -> &VersionId {
        &self.version
    }
}

impl Deref for Secret {
    type Target = SecretDocument;

    fn deref(&self) -> &SecretDocument {
        &self.document
    }
}

impl<R: SecretReader> SecretsClient<R> {
    /// A client over this reader.
    pub fn new(reader: R) -> Self {
        Self(reader)
    }

    /// Reads the value that holds `AWSCURRENT`, by name, ARN or partial ARN.
    ///
    /// Every call asks the store; nothing is cached.
    ///
    /// # Errors
    /// [`ClientError::Store`], which says who must act.
    pub async fn get_secret(&self, id: impl Into<SecretId>) -> Result<Secret, ClientError> {
        let version = self.0.get(&id.into(), &Version::CURRENT).await?;
        Ok(Secret {
            version: version.id,
            document: version.document,
        })
    }

    /// The same, as what the caller makes of it.
    ///
    /// # Errors
    /// [`ClientError::Store`], or [`ClientError::Document`] where the value does not fit.
    pub async fn get<T>(&self, id: impl Into<SecretId>) -> Result<T, ClientError>
    where
        T: for<'d> TryFrom<&'d SecretDocument, Error = DocumentError>,
    {
        let secret = self.get_secret(id).await?;
        Ok(T::try_from(&secret.document)?)
    }
}

/// Why a secret could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The value is not what the caller needs.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl ClientError {
    /// Whether the same call may succeed later without anybody acting.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(fault) => fault.kind.is_transient(),
            Self::Document(_) => false,
        }
    }
}
