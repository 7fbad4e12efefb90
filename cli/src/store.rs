//! Secrets Manager, as a person uses it: to look only, or to rotate without `RotateSecret`.

use secrets_core::document::SecretDocument;
use secrets_core::event::{RotationToken, SecretId, VersionId};
use secrets_core::store::aws::AwsStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};

/// A store that does what the command may do.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    inner: AwsStore,
    may: May,
    /// A rotation that was switched off counts as one that was never configured.
    even_if_disabled: bool,
}

/// What a command may do.
#[derive(Clone, Debug)]
pub(crate) enum May {
    /// No call that writes leaves this process.
    Look,
    /// Labels may be moved.
    Repair,
    /// This version may be filled. Where `RotateSecret` did not register it, it counts as registered, as
    /// long as no other version holds `AWSPENDING`.
    Rotate(VersionId),
}

impl Store {
    pub(crate) fn new(inner: AwsStore, may: May, even_if_disabled: bool) -> Self {
        Self {
            inner,
            may,
            even_if_disabled,
        }
    }

    fn must_write(&self, operation: &'static str, id: &SecretId) -> Result<(), StoreError> {
        match self.may {
            May::Look => Err(StoreError::new(StoreErrorKind::Invalid, operation, id)
                .with_code(Some("ReadOnly".to_owned()))),
            May::Repair | May::Rotate(_) => Ok(()),
        }
    }
}

impl SecretReader for Store {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.inner.get(id, version).await
    }
}

impl SecretStore for Store {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        let mut state = self.inner.describe(id).await?;
        if self.even_if_disabled && state.rotation_enabled == Some(false) {
            state.rotation_enabled = None;
        }
        if let May::Rotate(version) = &self.may {
            let holder = state.holder(&Label::Pending);
            let is_free = holder.is_none() || holder == state.holder(&Label::Current);
            if is_free && !state.versions.contains_key(version) {
                let labels = [Label::Pending].into();
                state.versions.insert(version.clone(), labels);
            }
        }
        Ok(state)
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        self.must_write("PutSecretValue", id)?;
        let state = self.inner.describe(id).await?;
        if state.holds(version, &Label::Pending) {
            return self.inner.put_pending(id, version, value, token).await;
        }
        let over = state
            .holder(&Label::Pending)
            .filter(|holder| Some(*holder) == state.holder(&Label::Current));
        self.inner.claim_pending(id, version, value, over).await
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        self.must_write("UpdateSecretVersionStage", id)?;
        self.inner.promote(id, from, to).await
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.must_write("UpdateSecretVersionStage", id)?;
        self.inner.discard_pending(id, version).await
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.must_write("UpdateSecretVersionStage", id)?;
        self.inner.mark(id, version, label).await
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.must_write("UpdateSecretVersionStage", id)?;
        self.inner.unmark(id, version, label).await
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::store::aws::AwsSettings;

    use super::*;

    #[tokio::test]
    async fn whoever_may_only_look_sends_no_write() {
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            access_key_id: "AKID".to_owned(),
            secret_access_key: "secret".into(),
            session_token: None,
            // Nothing listens there: a call that is sent is `Unavailable`.
            endpoint: Some("http://127.0.0.1:1".to_owned()),
        };
        let store = Store::new(AwsStore::connect(&settings), May::Look, false);
        let (id, version) = (SecretId::from("s"), VersionId::from("v"));
        let (value, label) = (SecretDocument::from_text("{}"), Label::from("L"));
        for answer in [
            store.put_pending(&id, &version, &value, None).await,
            store.promote(&id, &version, &version).await,
            store.discard_pending(&id, &version).await,
            store.mark(&id, &version, &label).await,
            store.unmark(&id, &version, &label).await,
        ] {
            let fault = answer.expect_err("a write");
            assert_eq!(fault.code.as_deref(), Some("ReadOnly"), "{fault}");
        }
    }
}
