//! Whether an event is a trial of the function.

use super::super::Rotation;
use super::look::in_time;
use crate::event::RotationEvent;
use crate::rotator::Rotator;
use crate::store::{Label, SecretStore, Version};

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// Whether the pending version of an event holds what `AWSCURRENT` holds on another version.
    ///
    /// With `RotateImmediately=false` Secrets Manager makes such a version, calls testSecret and removes the
    /// version again: so it tries a function out after a deployment (Secrets Manager user guide,
    /// "`RotateSecret`"). Two reads; where one of them fails, this is no trial.
    pub async fn is_trial(&self, event: &RotationEvent, deadline: tokio::time::Instant) -> bool {
        let read = async |version| {
            let read = self.store.get(&event.secret, &version);
            in_time(deadline, read).await
        };
        let pending = Version::Exactly(event.version.clone(), Label::Pending);
        let (Ok(pending), Ok(current)) = (read(pending).await, read(Version::CURRENT).await) else {
            return false;
        };
        pending.id != current.id
            && pending
                .document
                .differing_keys(&current.document)
                .is_empty()
    }
}
