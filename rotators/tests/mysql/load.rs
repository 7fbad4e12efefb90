//! Applications that open new connections without a pause, while the password is rotated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use rotators::mysql::OldPassword;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;
use tokio::sync::Mutex;

use crate::pair::{Pair, alternating};
use crate::support::{Fixture, is_mysql};

const WORKERS: usize = 4;
const ROTATIONS: usize = 50;

/// What the workers saw.
#[derive(Debug, Default)]
struct Seen {
    logins: AtomicUsize,
    /// By the server's code.
    refused: Mutex<BTreeMap<u16, usize>>,
    /// The longest time without a login, of any worker.
    gap: Mutex<Duration>,
    stop: AtomicBool,
}

async fn under_load<E: Edition, R: Rotator + 'static>(
    what: &str,
    fixture: &Arc<Fixture<E>>,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| tokio::spawn(work(Arc::clone(fixture), Arc::clone(&seen))))
        .collect();
    for number in 0..rotations {
        let before = seen.logins.load(Ordering::Relaxed);
        fixture
            .rotates(rotation, &format!("rotation-{number}"))
            .await;
        // Readers get to see each version.
        while seen.logins.load(Ordering::Relaxed) < before + WORKERS {
            tokio::task::yield_now().await;
        }
    }
    seen.stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("a worker that does not panic");
    }
    let logins = seen.logins.load(Ordering::Relaxed);
    let refused = seen.refused.lock().await.clone();
    let gap = *seen.gap.lock().await;
    println!(
        "{what}: {rotations} rotations, {logins} logins, refused: {refused:?}, longest gap {gap:?}"
    );
    seen
}

/// Reads what is current, logs in with it, and starts again.
async fn work<E: Edition>(fixture: Arc<Fixture<E>>, seen: Arc<Seen>) {
    let mut since = Instant::now();
    while !seen.stop.load(Ordering::Relaxed) {
        match fixture.current_logs_in().await {
            Ok(()) => {
                seen.logins.fetch_add(1, Ordering::Relaxed);
                let mut gap = seen.gap.lock().await;
                *gap = since.elapsed().max(*gap);
                since = Instant::now();
            }
            Err(code) => *seen.refused.lock().await.entry(code).or_default() += 1,
        }
    }
}

async fn no_refusal<E: Edition, R: Rotator + 'static>(
    what: &str,
    fixture: Fixture<E>,
    rotation: Rotation<MemoryStore, R>,
) {
    let seen = under_load(what, &Arc::new(fixture), &rotation, ROTATIONS).await;
    assert_eq!(*seen.refused.lock().await, BTreeMap::new());
    assert!(seen.logins.load(Ordering::Relaxed) > WORKERS * ROTATIONS);
}

fn builder<E: Edition>() -> harness::mysql::Builder<E> {
    let builder = Server::<E>::builder();
    // One wrong password too many would lock the account.
    match is_mysql::<E>() {
        true => builder,
        false => builder.setting("max_password_errors", "3"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_mysql_is_never_refused() {
    let fixture = Fixture::<MySql>::start_with(builder()).await;
    fixture
        .root("ALTER USER app FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1")
        .await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MySQL, by itself", fixture, rotation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_mysql_with_an_admin_is_never_refused() {
    let fixture = Fixture::<MySql>::start_with(builder()).await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MySQL, by an admin", fixture, rotation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_mariadb_is_never_refused() {
    let fixture = Fixture::<MariaDb>::start_with(builder()).await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    no_refusal("MariaDB, by an admin", fixture, rotation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_on_mysql_is_never_refused() {
    let pair = Pair::<MySql>::start().await;
    let rotation = pair.alternating();
    no_refusal("MySQL, a pair", pair.0, rotation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_on_mariadb_is_never_refused() {
    let mut fixture = crate::pair::with_objects(builder::<MariaDb>()).await;
    fixture
        .add_admin(crate::pair::OMNIPOTENT.get::<MariaDb>())
        .await;
    fixture.add_user("shopper", &["%", "localhost"]).await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = alternating(&fixture);
    no_refusal("MariaDB, a pair", fixture, rotation).await;
}

/// The one strategy that refuses logins, so that the others are seen to be measured.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_replaced_has_a_gap() {
    for in_place in [true, false] {
        let fixture = Fixture::<MySql>::start().await;
        let what = if in_place {
            "replaced in place"
        } else {
            "as a control: kept"
        };
        let old = if in_place {
            OldPassword::Replaced
        } else {
            OldPassword::default()
        };
        let rotation = fixture.single(old);
        let fixture = Arc::new(fixture);
        let seen = under_load(what, &fixture, &rotation, 10).await;
        let refused = seen.refused.lock().await.clone();
        let codes: Vec<_> = refused.keys().copied().collect();
        assert_eq!(
            codes,
            if in_place { vec![1045] } else { vec![] },
            "{refused:?}"
        );
        assert!(fixture.value(&Label::Previous, "password").await.is_some());
    }
}
