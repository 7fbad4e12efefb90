//! Rotations of a single user under load: between setSecret and finishSecret the server wants what AWSPENDING holds.

use std::sync::Arc;

use secrets_core::event::{Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;

use crate::support::load::Load;
use crate::support::{Reuse, TestPool, World};

/// A pool in use, of which each checkout logs in.
async fn loaded<P: TestPool>(world: &impl World, workers: u32) -> Load {
    let mut load = Load::default();
    let pool: Arc<P> = world.pool(workers, Reuse::Never).await;
    load.add(&pool, workers);
    load.pass().await;
    load
}

async fn rotate<R: Rotator>(
    world: &impl World,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
    mut after: impl AsyncFnMut(Step),
) {
    let secret = world.secret();
    let driver = Driver::new(&secret.store, rotation, &secret.id);
    for number in 1..=rotations {
        let version = VersionId::from(format!("v{number}"));
        driver.begin(&version).expect("no other rotation");
        for step in Step::ALL {
            driver.send(step, &version).await.expect("a step");
            after(step).await;
        }
    }
}

/// Each checkout logs in, and none fails. Gives how many there were.
pub async fn under_load<P: TestPool, R: Rotator>(
    world: &impl World,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
    workers: u32,
    mut between: impl AsyncFnMut(),
) -> usize {
    let mut load = loaded::<P>(world, workers).await;
    rotate(world, rotation, rotations, async |step| {
        // In the gap, and after it.
        if matches!(step, Step::Set | Step::Finish) {
            load.pass().await;
            between().await;
        }
    })
    .await;
    let report = load.end().await;
    assert_eq!(report.failures, Vec::<String>::new());
    let least = rotations * 2 * 2 * usize::try_from(workers).expect("few");
    assert!(report.let_in >= least, "{}", report.let_in);
    report.let_in
}

/// Rotations that follow each other as fast as they can, and wait for no checkout.
pub async fn without_a_pause<P: TestPool, R: Rotator>(
    world: &impl World,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
    workers: u32,
) {
    let mut load = loaded::<P>(world, workers).await;
    rotate(world, rotation, rotations, async |_| {}).await;
    load.pass().await;
    let report = load.end().await;
    assert_eq!(report.failures, Vec::<String>::new());
    println!("{rotations} rotations, {} logins, 0 failed", report.let_in);
}

/// The same beside a pool that was given a password once, which fails.
pub async fn beside_a_static_pool<P: TestPool, S: TestPool, R: Rotator>(
    world: &impl World,
    rotation: &Rotation<MemoryStore, R>,
    rotations: usize,
) {
    let fixed: Arc<S> = world.pool(1, Reuse::Never).await;
    let (mut works, mut fails) = (0, 0);
    let mut visit = async || match fixed.check_out().await {
        Ok(held) => {
            fixed.give_back(held).await;
            works += 1;
        }
        Err(_) => fails += 1,
    };
    visit().await;
    let logins = under_load::<P, R>(world, rotation, rotations, 2, &mut visit).await;
    println!("{rotations} rotations, {logins} logins, 0 failed; of a static pool {fails} failed");
    assert!(works > 0, "it worked at first");
    assert!(fails > 0, "a static pool outlives no rotation");
}
