//! What the suite needs of a store's surroundings.

use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::document::SecretDocument;
use crate::event::{SecretId, VersionId};
use crate::store::SecretStore;
use crate::store::memory::MemoryStore;

/// Why a fixture could not do its part.
pub type FixtureError = Box<dyn Error + Send + Sync>;

/// A store under test, and a way to do to its secrets what the store itself has no call for.
pub trait StoreFixture: Sync {
    /// The store under test.
    type Store: SecretStore;

    /// The store under test.
    fn store(&self) -> &Self::Store;

    /// Makes a secret that nothing else uses, with one version that is `AWSCURRENT`: `CreateSecret`.
    fn create(
        &self,
        version: &VersionId,
        value: &str,
    ) -> impl Future<Output = Result<SecretId, FixtureError>> + Send;

    /// Gives the secret a new value under a new version that is `AWSCURRENT` at once:
    /// `PutSecretValue` without labels.
    fn put_current(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &str,
    ) -> impl Future<Output = Result<(), FixtureError>> + Send;

    /// Switches rotation on and registers an **empty** version labelled `AWSPENDING`: what
    /// `RotateSecret` does before it calls the function.
    fn begin_rotation(
        &self,
        id: &SecretId,
        version: &VersionId,
    ) -> impl Future<Output = Result<(), FixtureError>> + Send;

    /// Marks the secret for deletion: `DeleteSecret` with a recovery window.
    fn delete(&self, id: &SecretId) -> impl Future<Output = Result<(), FixtureError>> + Send;
}

/// For stores that wrap a [`MemoryStore`], and for that one itself.
#[derive(Debug)]
pub struct MemoryFixture<S> {
    memory: MemoryStore,
    store: S,
    secrets: AtomicUsize,
}

impl<S: SecretStore> MemoryFixture<S> {
    /// A fixture for what `wrap` makes out of a new [`MemoryStore`].
    pub fn new(wrap: impl FnOnce(MemoryStore) -> S) -> Self {
        let memory = MemoryStore::new();
        Self {
            store: wrap(memory.clone()),
            memory,
            secrets: AtomicUsize::new(0),
        }
    }
}

impl<S: SecretStore> StoreFixture for MemoryFixture<S> {
    type Store = S;

    fn store(&self) -> &S {
        &self.store
    }

    async fn create(&self, version: &VersionId, value: &str) -> Result<SecretId, FixtureError> {
        let number = self.secrets.fetch_add(1, Ordering::Relaxed);
        let id = SecretId::from(format!("contract/{number}"));
        self.put_current(&id, version, value).await?;
        Ok(id)
    }

    async fn put_current(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &str,
    ) -> Result<(), FixtureError> {
        let value = SecretDocument::from_text(value);
        Ok(self.memory.put_current(id, version, &value)?)
    }

    async fn begin_rotation(&self, id: &SecretId, version: &VersionId) -> Result<(), FixtureError> {
        Ok(self.memory.begin_rotation(id, version)?)
    }

    async fn delete(&self, id: &SecretId) -> Result<(), FixtureError> {
        Ok(self.memory.delete(id)?)
    }
}
