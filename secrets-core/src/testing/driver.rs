//! Plays Secrets Manager: registers the pending version and sends the four events.

use std::time::Duration;

use tokio::time::Instant;

use crate::event::{RotationEvent, SecretId, Step, VersionId};
use crate::rotation::{Outcome, Rotation, RotationError};
use crate::rotator::Rotator;
use crate::store::StoreError;
use crate::store::memory::MemoryStore;

/// How long each step may take, as a Lambda function's time-out would have it.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// Rotates a secret of a [`MemoryStore`] the way the service does.
#[derive(Debug)]
pub struct Driver<'a, R> {
    store: &'a MemoryStore,
    rotation: &'a Rotation<MemoryStore, R>,
    secret: SecretId,
}

/// One step that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The step.
    pub step: Step,
    /// What it did.
    pub outcome: Outcome,
}

impl<'a, R: Rotator> Driver<'a, R> {
    /// A driver for one secret.
    pub fn new(
        store: &'a MemoryStore,
        rotation: &'a Rotation<MemoryStore, R>,
        secret: &SecretId,
    ) -> Self {
        Self {
            store,
            rotation,
            secret: secret.clone(),
        }
    }

    /// Registers the empty pending version, as the service does before the first event.
    ///
    /// # Errors
    /// As [`MemoryStore::begin_rotation`].
    pub fn begin(&self, version: &VersionId) -> Result<(), StoreError> {
        self.store.begin_rotation(&self.secret, version)
    }

    /// Sends one event.
    ///
    /// # Errors
    /// The step's.
    pub async fn send(&self, step: Step, version: &VersionId) -> Result<Outcome, RotationError> {
        let event = RotationEvent {
            step,
            secret: self.secret.clone(),
            version: version.clone(),
            rotation_token: None,
        };
        self.rotation
            .handle(&event, Instant::now() + STEP_TIMEOUT)
            .await
    }

    /// Sends the four events in order, up to the first that fails.
    ///
    /// # Errors
    /// The first step's that failed. Call it again with the same version to retry, as the service does.
    pub async fn send_all(&self, version: &VersionId) -> Result<[Transition; 4], RotationError> {
        let mut transitions = Step::ALL.map(|step| Transition {
            step,
            outcome: Outcome::AlreadyCurrent,
        });
        for transition in &mut transitions {
            transition.outcome = self.send(transition.step, version).await?;
        }
        Ok(transitions)
    }
}
