//! A pending value without the service's help.

use aws_sdk_secretsmanager::primitives::Blob;
use secrecy::ExposeSecret;

use super::AwsStore;
use super::error::error;
use crate::document::{Exposed, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::store::{Label, StoreError};

/// Sits on what was last put without `RotateSecret`.
const PUT_BY_HAND: &str = "PUT-BY-HAND";

impl AwsStore {
    /// Stores a value and claims `AWSPENDING` for it, for rotations that no function runs.
    ///
    /// `RotateSecret` registers an empty pending version first and so keeps rotations apart. Without it two
    /// of them might each make a value and set it, and the label would end on one while the target has the
    /// other. So the value is put under a label of our own, `PUT-BY-HAND`, and `AWSPENDING` is moved onto it
    /// by `UpdateSecretVersionStage`, which fails while another version holds it (API reference,
    /// `RemoveFromVersionId`). What loses stays behind as a version that nothing reads.
    ///
    /// # Behavior
    /// - `over` is the version from which `AWSPENDING` may be taken: one that is `AWSCURRENT`, too.
    /// - With `AWSPENDING` elsewhere: [`Conflict`](crate::store::StoreErrorKind::Conflict).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        over: Option<&VersionId>,
    ) -> Result<(), StoreError> {
        let call = self
            .0
            .put_secret_value()
            .secret_id(id.as_str())
            .client_request_token(version.as_str())
            .version_stages(PUT_BY_HAND);
        let call = match value.expose() {
            Exposed::Text(text) => call.secret_string(text.expose_secret()),
            Exposed::Binary(bytes) => call.secret_binary(Blob::new(bytes.expose_secret())),
        };
        let put = call.send().await;
        put.map_err(|fault| error("PutSecretValue", id, &fault))?;
        let moved = self
            .move_label(id, &Label::Pending, over, Some(version))
            .await;
        self.unless_done(id, moved, |state| state.holds(version, &Label::Pending))
            .await
    }
}
