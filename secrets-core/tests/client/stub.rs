//! A store that is counted, slow, and fails on demand.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use secrets_core::client::{Builder, Secret, SecretsClient, TestClock};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::{RotationToken, SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};
use tokio::time::sleep;

pub(crate) const ID: &str = "app/db";
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const TTL: Duration = Duration::from_mins(5);
pub(crate) const MAX_STALE: Duration = Duration::from_hours(1);
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// What the store does with a call.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Answers,
    Hangs,
    Fails(StoreErrorKind, &'static str),
}

#[derive(Clone, Default)]
pub(crate) struct Stub {
    pub(crate) store: MemoryStore,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    mood: Mutex<Mood>,
    describe_mood: Mutex<Mood>,
    batch_mood: Mutex<Mood>,
    latency: Mutex<Duration>,
    next_rotation: Mutex<Option<SystemTime>>,
    /// Id that is asked for -> the store's own id, the ARN.
    ids: Mutex<BTreeMap<String, (SecretId, SecretId)>>,
    asked: Mutex<Vec<(SecretId, Version)>>,
    past_caches: AtomicUsize,
    describes: AtomicUsize,
    batches: Mutex<Vec<usize>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic while it is held")
}

impl Stub {
    /// With `app/db` at version 1.
    pub(crate) fn new() -> Self {
        let stub = Self::default();
        stub.put(ID, "1");
        stub
    }

