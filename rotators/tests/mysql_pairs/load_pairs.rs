//! Applications that log in without a pause while fifty rotations go by, with lock-out on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use secrets_core::event::{Step, VersionId};
use secrets_core::store::Label;
use secrets_core::testing::Driver;
use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinSet;

use crate::pair::Pair;
use crate::support::is_mysql;

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

/// What an application holds of a secret. It is renewed when the next rotation has begun (createSecret) and
/// not earlier: no cache whose time is shorter than the interval of rotations can be staler.
type Cache = RwLock<(String, String)>;

#[derive(Default)]
struct Counts {
    let_in: AtomicUsize,
    /// By the server's code.
    refused: Mutex<BTreeMap<u16, usize>>,
    stop: AtomicBool,
}

#[tokio::test]
async fn no_login_fails_on_mysql() {
    no_login_fails::<MySql>().await;
}

#[tokio::test]
async fn no_login_fails_on_mariadb() {
    no_login_fails::<MariaDb>().await;
}

/// Logs in with what the cache holds, again and again. A cache is not renewed in the middle of a login.
async fn log_in_without_a_pause<E: Edition>(
    pair: Arc<Pair<E>>,
    cache: Arc<Cache>,
    counts: Arc<Counts>,
) {
    while !counts.stop.load(Ordering::SeqCst) {
        let held = cache.read().await;
        match pair.log_in(&held.0, &held.1).await {
            Ok(()) => {
                counts.let_in.fetch_add(1, Ordering::SeqCst);
            }
            Err(code) => *counts.refused.lock().await.entry(code).or_default() += 1,
        }
    }
}

async fn no_login_fails<E: Edition>() {
    let (builder, rights, locked) = if is_mysql::<E>() {
        let rights = "ALTER USER $ FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1";
        (Server::<E>::builder(), rights, 3955)
    } else {
        let builder = Server::<E>::builder().setting("max_password_errors", "3");
        (builder, "GRANT SELECT ON shop.* TO $", 4150)
    };
    let mut pair = Pair::start_with(builder).await;
    pair.plain("worker", &["GRANT INSERT ON shop.* TO $", rights])
        .await;
    let pair = Arc::new(pair);
    let rotation = pair.alternating();
    let cache = Arc::new(RwLock::new(current(&pair).await));
    let counts = Arc::new(Counts::default());
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (pair, cache) = (Arc::clone(&pair), Arc::clone(&cache));
        workers.spawn(log_in_without_a_pause(pair, cache, Arc::clone(&counts)));
    }
    for n in 1..=ROTATIONS {
        let version = VersionId::from(format!("n{n}"));
        let driver = Driver::new(&pair.store, &rotation, &pair.secret);
        driver.begin(&version).expect("no other rotation");
        for step in Step::ALL {
            driver.send(step, &version).await.expect("a step");
            if step == Step::Create {
                *cache.write().await = current(&pair).await;
            }
        }
    }
    counts.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = workers.join_next().await {
        ended.expect("a worker that counted to the end");
    }
    let let_in = counts.let_in.load(Ordering::SeqCst);
    let refused = counts.refused.lock().await.clone();
    let version = pair.server.version();
    println!("a pair on {version}: {ROTATIONS} rotations, {let_in} logins, refused: {refused:?}");
    assert_eq!(refused, BTreeMap::new());
    assert!(let_in > ROTATIONS, "they were at it all the time: {let_in}");
    for label in [Label::Current, Label::Previous] {
        assert_eq!(pair.label_logs_in(&label).await, Ok(()));
    }
    // The counter-check: what was AWSCURRENT two rotations ago is refused, and locks the user.
    let (user, _) = current(&pair).await;
    let codes = [1, 2, 3, 4].map(async |_| pair.log_in(&user, "stale").await);
    let mut last = Ok(());
    for code in codes {
        last = code.await;
    }
    assert_eq!(last, Err(locked));
}

async fn current<E: Edition>(pair: &Pair<E>) -> (String, String) {
    let password = pair.value(&Label::Current, "password").await;
    (pair.current_user().await, password.expect("a password"))
}
