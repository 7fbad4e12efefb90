//! A store and a rotator whose every call passes the gate, and is followed by a look at the invariants.

use std::sync::Arc;

use crate::document::{Patch, SecretDocument};
use crate::event::{RotationToken, SecretId, VersionId};
use crate::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use crate::store::memory::MemoryStore;
use crate::store::{
    SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind, Version,
};

use super::gate::{Fault, Gate, unreachable};
use super::target::Target;
use super::witness::Witness;

/// One invocation's way to the store or the target.
pub(super) struct Gated<I, T> {
    pub(super) inner: I,
    pub(super) gate: Gate,
    pub(super) witness: Arc<Witness<T>>,
    /// Which of two invocations side by side; 0 for one alone.
    pub(super) who: usize,
}

impl<T: Target> Gated<MemoryStore, T> {
    fn broken(name: &'static str, id: &SecretId) -> impl FnOnce(Fault) -> StoreError {
        let id = id.clone();
        move |fault| {
            let kind = if fault == Fault::Throttled {
                StoreErrorKind::Throttled
            } else {
                StoreErrorKind::Unavailable
            };
            StoreError::new(kind, name, &id)
        }
    }
}

impl<T: Target> SecretReader for Gated<MemoryStore, T> {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        let act = self.inner.get(id, version);
        self.gate
            .pass(self.who, "get", act, Self::broken("GetSecretValue", id))
            .await
    }
}

impl<T: Target> SecretStore for Gated<MemoryStore, T> {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        let act = self.inner.describe(id);
        self.gate
            .pass(
                self.who,
                "describe",
                act,
                Self::broken("DescribeSecret", id),
            )
            .await
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        let act = async {
            let answer = self.inner.put_pending(id, version, value, token).await;
            self.witness.look("put").await;
            answer
        };
        self.gate
            .pass(self.who, "put", act, Self::broken("PutSecretValue", id))
            .await
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        let act = async {
            let answer = self.inner.promote(id, from, to).await;
            self.witness.look("promote").await;
            answer
        };
        self.gate
            .pass(
                self.who,
                "promote",
                act,
                Self::broken("UpdateSecretVersionStage", id),
            )
            .await
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        let act = async {
            let answer = self.inner.discard_pending(id, version).await;
            self.witness.look("discard").await;
            answer
        };
        self.gate
            .pass(
                self.who,
                "discard",
                act,
                Self::broken("UpdateSecretVersionStage", id),
            )
            .await
    }
}

impl<R: Rotator, T: Target> Rotator for Gated<Arc<R>, T> {
    type Credential = R::Credential;

    fn profile(&self) -> Profile {
        self.inner.profile()
    }

    async fn create(&self, current: &R::Credential, cx: &Context) -> Result<Patch, RotatorError> {
        let act = self
            .witness
            .around("create", self.inner.create(current, cx));
        self.gate.pass(self.who, "create", act, unreachable).await
    }

    async fn set(
        &self,
        login: Proven<'_, R::Credential>,
        pending: &R::Credential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let act = self
            .witness
            .around("set", self.inner.set(login, pending, cx));
        self.gate.pass(self.who, "set", act, unreachable).await
    }

    async fn test(&self, candidate: &R::Credential, cx: &Context) -> Result<Verdict, RotatorError> {
        let act = self.witness.around("test", self.inner.test(candidate, cx));
        self.gate.pass(self.who, "test", act, unreachable).await
    }

    async fn retire(
        &self,
        retired: &R::Credential,
        kept: &[&R::Credential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let act = self
            .witness
            .around("retire", self.inner.retire(retired, kept, cx));
        self.gate.pass(self.who, "retire", act, unreachable).await
    }
}
