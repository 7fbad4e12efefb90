//! The kit, for users that take turns.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql};
use rotators::mysql::{AlternatingUsers, PairSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use tokio::sync::Mutex;

use crate::kit::Bench;
use crate::pair::ADMIN_OF_PAIRS;
use crate::support::{FIRST, literal};

/// The truth about two users: what logs in, and may read.
pub(crate) struct Two<E> {
    pub(crate) bench: Arc<Bench<E>>,
    seen: Mutex<HashSet<(String, String)>>,
}

impl<E: Edition> Two<E> {
    async fn may(&self, user: &str) -> bool {
        let granted = format!(
            "SELECT COUNT(*) FROM mysql.tables_priv WHERE table_name = 'goods' AND user = {}",
            literal(user)
        );
        let granted: Vec<u32> = self.bench.ask(&granted).await;
        granted == [1]
    }
}

impl<E: Edition> Target for Two<E> {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text").expose_secret().to_owned();
        let (user, password) = (text("username"), text("password"));
        self.seen
            .lock()
            .await
            .insert((user.clone(), password.clone()));
        self.bench.logs_in(&user, &password).await && self.may(&user).await
    }

    async fn live(&self) -> Option<usize> {
        let seen = self.seen.lock().await.clone();
        let mut live = 0;
        for (user, password) in seen {
            live += usize::from(self.bench.logs_in(&user, &password).await);
        }
        Some(live)
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.bench.refused_logins().await)
    }

    async fn outage(&self, on: bool) -> bool {
        self.bench.outage(on).await;
        true
    }
}

/// A server with a table, and an admin as docs/mysql.md describes one.
pub(crate) async fn bench<E: Edition>() -> Arc<Bench<E>> {
    let bench = Bench::<E>::start(ADMIN_OF_PAIRS.get::<E>()).await;
    for statement in [
        "CREATE DATABASE shop",
        "CREATE TABLE shop.goods (a INT)",
        "GRANT SELECT ON shop.* TO admin WITH GRANT OPTION",
    ] {
        bench.root(statement).await;
    }
    bench
}

/// A user who may read the table.
pub(crate) async fn trial<E: Edition, R: Rotator>(
    bench: Arc<Bench<E>>,
    world: &World,
    rotator: impl Fn() -> R + 'static,
) -> Trial<R, Two<E>> {
    let name = bench.next("turns");
    bench
        .root(&format!(
            "CREATE USER {name} IDENTIFIED BY {}",
            literal(FIRST)
        ))
        .await;
    bench
        .root(&format!("GRANT SELECT ON shop.goods TO {name}"))
        .await;
    Bench::<E>::put_admin(world);
    let secret = bench.secret(&name, true);
    let seen = Mutex::default();
    Trial::new(Two { bench, seen }, secret, rotator)
}

async fn proves<E: Edition>(faults: &[Fault]) {
    let bench = bench::<E>().await;
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (store, settings) = (world.store().clone(), settings.clone());
        let rotator = move || -> AlternatingUsers<MemoryStore> {
            AlternatingUsers::new(store.clone(), settings.clone(), PairSettings::default())
        };
        trial(Arc::clone(&bench), &world, rotator).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(3))
        .faults(faults)
        .without_interleavings();
    match prover.run().await {
        Ok(proof) => {
            println!("two users on {}: {proof}", bench.fixture.server.version());
            assert_eq!(proof.gap, 0);
        }
        Err(violation) => panic!("{violation}\n{}", bench.fixture.server.log()),
    }
}

#[tokio::test]
async fn crashes_on_mysql_heal() {
    proves::<MySql>(&[Fault::CrashBefore, Fault::CrashAfter]).await;
}

#[tokio::test]
async fn crashes_on_mariadb_heal() {
    proves::<MariaDb>(&[Fault::CrashBefore, Fault::CrashAfter]).await;
}

#[tokio::test]
async fn errors_on_mariadb_heal() {
    proves::<MariaDb>(&[Fault::ErrorBefore, Fault::ErrorAfter]).await;
}

#[tokio::test]
async fn calls_that_hang_on_mysql_heal() {
    proves::<MySql>(&[Fault::HangAfter]).await;
}
