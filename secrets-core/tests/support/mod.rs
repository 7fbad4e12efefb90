//! A target and a store for tests of the engine: both can be told to fail at an exact call.
#![allow(
    dead_code,
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "support of several tests, none of which uses all of it"
)]

mod faulty_store;
mod target;

use std::time::Duration;

use secrecy::ExposeSecret;
use secrets_core::document::{Exposed, SecretDocument};
use secrets_core::event::{RotationEvent, RotationToken, SecretId, Step, VersionId};
use secrets_core::rotation::{Outcome, Reason, Report, Rotation};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use tokio::time::Instant;

#[allow(unused_imports, reason = "not every test breaks the store")]
pub use faulty_store::Fault;
pub use faulty_store::FaultyStore;
pub use target::Target;

/// The password that every secret of these tests starts with.
pub const FIRST: &str = "sentinel-first";

pub fn id() -> SecretId {
    "app/db".into()
}

/// `v("1")` is a version id of the right length.
pub fn v(name: &str) -> VersionId {
    format!("{name:0>32}").into()
}

/// A store with one secret, whose password is [`FIRST`], under version 0.
pub fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let value = SecretDocument::from_text(&format!(
        r#"{{"host": "db", "port": 5432, "password": "{FIRST}", "note": 1.50}}"#
    ));
    store
        .put_current(&id(), &v("0"), &value)
        .expect("a new secret");
    store
}

/// What the version under a label holds, if anything.
pub async fn text_at(store: &impl SecretReader, label: Label) -> Option<String> {
    let version = store.get(&id(), &Version::Labelled(label)).await.ok()?;
    Some(match version.document.expose() {
        Exposed::Text(text) => text.expose_secret().to_owned(),
        Exposed::Binary(bytes) => String::from_utf8_lossy(bytes.expose_secret()).into_owned(),
    })
}

/// The password under a label.
pub async fn password_at(store: &impl SecretReader, label: Label) -> Option<String> {
    let version = store.get(&id(), &Version::Labelled(label)).await.ok()?;
    let password = version.document.text("password").ok()?;
    Some(password.expose_secret().to_owned())
}

/// A rotation that is about to start.
pub struct Bench {
    pub store: FaultyStore,
    pub target: Target,
    pub rotation: Rotation<FaultyStore, Target>,
}

impl Bench {
    /// A secret of which version 1 is about to be made.
    pub fn new() -> Self {
        let (store, target) = (FaultyStore::new(store()), Target::new());
        store
            .inner
            .begin_rotation(&id(), &v("1"))
            .expect("a rotation can begin");
        let rotation = Rotation::new(store.clone(), target.clone());
        Self {
            store,
            target,
            rotation,
        }
    }

    pub async fn send(&self, step: Step, version: &VersionId) -> Result<Outcome, Reason> {
        let report = self.report_of(step, version).await;
        report.result.map_err(|fault| fault.reason)
    }

    /// What is told of a step of the version `1`.
    pub async fn report(&self, step: Step) -> Report {
        self.report_of(step, &v("1")).await
    }

    async fn report_of(&self, step: Step, version: &VersionId) -> Report {
        let event = RotationEvent {
            step,
            secret: id(),
            version: version.clone(),
            rotation_token: Some(RotationToken::from("sentinel-token")),
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        self.rotation.report(&event, deadline).await
    }

    pub async fn step(&self, step: Step) -> Result<Outcome, Reason> {
        self.send(step, &v("1")).await
    }

    pub async fn all(&self) -> Result<Vec<Outcome>, Reason> {
        let mut outcomes = Vec::new();
        for step in Step::ALL {
            outcomes.push(self.step(step).await?);
        }
        Ok(outcomes)
    }
}
