//! What a pool of sqlx offers besides checkouts.

use std::time::Duration;

use secrets_core::client::ConnectError;
use sqlx::{Acquire, Connection, query_scalar};
use tokio::time::timeout;

use crate::postgres::PostgresWorld;
use crate::support::postgres_pools::Sqlx;
use crate::support::{Reuse, TestPool, World, check_out, session, visit};

const USER: &str = "SELECT current_user::text";

#[tokio::test]
async fn transactions_and_whatever_takes_an_acquire_go_the_same_way() {
    let world = PostgresWorld::start().await;
    let pool = &world.pool::<Sqlx>(2, Reuse::Yes).await.0;
    world.set_password("app", "second").await;
    world.secret().put("v1", "app", "second");

    // The first of them is refused, and goes on with what is current in the store.
    let mut transaction = pool.begin().await.expect("a transaction");
    let user: String = query_scalar(USER)
        .fetch_one(&mut *transaction)
        .await
        .expect("a row");
    assert_eq!(user, "app");
    transaction.commit().await.expect("nothing to write");
    let mut connection = Acquire::acquire(pool).await.expect("a connection");
    connection.ping().await.expect("a connection that works");
    Acquire::begin(pool)
        .await
        .expect("a transaction")
        .rollback()
        .await
        .expect("nothing done");
    assert_eq!(world.refusals().await, 1);

    world.set_password("app", "third").await;
    connection.close().await.expect("closed");
    pool.pool().close().await;
    let closed = pool.acquire().await;
    assert!(
        matches!(closed, Err(ConnectError::Target(sqlx::Error::PoolClosed))),
        "{closed:?}"
    );
    assert!(matches!(
        Acquire::begin(pool).await,
        Err(sqlx::Error::PoolClosed)
    ));
}

#[tokio::test]
async fn while_every_version_is_refused_open_connections_go_on() {
    let world = PostgresWorld::start().await;
    let pool = world.pool::<Sqlx>(2, Reuse::Yes).await;
    let mut open = check_out(&*pool).await;
    let before = session(&*pool, &mut open).await;
    world.set_password("app", "changed by hand").await;
    pool.0.acquire().await.expect_err("a wrong password");
    pool.give_back(open).await;
    for _ in 0..3 {
        // sqlx takes connections back in a task of its own.
        let back = async {
            while pool.0.pool().num_idle() == 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), back)
            .await
            .expect("the connection is back");
        assert_eq!(visit(&*pool).await, before);
    }
    assert_eq!(world.refusals().await, 1);
}

#[tokio::test]
async fn the_plain_pool_is_given_the_newest_options() {
    let world = PostgresWorld::start().await;
    let pool = world.pool::<Sqlx>(2, Reuse::Yes).await;
    let plain = pool.0.pool().clone();
    world.add_user("app_clone", "second").await;
    world.secret().put("v1", "app_clone", "second");
    let handle = world.secret().handle().await;
    handle.refresh().await.expect("a store that answers");
    let told = async {
        while plain.connect_options().get_username() != "app_clone" {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), told)
        .await
        .expect("new options");
    let user: String = query_scalar(USER).fetch_one(&plain).await.expect("a row");
    assert_eq!(user, "app_clone");
}

#[tokio::test]
async fn neither_pool_nor_error_shows_a_password() {
    let world = PostgresWorld::start().await;
    let pool = &world.pool::<Sqlx>(2, Reuse::Yes).await.0;
    let shown = format!("{pool:?}");
    assert!(
        shown.contains("app/db") && !shown.contains("sentinel"),
        "{shown}"
    );
    world.set_password("app", "second").await;
    let fault = pool.acquire().await.expect_err("a wrong password");
    assert!(matches!(fault, ConnectError::Refused { .. }), "{fault:?}");
    let shown = format!("{fault:?} {fault}");
    assert!(!shown.contains("sentinel"), "{shown}");
}
