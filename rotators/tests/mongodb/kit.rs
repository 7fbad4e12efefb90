//! The kit: faults at every call, two invocations side by side, and what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bson::Document;
use harness::mongodb::{FakeMongo, MongoBuilder};
use rotators::mongodb::{AlternatingUsers, PairSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Proof, Prover, Target, Trial, World};
use serde_json::json;

use crate::faults::with_faults;
use crate::support::{ADMIN, DB, FIRST, add_user, default_settings, populate, put_admin, rights};

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Bench {
    pub(crate) server: FakeMongo,
    users: AtomicU32,
    tls: bool,
    database: &'static str,
}

/// The truth about one user, or two.
pub(crate) struct Users {
    pub(crate) bench: Arc<Bench>,
    name: String,
    rights: Document,
    refused_before: usize,
}

/// Who changes the user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Itself,
    Admin,
}

impl Bench {
    pub(crate) async fn start() -> Arc<Self> {
        Self::with(FakeMongo::builder().without_tls(), false, DB).await
    }

    async fn with(builder: MongoBuilder, tls: bool, database: &'static str) -> Arc<Self> {
        let server = builder.start().await;
        populate(&server);
        Arc::new(Self {
            server,
            users: AtomicU32::new(0),
            tls,
            database,
        })
    }

    pub(crate) fn trial<R: Rotator>(
        self: Arc<Self>,
        world: &World,
        by: By,
        make: impl Fn(&MemoryStore) -> R + 'static,
    ) -> Trial<R, Users> {
        let name = format!("u,{}=\"", self.users.fetch_add(1, Ordering::Relaxed));
        if self.database == DB {
            add_user(&self.server, &name);
        } else {
            // DocumentDB has no roles of its own; the master user is the admin.
            self.server
                .create_user("admin", &name, FIRST, &[("root", "admin")]);
            let root = [("root", "admin")];
            self.server.create_user("admin", "rotator", ADMIN, &root);
        }
        put_admin(world.store(), &json!({}));
        let mut secret = json!({
            "host": self.server.host(), "port": self.server.port(), "username": name, "password": FIRST,
            "authentication_database": self.database, "ca_certificate": self.server.ca_pem(),
            "ssl": self.tls, "note": 1.50,
        });
        if by == By::Admin {
            secret["masterarn"] = "arn:admin".into();
        }
        let users = Users {
            rights: rights(&self.server, &name),
            refused_before: self.server.logins().1,
            name,
            bench: self,
        };
        let store = world.store().clone();
        let secret = SecretDocument::from_text(&secret.to_string());
        Trial::new(users, secret, move || make(&store))
    }
}

impl Target for Users {
    /// What the server stores, without the code under test.
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text").expose_secret().to_owned();
        let (server, user) = (&self.bench.server, text("username"));
        server.knows(self.bench.database, &user, &text("password"))
            && rights(server, &user) == self.rights
    }

    async fn live(&self) -> Option<usize> {
        let users = self.bench.server.users(self.bench.database);
        let own = |user: &String| user.strip_suffix("_clone").unwrap_or(user) == self.name;
        Some(users.iter().filter(|user| own(user)).count())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.bench.server.logins().1 - self.refused_before)
    }

    async fn outage(&self, on: bool) -> bool {
        self.bench.server.set_down(on);
        true
    }
}

pub(crate) fn single(store: &MemoryStore) -> SingleUser<MemoryStore> {
    SingleUser::new(store.clone(), default_settings())
}

pub(crate) fn pair(store: &MemoryStore) -> AlternatingUsers<MemoryStore> {
    let settings = default_settings();
    AlternatingUsers::new(store.clone(), settings, PairSettings::default())
}

/// With these faults; without any, two invocations side by side.
async fn proves<R: Rotator + 'static>(
    bench: Arc<Bench>,
    by: By,
    make: impl Fn(&MemoryStore) -> R + Copy + 'static,
    faults: &[Fault],
) -> Proof {
    let fresh = async |world: World| Arc::clone(&bench).trial(&world, by, make);
    let prover = with_faults(Prover::new(fresh), faults, Duration::from_secs(1));
    let proof = prover.run().await;
    let proof = proof.unwrap_or_else(|violation| panic!("{violation}"));
    // Whatever was cut off, nothing goes on behind it.
    assert_eq!(Arc::strong_count(&bench), 1);
    println!("{}: {proof}", std::any::type_name::<R>());
    proof
}

// A crash after a call is one before the next.

#[tokio::test]
async fn crashes_of_a_user_that_changes_itself_heal() {
    let bench = Bench::with(FakeMongo::builder(), true, DB).await;
    let proof = proves(bench, By::Itself, single, &[Fault::CrashBefore]).await;
    assert_eq!(proof.gap, 6);
}

#[tokio::test]
async fn errors_where_an_admin_changes_the_user_heal() {
    let faults = [Fault::ErrorAfter, Fault::Throttled];
    proves(Bench::start().await, By::Admin, single, &faults).await;
}

#[tokio::test]
async fn two_invocations_agree() {
    proves(Bench::start().await, By::Itself, single, &[]).await;
}

#[tokio::test]
async fn crashes_of_a_pair_heal() {
    let bench = Bench::start().await;
    let proof = proves(bench, By::Admin, pair, &[Fault::CrashAfter]).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn errors_of_a_pair_heal() {
    let faults = [Fault::ErrorBefore, Fault::Stale];
    proves(Bench::start().await, By::Admin, pair, &faults).await;
}

#[tokio::test]
async fn calls_of_a_pair_that_hang_heal() {
    proves(Bench::start().await, By::Admin, pair, &[Fault::HangAfter]).await;
}

/// With SCRAM-SHA-1, and an exchange more at each login.
#[tokio::test]
async fn a_user_of_document_db_is_rotated() {
    let builder = FakeMongo::builder().without_tls().document_db();
    let bench = Bench::with(builder, false, "admin").await;
    proves(bench, By::Itself, single, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn a_pair_of_document_db_is_rotated() {
    let builder = FakeMongo::builder().without_tls().document_db();
    let bench = Bench::with(builder, false, "admin").await;
    let proof = proves(bench, By::Admin, pair, &[Fault::CrashAfter]).await;
    assert_eq!(proof.gap, 0);
}
