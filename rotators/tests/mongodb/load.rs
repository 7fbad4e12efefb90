//! Workers that log in without a pause while one rotation follows the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rotators::mongodb::{MongoDbCredential, SingleUser};
use secrets_core::event::VersionId;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use tokio::time::Instant;

use crate::support::{SECRET, Stage, with_admin};

const ROTATIONS: usize = 50;

/// Logins that were tried, and refused.
#[derive(Default)]
struct Count {
    all: AtomicUsize,
    refused: AtomicUsize,
}

/// Logs in with what `AWSCURRENT` holds; `stale` keeps it until the version after it is published.
async fn work(
    store: MemoryStore,
    rotator: SingleUser<MemoryStore>,
    stale: bool,
    done: Arc<AtomicBool>,
    count: Arc<Count>,
) {
    let secret = SECRET.into();
    let mut held = store
        .get(&secret, &Version::CURRENT)
        .await
        .expect("a value");
    while !done.load(Ordering::Relaxed) {
        let current = store
            .get(&secret, &Version::CURRENT)
            .await
            .expect("a value");
        let login = if stale { &held } else { &current };
        let credential = MongoDbCredential::try_from(&login.document).expect("a credential");
        let deadline = Instant::now() + Duration::from_secs(30);
        let cx = Context::new(secret.clone(), current.id.clone(), deadline);
        let verdict = rotator.test(&credential, &cx).await.expect("an answer");
        count.all.fetch_add(1, Ordering::Relaxed);
        if verdict == Verdict::Rejected && is_in_use(&store, &login.id).await {
            count.refused.fetch_add(1, Ordering::Relaxed);
        }
        held = current;
    }
}

/// A worker that was held up for longer than a version was current or previous has no promise.
async fn is_in_use(store: &MemoryStore, id: &VersionId) -> bool {
    for label in [Label::Current, Label::Previous] {
        let now = store.get(&SECRET.into(), &Version::Labelled(label)).await;
        if now.is_ok_and(|now| now.id == *id) {
            return true;
        }
    }
    false
}

async fn refused<R: Rotator>(
    stage: &Stage,
    rotation: Rotation<MemoryStore, R>,
    workers: &[bool],
) -> (usize, usize) {
    let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(Count::default()));
    let workers: Vec<_> = workers
        .iter()
        .map(|&stale| {
            let rotator = SingleUser::new(stage.store.clone(), stage.settings());
            let (done, count) = (Arc::clone(&done), Arc::clone(&count));
            tokio::spawn(work(stage.store.clone(), rotator, stale, done, count))
        })
        .collect();
    for number in 0..ROTATIONS {
        stage
            .rotates(&rotation, &format!("rotation {number}"))
            .await;
    }
    done.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("it worked to the end");
    }
    (
        count.all.load(Ordering::Relaxed),
        count.refused.load(Ordering::Relaxed),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_is_refused_while_users_take_turns() {
    let stage = Stage::start(&with_admin()).await;
    // A cache that is as stale as it may be: what it holds was current one promotion ago.
    let (all, refused) = refused(&stage, stage.pair(), &[false, false, true]).await;
    println!("two users of MongoDB: of {all} logins {refused} refused in {ROTATIONS} rotations");
    assert!(all > ROTATIONS);
    assert_eq!(refused, 0);
}

/// One password: the gap that the profile declares is there, and ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_has_a_gap() {
    let stage = Stage::start(&with_admin()).await;
    let (all, refused) = refused(&stage, stage.single(), &[false, false]).await;
    println!("one user of MongoDB: of {all} logins {refused} refused in {ROTATIONS} rotations");
    assert!(refused > 0 && refused < all);
}
