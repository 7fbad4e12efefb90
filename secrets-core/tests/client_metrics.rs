//! The counters in the `metrics` facade. Two clients add to the same ones, and each adds what is new.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use secrets_core::client::SecretsClient;
use secrets_core::document::SecretDocument;
use secrets_core::event::SecretId;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, SecretVersion, StoreError, Version};

/// Keeps all that it is told, by name.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Kept {
    fn number(&self, key: &Key) -> Arc<AtomicU64> {
        assert_eq!(key.labels().len(), 0, "no secret's name, no value");
        let mut kept = self.0.lock().expect("no panic");
        Arc::clone(kept.entry(key.name().to_owned()).or_default())
    }

    fn counter(&self, name: &str) -> u64 {
        let kept = self.0.lock().expect("no panic");
        let number = kept.get(name).expect("it was told");
        number.load(Ordering::Relaxed)
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number(key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Has no secret.
struct Empty;

impl SecretReader for Empty {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        MemoryStore::new().get(id, version).await
    }
}

#[tokio::test]
async fn what_the_client_counts_is_told_after_each_call() {
    let kept = Kept::default();
    // For this thread, on which the runtime's tasks run, too.
    let _recorder = set_default_local_recorder(&kept);
    let store = MemoryStore::new();
    for (version, value) in [("1", "one"), ("2", "two")] {
        let value = SecretDocument::from_text(value);
        let put = store.put_current(&"app/key".into(), &version.into(), &value);
        put.expect("a new version");
    }
    for _ in 0..2 {
        let secrets = SecretsClient::new(store.clone());
        for _ in 0..4 {
            secrets.get_secret("app/key").await.expect("a secret");
        }
        // Hits are told with the next call.
        let old = Version::Id("1".into());
        let read = secrets.get_secret_version("app/key", &old).await;
        read.expect("a secret");
    }
    let missing = SecretsClient::new(Empty);
    for _ in 0..2 {
        let read = missing.get_secret("app/none").await;
        read.expect_err("no such secret");
    }
    let told = |name: &str| kept.counter(&format!("secrets_client_{name}_total"));
    assert_eq!(told("hits"), 2 * 3);
    assert_eq!(told("misses"), 2 * 2 + 1);
    assert_eq!(told("calls"), 2 * 2 + 1);
    assert_eq!(told("refreshes"), 2 * 2);
    assert_eq!(told("failures"), 1);
    for nothing in [
        "stale_reads",
        "negative_hits",
        "rotations",
        "dropped",
        "evictions",
    ] {
        assert_eq!(told(nothing), 0, "{nothing}");
    }
    // Whole seconds, and no time has passed.
    for gauge in ["max_age_seconds", "rotation_lag_seconds"] {
        let told = f64::from_bits(kept.counter(&format!("secrets_client_{gauge}")));
        assert!((0.0..1.0).contains(&told), "{gauge}");
    }
}
