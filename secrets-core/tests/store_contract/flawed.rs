//! A store that is wrong in one way, on purpose.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret;
use secrets_core::document::{Exposed, SecretDocument};
use secrets_core::event::{RotationToken, SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};

/// How a store may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not: everything is passed through.
    None,
    /// The label beside a version id is not looked at.
    ExactlyIgnoresLabel,
    /// A placeholder reads as the empty text.
    PlaceholderHasValue,
    /// A placeholder is not listed.
    PlaceholderIsHidden,
    /// Bytes come back as text.
    BytesBecomeText,
    /// What is too long is cut off.
    CutsLongValues,
    /// The same value again is refused.
    RefusesRepeatedPut,
    /// A conflict is taken for success, whatever was asked.
    SwallowsConflict,
    /// `AWSCURRENT` is moved wherever it sits.
    PromotesWithoutCompare,
    /// `AWSPENDING` is taken off wherever it sits.
    DiscardsWithoutCompare,
    /// Nothing is discarded, and success is answered.
    DiscardsNothing,
    /// A label is taken from whichever version holds it.
    MarksWithoutCompare,
    /// No label is put anywhere, and success is answered.
    MarksNothing,
    /// A label can be put once.
    RefusesRepeatedMark,
    /// A label is taken off wherever it sits.
    UnmarksWithoutCompare,
    /// A label that is not there cannot be taken off.
    RefusesRepeatedUnmark,
    /// With a label, the service's own go, too.
    UnmarksEverything,
    /// Errors are all of one kind.
    EveryErrorIsUnavailable,
    /// An error holds what was to be stored.
    ErrorQuotesValue,
    /// No date of creation.
    ForgetsDates,
    /// Rotation is always said to be off.
    SaysRotationIsOff,
    /// No secret is said to be marked for deletion.
    HidesDeletion,
}

/// A [`MemoryStore`] behind that flaw.
pub(crate) struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    /// The versions that were put.
    put: Arc<Mutex<HashSet<(SecretId, VersionId)>>>,
}

impl Flawed {
    pub(crate) fn new(inner: MemoryStore, flaw: Flaw) -> Self {
        let put = Arc::default();
        Self { inner, flaw, put }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn wrong<T>(&self, reply: Result<T, StoreError>) -> Result<T, StoreError> {
        reply.map_err(|mut fault| {
            if self.is(Flaw::EveryErrorIsUnavailable) {
                fault.kind = StoreErrorKind::Unavailable;
            }
            fault
        })
    }

    fn wrong_write(&self, reply: Result<(), StoreError>) -> Result<(), StoreError> {
        match reply {
            Err(fault)
                if self.is(Flaw::SwallowsConflict) && fault.kind == StoreErrorKind::Conflict =>
            {
                Ok(())
            }
            reply => self.wrong(reply),
        }
    }

    async fn holder(&self, id: &SecretId, label: Label) -> Option<VersionId> {
        let state = self.inner.describe(id).await.ok()?;
        state.holder(&label).cloned()
    }
}

impl SecretReader for Flawed {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        let found = match version {
            Version::Exactly(version, _) if self.is(Flaw::ExactlyIgnoresLabel) => {
                self.inner.get(id, &Version::Id(version.clone())).await
            }
            version => self.inner.get(id, version).await,
        };
        if self.is(Flaw::PlaceholderHasValue)
            && found.is_err()
            && let Some(id) = self.holder(id, Label::Pending).await
        {
            return Ok(SecretVersion {
                id,
                labels: BTreeSet::from([Label::Pending]),
                created: None,
                arn: None,
                document: SecretDocument::from_text(""),
            });
        }
        let mut found = self.wrong(found)?;
        if self.is(Flaw::ForgetsDates) {
            found.created = None;
        }
        Ok(found)
    }
}

impl SecretStore for Flawed {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        let mut state = self.wrong(self.inner.describe(id).await)?;
        match self.flaw {
            Flaw::PlaceholderIsHidden => {
                let put = self.put.lock().expect("not poisoned");
                state.versions.retain(|version, labels| {
                    !labels.contains(&Label::Pending)
                        || put.contains(&(id.clone(), version.clone()))
                });
            }
            Flaw::SaysRotationIsOff => state.rotation_enabled = Some(false),
            Flaw::HidesDeletion => state.deleted = false,
            _ => {}
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
        let key = (id.clone(), version.clone());
        let fresh = self.put.lock().expect("not poisoned").insert(key);
        if self.is(Flaw::RefusesRepeatedPut) && !fresh {
            let conflict = StoreErrorKind::Conflict;
            return Err(StoreError::new(conflict, "PutSecretValue", id));
        }
        let (text, bytes) = match value.expose() {
            Exposed::Text(text) => (text.expose_secret().to_owned(), false),
            Exposed::Binary(bytes) => {
                let text = String::from_utf8_lossy(bytes.expose_secret());
                (text.into_owned(), true)
            }
        };
        let long = text.len() > 60_000;
        let value = match self.flaw {
            Flaw::BytesBecomeText if bytes => &SecretDocument::from_text(&text),
            Flaw::CutsLongValues if long => &SecretDocument::from_text("cut"),
            _ => value,
        };
        match self.inner.put_pending(id, version, value, token).await {
            Err(fault) if self.is(Flaw::ErrorQuotesValue) => Err(fault.with_code(Some(text))),
            reply => self.wrong_write(reply),
        }
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        let reply = match self.holder(id, Label::Current).await {
            Some(from) if self.is(Flaw::PromotesWithoutCompare) => {
                self.inner.promote(id, &from, to).await
            }
            _ => self.inner.promote(id, from, to).await,
        };
        self.wrong_write(reply)
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        let reply = match self.holder(id, Label::Pending).await {
            Some(_) if self.is(Flaw::DiscardsNothing) => Ok(()),
            Some(holder) if self.is(Flaw::DiscardsWithoutCompare) => {
                self.inner.discard_pending(id, &holder).await
            }
            _ => self.inner.discard_pending(id, version).await,
        };
        self.wrong_write(reply)
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let held = self.holder(id, label.clone()).await;
        let reply = match held {
            _ if self.is(Flaw::MarksNothing) => Ok(()),
            Some(held) if held == *version && self.is(Flaw::RefusesRepeatedMark) => {
                let conflict = StoreErrorKind::Conflict;
                Err(StoreError::new(conflict, "UpdateSecretVersionStage", id))
            }
            Some(held) if self.is(Flaw::MarksWithoutCompare) => {
                self.inner.unmark(id, &held, label).await?;
                self.inner.mark(id, version, label).await
            }
            _ => self.inner.mark(id, version, label).await,
        };
        self.wrong_write(reply)
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let held = self.holder(id, label.clone()).await;
        let reply = match held {
            held if held.as_ref() != Some(version) && self.is(Flaw::RefusesRepeatedUnmark) => {
                let conflict = StoreErrorKind::Conflict;
                Err(StoreError::new(conflict, "UpdateSecretVersionStage", id))
            }
            Some(held) if self.is(Flaw::UnmarksWithoutCompare) => {
                self.inner.unmark(id, &held, label).await
            }
            _ => self.inner.unmark(id, version, label).await,
        };
        if self.is(Flaw::UnmarksEverything) {
            self.inner.unmark(id, version, &Label::Previous).await?;
        }
        self.wrong_write(reply)
    }
}
