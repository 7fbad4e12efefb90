//! Access keys of IAM users: against the emulator moto, and against a fake of IAM and STS that can be told to
//! fail.
#![cfg(feature = "iam")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
mod cut_off;
mod emulator;
mod kit;
mod managers;
mod refusals;
mod rotation;
mod wrong;

#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;

#[path = "../support/hidden.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod hidden;

#[path = "../support/impostor.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod impostor;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use harness::iam::FakeIam;
use rotators::iam::{IamCredential, IamKey, IamSettings, ManagedBy, ServiceUrl};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::rotator::{Context, Rotator, RotatorError, RotatorErrorKind, Verdict};
use secrets_core::store::aws::AwsSettings;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};
use tokio::time::Instant;

const SECRET: &str = "Demo/iam_key";
const MASTER: &str = "Demo/iam_manager";
const USER: &str = "app";

/// How the keys are managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Role,
    User,
    Master,
}

/// An account with one user that has one key, and a store with the secret of it.
struct Stage {
    iam: FakeIam,
    store: MemoryStore,
    settings: IamSettings,
    clock: Clock,
}

/// The time of day, a minute later with each rotation: what the engine has noted about one is over by the
/// time of the next.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicU64>);

impl Clock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_mins(self.0.load(Ordering::Relaxed))
    }
}

fn settings(url: &str, role: (&str, &str)) -> IamSettings {
    let mut settings = IamSettings::new(AwsSettings {
        region: "eu-west-1".into(),
        access_key_id: role.0.into(),
        secret_access_key: role.1.into(),
        session_token: None,
        endpoint: None,
    });
    let url = ServiceUrl::parse(url).expect("a loopback URL");
    settings.iam_url = Some(url.clone());
    settings.sts_url = Some(url);
    // Long enough for a busy machine, short enough to be waited for.
    settings.propagation = Duration::from_secs(5);
    settings
}

/// Makes the user, and puts the secret of its manager; gives the user's secret and the settings.
fn populate(iam: &FakeIam, store: &MemoryStore, manager: Manager) -> (SecretDocument, IamSettings) {
    let mut settings = settings(&iam.url(), iam.role());
    iam.create_user(USER, manager == Manager::User);
    let (id, secret) = iam.create_key(USER);
    let mut value = json!({
        "access_key_id": id, "secret_access_key": secret, "user_name": USER, "note": 1.50,
    });
    match manager {
        Manager::Role => {}
        Manager::User => settings.managed_by = ManagedBy::User,
        Manager::Master => {
            iam.create_user("manager", true);
            let (id, secret) = iam.create_key("manager");
            let key = json!({"access_key_id": id, "secret_access_key": secret});
            put(store, MASTER, &key);
            value["masterarn"] = MASTER.into();
        }
    }
    (SecretDocument::from_text(&value.to_string()), settings)
}

fn put(store: &MemoryStore, secret: &str, value: &Value) {
    let version = format!("{:0>64}", value["access_key_id"].as_str().unwrap_or("1"));
    let document = SecretDocument::from_text(&value.to_string());
    store
        .put_current(&secret.into(), &version.as_str().into(), &document)
        .expect("a value");
}

impl Stage {
    async fn start(manager: Manager) -> Self {
        let (iam, store) = (FakeIam::start().await, MemoryStore::new());
        let (first, settings) = populate(&iam, &store, manager);
        let version = "first-version-of-the-access-key-01".into();
        store
            .put_current(&SECRET.into(), &version, &first)
            .expect("a first value");
        let clock = Clock::default();
        let of_keys = clock.clone();
        iam.set_clock(move || of_keys.now());
        Self {
            iam,
            store,
            settings,
            clock,
        }
    }

    fn rotator(&self) -> IamKey<MemoryStore> {
        IamKey::new(self.store.clone(), self.settings.clone())
    }

    /// Begins the `n`th rotation.
    fn begin(&self, n: usize) {
        self.clock.0.fetch_add(1, Ordering::Relaxed);
        self.store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
    }

    /// The four events of the `n`th rotation, up to the first that fails.
    async fn send_all(&self, n: usize) -> Result<[Outcome; 4], RotationError> {
        let clock = self.clock.clone();
        let rotation = Rotation::new(self.store.clone(), self.rotator());
        let rotation = rotation.with_clock(move || clock.now());
        let driver = Driver::new(&self.store, &rotation, &SecretId::from(SECRET));
        let transitions = driver.send_all(&version(n)).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    /// A whole rotation.
    async fn rotate(&self, n: usize) {
        self.begin(n);
        self.send_all(n).await.expect("a rotation");
    }

    /// A rotation that fails for a reason of the rotator's, with nothing secret in its error.
    async fn fails(&self, n: usize) -> RotatorError {
        let fault = self.send_all(n).await.expect_err("a fault");
        let shown = hidden::shown(&fault);
        for secret in self.iam.secrets() {
            hidden::assert_absent(&shown, &secret);
        }
        match fault.reason {
            Reason::Rotator(fault) | Reason::ValueRefused { source: fault, .. } => fault,
            other => panic!("{other:?}"),
        }
    }

    async fn text(&self, label: Label, key: &'static str) -> Option<String> {
        let version = Version::Labelled(label);
        let version = self.store.get(&SECRET.into(), &version).await.ok()?;
        let text = version.document.optional_text(key).expect("a text");
        text.map(|text| text.expose_secret().to_owned())
    }

    async fn id(&self, label: Label) -> String {
        self.text(label, "access_key_id").await.expect("an id")
    }

    async fn serves(&self, label: Label) -> bool {
        let secret = self.text(label.clone(), "secret_access_key").await;
        let id = self.id(label).await;
        self.iam.serves(&id, &secret.expect("a secret"))
    }

    /// Changes the current value by hand.
    async fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut value = json!({});
        for key in [
            "access_key_id",
            "secret_access_key",
            "user_name",
            "previous_access_key_id",
            "masterarn",
        ] {
            if let Some(text) = self.text(Label::Current, key).await {
                value[key] = text.into();
            }
        }
        edit(&mut value);
        let document = SecretDocument::from_text(&value.to_string());
        let version = format!("edited-{:0>30}", next_edit());
        self.store
            .put_current(&SECRET.into(), &version.as_str().into(), &document)
            .expect("a value");
    }
}

/// A number that no other edit has.
fn next_edit() -> u64 {
    static EDITS: AtomicU64 = AtomicU64::new(0);
    EDITS.fetch_add(1, Ordering::Relaxed)
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}

fn assert_says(fault: &RotatorError, kind: RotatorErrorKind, words: &[&str]) {
    assert_eq!(fault.kind(), kind, "{fault}");
    for word in words {
        assert!(fault.to_string().contains(word), "{word}: {fault}");
    }
}

/// A credential with nothing but a key.
fn key(id: &str, secret: &str) -> IamCredential {
    let key = json!({"access_key_id": id, "secret_access_key": secret});
    let document = SecretDocument::from_text(&key.to_string());
    IamCredential::try_from(&document).expect("a whole key")
}

fn context() -> Context {
    let deadline = Instant::now() + Duration::from_secs(30);
    Context::new(SECRET.into(), "probe".into(), deadline)
}

/// What the rotator says to a key.
async fn probe(stage: &Stage, id: &str, secret: &str) -> Result<Verdict, RotatorError> {
    stage.rotator().test(&key(id, secret), &context()).await
}
