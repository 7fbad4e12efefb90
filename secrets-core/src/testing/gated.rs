//! A store and a rotator whose every call passes the gate, and is followed by a look at the invariants.

use std::future::Future;
use std::sync::Arc;

use crate::document::{Patch, SecretDocument};
use crate::event::{RotationToken, SecretId, VersionId};
use crate::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use crate::store::memory::MemoryStore;
use crate::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
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
    /// The store as this read is to see it. Asked when the call has its turn, so inside of it.
    fn seen(&self) -> MemoryStore {
        if self.gate.read_is_stale()
            && let Some(before) = self.witness.before_last_write()
        {
            return before;
        }
        self.inner.clone()
    }

    /// A write, which reads may not see at once.
    async fn write<V>(
        &self,
        call: &'static str,
        act: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        self.witness.note_write();
        let answer = act.await;
        self.witness.look(call).await;
        answer
    }

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
        let act = async { self.seen().get(id, version).await };
        self.gate
            .pass(self.who, "get", act, Self::broken("GetSecretValue", id))
            .await
    }
}

impl<T: Target> SecretStore for Gated<MemoryStore, T> {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        let act = async { self.seen().describe(id).await };
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
        let act = self.write("put", self.inner.put_pending(id, version, value, token));
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
        let act = self.write("promote", self.inner.promote(id, from, to));
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
        let act = self.write("discard", self.inner.discard_pending(id, version));
        self.gate
            .pass(
                self.who,
                "discard",
                act,
                Self::broken("UpdateSecretVersionStage", id),
            )
            .await
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let act = self.write("mark", self.inner.mark(id, version, label));
        self.gate
            .pass(
                self.who,
                "mark",
                act,
                Self::broken("UpdateSecretVersionStage", id),
            )
            .await
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        let act = self.write("unmark", self.inner.unmark(id, version, label));
        self.gate
            .pass(
                self.who,
                "unmark",
                act,
                Self::broken("UpdateSecretVersionStage", id),
            )
            .await
    }
}

impl<R: Rotator, T: Target> Rotator for Gated<R, T> {
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
