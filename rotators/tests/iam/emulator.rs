//! The emulator moto: requests as the services take them, with signatures and rights checked.

use std::sync::atomic::{AtomicBool, Ordering};

use harness::iam::MotoIam;
use harness::secrets_manager::Moto;
use rotators::iam::{IamCredential, IamKey, IamSettings, ManagedBy};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::SecretId;
use secrets_core::rotation::{Reason, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorErrorKind, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::{Driver, Prover, Target, Trial, World};
use serde_json::json;

use crate::{SECRET, USER, assert_says, context, hidden, settings, version};

const RIGHTS: [&str; 4] = [
    "iam:ListAccessKeys",
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
];

struct Emulated {
    _moto: Moto,
    iam: MotoIam,
    store: MemoryStore,
    settings: IamSettings,
}

/// A user with a key, and another one that stands in for the role, with these rights.
async fn start(rights: &[&str]) -> Emulated {
    let moto = Moto::start_that_checks_keys().await;
    let iam = MotoIam::at(moto.endpoint());
    iam.create_user("role", rights).await;
    let (id, secret) = iam.create_key("role").await;
    let settings = settings(moto.endpoint(), (&id, &secret));
    let store = MemoryStore::new();
    let first = secret_of(&iam, USER, &[]).await;
    let version = "first-version-of-the-access-key-01".into();
    store
        .put_current(&SECRET.into(), &version, &first)
        .expect("a first value");
    Emulated {
        _moto: moto,
        iam,
        store,
        settings,
    }
}

/// Makes a user and the secret of its key.
async fn secret_of(iam: &MotoIam, user: &str, rights: &[&str]) -> SecretDocument {
    iam.create_user(user, rights).await;
    let (id, secret) = iam.create_key(user).await;
    let value = json!({"access_key_id": id, "secret_access_key": secret, "user_name": user});
    SecretDocument::from_text(&value.to_string())
}

impl Emulated {
    fn rotator(&self) -> IamKey<MemoryStore> {
        IamKey::new(self.store.clone(), self.settings.clone())
    }

    async fn rotate(&self, n: usize) -> Result<(), RotationError> {
        let rotation = Rotation::new(self.store.clone(), self.rotator());
        let driver = Driver::new(&self.store, &rotation, &SecretId::from(SECRET));
        driver.begin(&version(n)).expect("no other rotation");
        driver.send_all(&version(n)).await.map(drop)
    }

    async fn document(&self, label: Label) -> Option<SecretDocument> {
        let version = Version::Labelled(label);
        let version = self.store.get(&SECRET.into(), &version).await.ok()?;
        Some(version.document)
    }

    async fn id(&self, label: Label) -> Option<String> {
        let text = self.document(label).await?.text("access_key_id");
        Some(text.expect("an id").expose_secret().to_owned())
    }

    /// What AWS says to what the label names.
    async fn verdict(&self, label: Label) -> Verdict {
        let document = self.document(label).await.expect("a value");
        self.verdict_on(&document).await
    }

    async fn verdict_on(&self, document: &SecretDocument) -> Verdict {
        let credential = IamCredential::try_from(document).expect("a whole secret");
        let verdict = self.rotator().test(&credential, &context()).await;
        verdict.expect("an answer")
    }
}

#[tokio::test]
async fn in_fifty_rotations_no_reader_is_refused() {
    let stage = start(&RIGHTS).await;
    let done = AtomicBool::new(false);
    let reader = async {
        let (mut reads, mut refused) = (0, 0);
        while !done.load(Ordering::Relaxed) {
            let document = stage.document(Label::Current).await.expect("a value");
            reads += 1;
            if stage.verdict_on(&document).await == Verdict::Rejected {
                let id = document.text("access_key_id").expect("an id");
                let id = Some(id.expose_secret().to_owned());
                // A reader that took longer than a whole rotation is promised nothing.
                refused += usize::from(
                    id == stage.id(Label::Current).await || id == stage.id(Label::Previous).await,
                );
            }
        }
        (reads, refused)
    };
    let rotations = async {
        for n in 1..=50 {
            stage.rotate(n).await.expect("a rotation");
            assert!(stage.iam.keys(USER).await.len() <= 2);
        }
        done.store(true, Ordering::Relaxed);
    };
    let ((reads, refused), ()) = tokio::join!(reader, rotations);
    println!("{reads} reads in 50 rotations");
    assert_eq!(refused, 0);
    assert!(reads >= 50, "{reads} reads");
    assert_eq!(stage.verdict(Label::Previous).await, Verdict::Accepted);
}

#[tokio::test]
async fn a_key_of_somebody_else_is_left() {
    let stage = start(&RIGHTS).await;
    let (foreign, _) = stage.iam.create_key(USER).await;
    let before = stage.iam.keys(USER).await;
    let fault = stage.rotate(1).await.expect_err("no room");
    let Reason::Rotator(fault) = fault.reason else {
        panic!("{fault:?}");
    };
    assert_says(&fault, RotatorErrorKind::Misconfigured, &[&foreign]);
    assert_eq!(stage.iam.keys(USER).await, before);
}

#[tokio::test]
async fn keys_that_are_gone_inactive_or_of_another_secret_are_rejected() {
    let stage = start(&RIGHTS).await;
    let current = stage.document(Label::Current).await.expect("a value");
    let id = stage.id(Label::Current).await.expect("an id");
    assert_eq!(stage.verdict_on(&current).await, Verdict::Accepted);
    let wrong = json!({"access_key_id": id, "secret_access_key": "another", "user_name": USER});
    let wrong = SecretDocument::from_text(&wrong.to_string());
    assert_eq!(stage.verdict_on(&wrong).await, Verdict::Rejected);
    stage.iam.set_status(USER, &id, "Inactive").await;
    assert_eq!(stage.verdict_on(&current).await, Verdict::Rejected);
    stage.iam.delete_key(USER, &id).await;
    assert_eq!(stage.verdict_on(&current).await, Verdict::Rejected);

    // Deleted by hand: it is replaced.
    stage.rotate(1).await.expect("a rotation");
    assert_eq!(stage.verdict(Label::Current).await, Verdict::Accepted);
}

#[tokio::test]
async fn a_missing_right_and_a_missing_user_are_named() {
    let stage = start(&["iam:ListAccessKeys"]).await;
    let fault = stage.rotate(1).await.expect_err("no right");
    let shown = hidden::shown(&fault);
    let right = "the function's role may not do iam:CreateAccessKey on \
                 arn:aws:iam::123456789012:user/app";
    assert!(shown.contains(right), "{shown}");

    let stage = start(&RIGHTS).await;
    let id = stage.id(Label::Current).await.expect("an id");
    stage.iam.delete_key(USER, &id).await;
    stage.iam.call("DeleteUser", &[("UserName", USER)]).await;
    let fault = stage.rotate(1).await.expect_err("no user");
    let shown = hidden::shown(&fault);
    assert!(shown.contains("no such user as the user app"), "{shown}");
}

#[tokio::test]
async fn a_user_with_the_rights_manages_itself() {
    let mut stage = start(&[]).await;
    let rights = secret_of(&stage.iam, "itself", &RIGHTS).await;
    let version = "first-version-of-the-access-key-02".into();
    stage
        .store
        .put_current(&SECRET.into(), &version, &rights)
        .expect("a value");
    stage.settings.managed_by = ManagedBy::User;
    for n in 1..=3 {
        stage.rotate(n).await.expect("a rotation");
        assert_eq!(stage.verdict(Label::Current).await, Verdict::Accepted);
    }
    assert_eq!(stage.iam.keys("itself").await.len(), 2);
}

/// The truth about one user of the emulator.
struct Account {
    iam: MotoIam,
    user: String,
}

impl Target for Account {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let id = secret.text("access_key_id").expect("an id");
        let keys = self.iam.keys(&self.user).await;
        keys.iter().any(|key| key == id.expose_secret())
    }

    async fn live(&self) -> Option<usize> {
        Some(self.iam.keys(&self.user).await.len())
    }
}

#[tokio::test]
async fn the_contract_and_rotations_whose_steps_are_sent_twice() {
    let stage = start(&RIGHTS).await;
    let (iam, settings) = (&stage.iam, &stage.settings);
    let trial = async |world: World| {
        let user = format!(
            "user-{}",
            iam.call("ListUsers", &[]).await.matches("<Arn>").count()
        );
        let secret = secret_of(iam, &user, &[]).await;
        let account = Account {
            iam: iam.clone(),
            user,
        };
        let settings = settings.clone();
        Trial::new(account, secret, move || {
            IamKey::new(world.store().clone(), settings.clone())
        })
    };
    let prover = Prover::new(trial);
    for schedule in ["contract", "undisturbed"] {
        if let Err(violation) = prover.replay(schedule).await {
            panic!("{violation}");
        }
    }
}
