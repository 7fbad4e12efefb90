//! A store with one secret, and what the fixtures of all engines do with it.

use secrecy::ExposeSecret;
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorError, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::Value;

use super::hidden;

/// The secret that rotates, and its store.
#[derive(Clone)]
pub struct Stored {
    pub store: MemoryStore,
    pub secret: SecretId,
}

impl Stored {
    /// An empty store.
    pub fn new(secret: &str) -> Self {
        Self {
            store: MemoryStore::new(),
            secret: secret.into(),
        }
    }

    /// Gives the secret another current value, as its owner would.
    pub fn put_current(&self, version: &str, document: &SecretDocument) {
        let put = self
            .store
            .put_current(&self.secret, &version.into(), document);
        put.expect("a new version");
    }

    /// The admin's secret.
    pub fn put_admin(&self, version: &str, value: &Value) {
        let document = SecretDocument::from_text(&value.to_string());
        let put = self
            .store
            .put_current(&"arn:admin".into(), &version.into(), &document);
        put.expect("a new version");
    }

    /// Stores a pending value, as createSecret of any function would.
    pub async fn put_pending(&self, version: &str, patch: &Patch) {
        let version = VersionId::from(version);
        let begun = self.store.begin_rotation(&self.secret, &version);
        begun.expect("no other rotation is under way");
        let current = self.store.get(&self.secret, &Version::CURRENT).await;
        let pending = current.expect("a value").document.patched(patch);
        let pending = pending.expect("short enough");
        let put = self
            .store
            .put_pending(&self.secret, &version, &pending, None);
        put.await.expect("an empty version");
    }

    /// What the service does: registers the version unless it is there, and sends the four events.
    pub async fn rotate<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> Result<[Outcome; 4], RotationError> {
        let version = VersionId::from(version);
        let driver = Driver::new(&self.store, rotation, &self.secret);
        driver
            .begin(&version)
            .expect("no other rotation is under way");
        let transitions = driver.send_all(&version).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    pub async fn send<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        step: Step,
        version: &str,
    ) -> Result<Outcome, RotationError> {
        let driver = Driver::new(&self.store, rotation, &self.secret);
        driver.send(step, &version.into()).await
    }

    /// A rotation that fails with that kind, code and word in its cause, and hides every password.
    pub async fn fails<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
        (kind, code): (RotatorErrorKind, Option<&str>),
        word: &str,
    ) -> RotationError {
        let error = self.rotate(rotation, version).await.expect_err("a fault");
        let source = std::error::Error::source(&error).expect("a cause");
        let fault = source
            .downcast_ref::<RotatorError>()
            .unwrap_or_else(|| panic!("not of the rotator: {error:?}"));
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        self.hides_passwords(&error).await;
        error
    }

    /// Neither Display nor Debug of an error holds a password of the secret.
    pub async fn hides_passwords(&self, error: &RotationError) {
        let shown = hidden::shown(error);
        for password in self.passwords().await {
            hidden::assert_absent(&shown, &password);
        }
    }

    /// Those of all versions that have a label.
    pub async fn passwords(&self) -> Vec<String> {
        let mut passwords = Vec::new();
        for label in [Label::Current, Label::Pending, Label::Previous] {
            passwords.extend(self.value(&label).await);
        }
        passwords
    }

    pub async fn password(&self, label: &Label) -> String {
        self.value(label).await.expect("a version with a value")
    }

    /// The password of the version that holds the label, if there is one with a value.
    pub async fn value(&self, label: &Label) -> Option<String> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret, &version).await.ok()?;
        let password = read.document.text("password").expect("a password");
        Some(password.expose_secret().to_owned())
    }
}

/// Puts these keys over those of a value.
pub fn merge(document: &mut Value, extra: &Value) {
    for (key, value) in extra.as_object().expect("an object") {
        document[key] = value.clone();
    }
}
