//! Which connections a pool hands out when the version changes, and what it does with a credential that is wrong.

use std::sync::Arc;

use secrets_core::client::ClientError;
use tokio::task::JoinSet;

use crate::support::{Failure, Reuse, Secret, TestPool, World, check_out, session, visit};

/// The version that was just put is what the application knows.
async fn learn(secret: &Secret) {
    let handle = secret.handle().await;
    handle.refresh().await.expect("a store that answers");
}

pub async fn user_name_and_password_change_together<P: TestPool, W: World>() {
    let world = W::start().await;
    let pool: Arc<P> = world.pool(1, Reuse::Yes).await;
    let (user, first) = visit(&*pool).await;
    assert_eq!(user, "app");
    world.add_user("app_clone", "second").await;
    world.secret().put("v1", "app_clone", "second");
    learn(world.secret()).await;
    let (user, second) = visit(&*pool).await;
    assert_eq!(user, "app_clone");
    assert_ne!(first, second);
    assert_eq!(world.refusals().await, 0);
}

pub async fn connections_of_an_older_version_are_not_handed_out_again<P: TestPool, W: World>() {
    let world = W::start().await;
    let pool: Arc<P> = world.pool(2, Reuse::Yes).await;
    let (mut one, mut other) = (check_out(&*pool).await, check_out(&*pool).await);
    let old = [
        session(&*pool, &mut one).await.1,
        session(&*pool, &mut other).await.1,
    ];
    pool.give_back(other).await;
    assert_eq!(
        visit(&*pool).await.1,
        old[1],
        "it is handed out again as long as nothing changes"
    );

    world.set_password("app", "second").await;
    world.secret().put("v1", "app", "second");
    learn(world.secret()).await;
    let mut new = check_out(&*pool).await;
    assert!(!old.contains(&session(&*pool, &mut new).await.1));
    assert_eq!(
        session(&*pool, &mut one).await.1,
        old[0],
        "what is in use stays in use"
    );
    pool.give_back(one).await;
    let mut further = check_out(&*pool).await;
    assert!(!old.contains(&session(&*pool, &mut further).await.1));
    pool.give_back(new).await;
    pool.give_back(further).await;

    // And what was made with the new version is kept: two connections take turns.
    let mut seen = Vec::new();
    for _ in 0..1000 {
        let next = visit(&*pool).await;
        if seen.iter().rev().take(2).any(|before| *before == next) {
            return;
        }
        seen.push(next);
    }
    panic!("each checkout logs in");
}

/// A version that has been refused, also after a refresh, is not presented with each checkout.
pub async fn a_wrong_password_is_presented_a_few_times_and_said_to_be_refused<
    P: TestPool,
    W: World,
>() {
    const CHECKOUTS: usize = 24;
    let world = W::start().await;
    world.secret().put("v1", "app", "wrong");
    let pool: Arc<P> = world.pool(8, Reuse::Yes).await;
    let mut checkouts = JoinSet::new();
    for _ in 0..CHECKOUTS / 3 {
        let pool = Arc::clone(&pool);
        checkouts.spawn(async move {
            let mut failures = Vec::new();
            for _ in 0..3 {
                failures.extend(pool.check_out().await.err());
            }
            failures
        });
    }
    let failures: Vec<Failure> = checkouts.join_all().await.into_iter().flatten().collect();
    assert_eq!(failures.len(), CHECKOUTS);
    let mut refused = 0;
    for failure in failures {
        match failure {
            Failure::Refused(last, ClientError::Refused { .. }) => {
                assert!(!last.contains("wrong"), "{last}");
                refused += 1;
            }
            Failure::Secret(ClientError::Refused { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    // The rest grows from one to thirty seconds; this takes one or two.
    let refusals = world.refusals().await;
    assert!((1..=5).contains(&refusals), "{refusals}");
    assert!((1..=refusals).contains(&refused), "{refused} of {refusals}");

    // As soon as the secret is right, so is the pool.
    world.set_password("app", "right").await;
    world.secret().put("v2", "app", "right");
    learn(world.secret()).await;
    assert_eq!(visit(&*pool).await.0, "app");
}