    /// A new current version of a secret, with a password that names it.
    pub(crate) fn put(&self, id: &str, version: &str) {
        self.put_text(
            id,
            version,
            &format!(r#"{{"password": "password-{version}"}}"#),
        );
    }

    pub(crate) fn put_text(&self, id: &str, version: &str, text: &str) {
        let value = SecretDocument::from_text(text);
        let put = self.store.put_current(&id.into(), &version.into(), &value);
        put.expect("a version that is not there yet");
    }

    /// A rotation of `app/db` up to createSecret.
    pub(crate) async fn begin(&self, version: &str) {
        let (id, version) = (ID.into(), VersionId::from(version));
        let begun = self.store.begin_rotation(&id, &version);
        begun.expect("no other rotation under way");
        let value = format!(r#"{{"password": "password-{version}"}}"#);
        let value = SecretDocument::from_text(&value);
        let put = self.store.put_pending(&id, &version, &value, None).await;
        put.expect("an empty version");
    }

    /// Its end. `AWSPENDING` goes at once, which is harder for readers than that it stays.
    pub(crate) async fn publish(&self, from: &str, to: &str) {
        let (id, to) = (ID.into(), VersionId::from(to));
        let promoted = self.store.promote(&id, &from.into(), &to).await;
        promoted.expect("a pending version");
        let discarded = self.store.discard_pending(&id, &to).await;
        discarded.expect("a label");
    }

    pub(crate) fn fail(&self, kind: StoreErrorKind, code: &'static str) {
        self.mood(Mood::Fails(kind, code));
    }

    pub(crate) fn mood(&self, mood: Mood) {
        *lock(&self.shared.mood) = mood;
    }

    pub(crate) fn describe_mood(&self, mood: Mood) {
        *lock(&self.shared.describe_mood) = mood;
    }

    pub(crate) fn batch_mood(&self, mood: Mood) {
        *lock(&self.shared.batch_mood) = mood;
    }

    pub(crate) fn latency(&self, latency: Duration) {
        *lock(&self.shared.latency) = latency;
    }

    pub(crate) fn next_rotation(&self, date: SystemTime) {
        *lock(&self.shared.next_rotation) = Some(date);
    }

    /// Lets a further id lead to a secret of the store, and says its ARN.
    pub(crate) fn known_as(&self, asked: &str, id: &str, arn: &str) {
        let own = (id.into(), arn.into());
        lock(&self.shared.ids).insert(asked.to_owned(), own);
    }

    /// The calls for a value so far.
    pub(crate) fn gets(&self) -> usize {
        lock(&self.shared.asked).len()
    }

    pub(crate) fn asked(&self) -> Vec<(SecretId, Version)> {
        lock(&self.shared.asked).clone()
    }

    pub(crate) fn past_caches(&self) -> usize {
        self.shared.past_caches.load(Ordering::Relaxed)
    }

    pub(crate) fn describes(&self) -> usize {
        self.shared.describes.load(Ordering::Relaxed)
    }

    /// The number of ids in each call for many.
    pub(crate) fn batches(&self) -> Vec<usize> {
        lock(&self.shared.batches).clone()
    }

    async fn face(&self, mood: &Mutex<Mood>, id: &SecretId) -> Result<(), StoreError> {
        let latency = *lock(&self.shared.latency);
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let mood = lock(mood).clone();
        match mood {
            Mood::Answers => Ok(()),
            Mood::Hangs => pending().await,
            Mood::Fails(kind, code) => {
                Err(StoreError::new(kind, "GetSecretValue", id).with_code(Some(code.to_owned())))
            }
        }
    }

    async fn value(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        let known = lock(&self.shared.ids).get(id.as_str()).cloned();
        let (own, arn) = match known {
            Some((own, arn)) => (own, Some(arn)),
            None => (id.clone(), None),
        };
        let version = self.store.get(&own, version).await?;
        Ok(SecretVersion { arn, ..version })
    }
}

impl SecretReader for Stub {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        lock(&self.shared.asked).push((id.clone(), version.clone()));
        self.face(&self.shared.mood, id).await?;
        self.value(id, version).await
    }

    async fn get_past_caches(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> Result<SecretVersion, StoreError> {
        self.shared.past_caches.fetch_add(1, Ordering::Relaxed);
        self.get(id, version).await
    }

    fn batch_limit(&self) -> usize {
        20
    }

    async fn get_batch(
        &self,
        ids: &[SecretId],
    ) -> Result<Vec<Result<SecretVersion, StoreError>>, StoreError> {
        lock(&self.shared.batches).push(ids.len());
        let first = ids.first().expect("a batch of something");
        self.face(&self.shared.batch_mood, first).await?;
        let mut answers = Vec::new();
        for id in ids {
            answers.push(self.value(id, &Version::CURRENT).await);
        }
        Ok(answers)
    }
}

impl SecretStore for Stub {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        self.shared.describes.fetch_add(1, Ordering::Relaxed);
        self.face(&self.shared.describe_mood, id).await?;
        let mut state = self.store.describe(id).await?;
        state.next_rotation = *lock(&self.shared.next_rotation);
        Ok(state)
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        self.store.put_pending(id, version, value, token).await
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        self.store.promote(id, from, to).await
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.store.discard_pending(id, version).await
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.store.mark(id, version, label).await
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.store.unmark(id, version, label).await
    }
}

/// What the tests read a secret as.
pub(crate) struct Login {
    password: String,
}

impl Login {
    pub(crate) fn password(&self) -> &str {
        &self.password
    }
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let password = secret.text("password")?.expose_secret().to_owned();
        Ok(Self { password })
    }
}

/// A client without chance in it, and its clock.
pub(crate) fn builder(stub: &Stub) -> (Builder<Stub>, TestClock) {
    let clock = TestClock::new();
    let builder = SecretsClient::builder(stub.clone())
        .ttl(TTL)
        .max_stale(MAX_STALE)
        .timeout(TIMEOUT)
        .jitter(0.0)
        .clock(&clock);
    (builder, clock)
}

pub(crate) fn client(stub: &Stub) -> SecretsClient {
    builder(stub).0.build()
}

pub(crate) fn password(secret: &Secret) -> String {
    let password = secret.text("password").expect("a password");
    password.expose_secret().to_owned()
}

/// Lets time pass; whatever is due in it happens.
pub(crate) async fn pass(time: Duration) {
    sleep(time).await;
    settle().await;
}

/// Lets all tasks go on that can, without time passing.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A read that must have its answer without waiting for anything.
pub(crate) async fn at_once<T>(read: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        answer = read => answer,
        () = std::future::ready(()) => panic!("the read has to wait"),
    }
}
