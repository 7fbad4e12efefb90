//! A store that breaks at an exact call.

use std::sync::{Arc, Mutex, MutexGuard};

use secrets_core::document::SecretDocument;
use secrets_core::event::{RotationToken, SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};

use super::id;

/// Where a call of the store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call did nothing.
    Before(StoreErrorKind),
    /// The call did its work and the reply was lost.
    After(StoreErrorKind),
}

/// A store that counts calls and breaks some of them.
#[derive(Clone)]
pub struct FaultyStore {
    pub inner: MemoryStore,
    plan: Arc<Mutex<FaultPlan>>,
}

#[derive(Default)]
struct FaultPlan {
    calls: Vec<&'static str>,
    token: Option<String>,
    /// 1-based.
    at: Option<(usize, Fault)>,
    /// So many reads of a value do not see it yet.
    lagging_reads: usize,
    /// So many looks at the labels do not see the version yet.
    lagging_looks: usize,
}

impl FaultyStore {
    pub fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    fn plan(&self) -> MutexGuard<'_, FaultPlan> {
        self.plan
            .lock()
            .expect("no test panics while it holds this")
    }

    /// The calls since the last look.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.plan().calls)
    }

    /// The rotation token that the last write came with.
    pub fn token(&self) -> Option<String> {
        self.plan().token.clone()
    }

    /// Breaks the `n`th call from now on, counted from 1.
    pub fn break_at(&self, n: usize, fault: Fault) {
        let mut plan = self.plan();
        plan.calls.clear();
        plan.at = Some((n, fault));
    }

    pub fn lag(&self, reads: usize, looks: usize) {
        let mut plan = self.plan();
        (plan.lagging_reads, plan.lagging_looks) = (reads, looks);
    }

    async fn call<T>(
        &self,
        name: &'static str,
        act: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fault = {
            let mut plan = self.plan();
            plan.calls.push(name);
            let n = plan.calls.len();
            plan.at.take_if(|(at, _)| *at == n).map(|(_, fault)| fault)
        };
        match fault {
            Some(Fault::Before(kind)) => Err(StoreError::new(kind, name, &id())),
            Some(Fault::After(kind)) => {
                // Whatever it answered is lost.
                let _ = act.await;
                Err(StoreError::new(kind, name, &id()))
            }
            None => act.await,
        }
    }

    fn lags(count: &mut usize) -> bool {
        let lags = *count > 0;
        *count = count.saturating_sub(1);
        lags
    }
}

impl SecretReader for FaultyStore {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        self.call("get", async {
            let pending = matches!(version, Version::Exactly(_, Label::Pending));
            if pending && Self::lags(&mut self.plan().lagging_reads) {
                return Err(StoreError::new(StoreErrorKind::NotFound, "get", id));
            }
            self.inner.get(id, version).await
        })
        .await
    }
}

impl SecretStore for FaultyStore {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        self.call("describe", async {
            let mut state = self.inner.describe(id).await?;
            if Self::lags(&mut self.plan().lagging_looks) {
                state
                    .versions
                    .retain(|_, labels| !labels.contains(&Label::Pending));
            }
            Ok(state)
        })
        .await
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        self.plan().token = token.map(|token| token.expose().to_owned());
        self.call("put", self.inner.put_pending(id, version, value, token))
            .await
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        self.call("promote", self.inner.promote(id, from, to)).await
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.call("discard", self.inner.discard_pending(id, version))
            .await
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.call("mark", self.inner.mark(id, version, label)).await
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.call("unmark", self.inner.unmark(id, version, label))
            .await
    }
}
