//! Applications that log in without a pause while fifty rotations go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::postgres::PostgresServer;
use rotators::postgres::PairLayout;
use secrets_core::event::{Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio_postgres::NoTls;

use crate::pair::Pair;
use crate::support::{FIRST, Fixture, server};

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

/// What an application holds of a secret. It is renewed when the next rotation has begun (createSecret) and
/// not earlier: no cache whose time is shorter than the interval of rotations can be staler.
type Cache = Arc<RwLock<(String, String)>>;

#[derive(Default)]
struct Counts {
    let_in: AtomicUsize,
    refused: AtomicUsize,
    stop: AtomicBool,
}

/// Logs in with what the cache holds, again and again. A cache is not renewed in the middle of a login.
async fn log_in_without_a_pause(config: tokio_postgres::Config, cache: Cache, counts: Arc<Counts>) {
    while !counts.stop.load(Ordering::SeqCst) {
        let held = cache.read().await;
        let mut config = config.clone();
        match config.user(&held.0).password(&held.1).connect(NoTls).await {
            Ok(_) => counts.let_in.fetch_add(1, Ordering::SeqCst),
            Err(fault) => {
                let code = fault.code().map(|state| state.code().to_owned());
                assert_eq!(code.as_deref(), Some("28P01"), "{fault:?}");
                counts.refused.fetch_add(1, Ordering::SeqCst)
            }
        };
    }
}

/// Gives how many logins were let in, and how many refused.
async fn under_load<R: Rotator>(
    fixture: &Fixture,
    rotation: &Rotation<MemoryStore, R>,
    login: impl AsyncFn() -> (String, String),
) -> (usize, usize) {
    let mut config = tokio_postgres::Config::new();
    let server: &PostgresServer = &fixture.server;
    config
        .host(server.host())
        .port(server.port())
        .dbname("postgres");
    let cache = Arc::new(RwLock::new(login().await));
    let counts = Arc::new(Counts::default());
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (cache, counts) = (Arc::clone(&cache), Arc::clone(&counts));
        workers.spawn(log_in_without_a_pause(config.clone(), cache, counts));
    }
    for n in 1..=ROTATIONS {
        let version = VersionId::from(format!("n{n}"));
        let driver = Driver::new(&fixture.store, rotation, &fixture.secret);
        driver.begin(&version).expect("no other rotation");
        for step in Step::ALL {
            driver.send(step, &version).await.expect("a step");
            if step == Step::Create {
                *cache.write().await = login().await;
            }
        }
    }
    counts.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = workers.join_next().await {
        ended.expect("a worker that counted to the end");
    }
    (
        counts.let_in.load(Ordering::SeqCst),
        counts.refused.load(Ordering::SeqCst),
    )
}

async fn no_login_fails(major: u32, layout: PairLayout) {
    let pair = Pair::start(server(major), "app").await;
    pair.admin("ALTER ROLE app CONNECTION LIMIT -1").await;
    let rotation = pair.pair_rotation(layout);
    let login = async || pair.login(&Label::Current).await;
    let (let_in, refused) = under_load(&pair, &rotation, login).await;
    println!(
        "{layout:?} on PostgreSQL {major}: {ROTATIONS} rotations, {let_in} logins, {refused} refused"
    );
    assert_eq!(refused, 0);
    assert!(
        let_in > ROTATIONS,
        "workers were at it all the time: {let_in}"
    );
}

// Each layout on one version.

#[tokio::test]
async fn no_login_fails_with_an_owner_role() {
    no_login_fails(18, PairLayout::Owner).await;
}

#[tokio::test]
async fn no_login_fails_with_a_member() {
    no_login_fails(15, PairLayout::Member).await;
}

/// The counter-check, and the measure of the gap: the same load, and one user.
#[tokio::test]
async fn with_a_single_user_logins_fail() {
    let major = 18;
    let fixture = Fixture::start(server(major)).await;
    assert_eq!(fixture.password(&Label::Current).await, FIRST);
    let rotation = fixture.rotation();
    let login = async || ("app".to_owned(), fixture.password(&Label::Current).await);
    let (let_in, refused) = under_load(&fixture, &rotation, login).await;
    println!(
        "single user on PostgreSQL {major}: {ROTATIONS} rotations, {let_in} logins, {refused} refused"
    );
    assert!(refused > 0, "one user cannot be without a gap");
}
