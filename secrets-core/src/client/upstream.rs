//! The store behind the client: any reader, with a time-out for each call.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::Core;
use super::entry::Entry;
use super::error::ClientError;
use super::pace;
use super::sync::timeout;
use crate::event::SecretId;
use crate::store::{Label, SecretReader, SecretStore, SecretVersion, StoreError, Version};

type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Whether a cache between here and the service may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caches {
    Answer,
    Passed,
}

pub(super) trait Upstream: Send + Sync {
    fn get<'a>(
        &'a self,
        id: &'a SecretId,
        version: &'a Version,
        caches: Caches,
    ) -> Call<'a, SecretVersion>;

    fn batch_limit(&self) -> usize;

    fn get_batch<'a>(
        &'a self,
        ids: &'a [SecretId],
    ) -> Call<'a, Vec<Result<SecretVersion, StoreError>>>;

    /// Labels and dates; `None` where this reader cannot tell them.
    fn describe<'a>(&'a self, id: &'a SecretId) -> Option<Call<'a, crate::store::SecretState>>;
}

/// Any reader.
pub(super) struct Reading<R>(pub(super) R);

/// A store that is asked for labels and dates, too.
pub(super) struct Describing<R>(pub(super) Reading<R>);

impl<R: SecretReader> Upstream for Reading<R> {
    fn get<'a>(
        &'a self,
        id: &'a SecretId,
        version: &'a Version,
        caches: Caches,
    ) -> Call<'a, SecretVersion> {
        match caches {
            Caches::Answer => Box::pin(self.0.get(id, version)),
            Caches::Passed => Box::pin(self.0.get_past_caches(id, version)),
        }
    }

    fn batch_limit(&self) -> usize {
        self.0.batch_limit()
    }

    fn get_batch<'a>(
        &'a self,
        ids: &'a [SecretId],
    ) -> Call<'a, Vec<Result<SecretVersion, StoreError>>> {
        Box::pin(self.0.get_batch(ids))
    }

    fn describe<'a>(&'a self, _: &'a SecretId) -> Option<Call<'a, crate::store::SecretState>> {
        None
    }
}

impl<R: SecretStore> Upstream for Describing<R> {
    fn get<'a>(
        &'a self,
        id: &'a SecretId,
        version: &'a Version,
        caches: Caches,
    ) -> Call<'a, SecretVersion> {
        self.0.get(id, version, caches)
    }

    fn batch_limit(&self) -> usize {
        self.0.batch_limit()
    }

    fn get_batch<'a>(
        &'a self,
        ids: &'a [SecretId],
    ) -> Call<'a, Vec<Result<SecretVersion, StoreError>>> {
        self.0.get_batch(ids)
    }

    fn describe<'a>(&'a self, id: &'a SecretId) -> Option<Call<'a, crate::store::SecretState>> {
        Some(Box::pin(self.0.0.describe(id)))
    }
}

/// What the store said about an entry.
pub(super) enum Reply {
    /// The version that is held is still the one; it was not read again.
    Same { next: Option<Duration> },
    /// This version, and when to ask again if not after the usual time.
    Value {
        version: Box<SecretVersion>,
        next: Option<Duration>,
    },
}

/// Asks the store for what the entry is to hold: at most one `DescribeSecret` and one
/// `GetSecretValue`.
pub(super) async fn ask(core: &Core, entry: &Entry, caches: Caches) -> Result<Reply, ClientError> {
    let mut next = None;
    if let Some(held) = entry.held_version()
        && let Some(state) = describe(core, entry).await?
    {
        next = Some(pace::next(&state, entry.rules.ttl, entry.clock.date()));
        // A secret that is marked for deletion keeps its labels: only reading tells.
        if !state.deleted && state.holder(&Label::Current) == Some(&held) {
            return Ok(Reply::Same { next });
        }
    }
    let call = core.upstream.get(&entry.id, &entry.version, caches);
    let version = within(core, &entry.id, call).await?;
    Ok(Reply::Value {
        version: Box::new(version),
        next,
    })
}

/// When to ask again after a first read, which does not wait for that.
pub(super) async fn plan_ahead(core: &Core, entry: &Entry) -> Option<Duration> {
    let state = describe(core, entry).await.ok()??;
    Some(pace::next(&state, entry.rules.ttl, entry.clock.date()))
}

/// Labels and dates of the secret; `None` where nobody can tell, or we may not ask.
async fn describe(
    core: &Core,
    entry: &Entry,
) -> Result<Option<crate::store::SecretState>, ClientError> {
    if entry.version != Version::CURRENT || entry.describe_denied.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let Some(call) = core.upstream.describe(&entry.id) else {
        return Ok(None);
    };
    match within(core, &entry.id, call).await {
        Ok(state) => Ok(Some(state)),
        Err(ClientError::AccessDenied(_)) => {
            entry.describe_denied.store(true, Ordering::Relaxed);
            tracing::warn!(
                secret = %entry.id,
                "DescribeSecret is denied; rotations are noticed by reading the value alone"
            );
            Ok(None)
        }
        // Reading will tell, in the words that fit.
        Err(fault) if !fault.is_transient() => Ok(None),
        Err(fault) => Err(fault),
    }
}

pub(super) async fn within<T>(
    core: &Core,
    secret: &SecretId,
    call: Call<'_, T>,
) -> Result<T, ClientError> {
    core.counters.calls.fetch_add(1, Ordering::Relaxed);
    let limit = core.settings.timeout;
    match timeout(limit, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(ClientError::TimedOut {
            secret: secret.clone(),
            after: limit,
        }),
    }
}
