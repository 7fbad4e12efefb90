//! A pool of sqlx whose password is rotated three times under load, beside one that was given the password once.
//!
//! ```text
//! cargo run --example sqlx_pool_through_rotations
//! ```
//!
//! It needs PostgreSQL's server programs. Exits with 1 if a checkout of the first pool failed.
#![allow(clippy::print_stdout, reason = "a program for people to watch")]

#[path = "../rotating_database.rs"]
mod rotating_database;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rotating_database::{Fault, RotatingDatabase};
use secrets_core::client::ConnectError;
use secrets_pools::DbLogin;
use secrets_pools::sqlx::RotatingPool;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode, Postgres};
use sqlx::{Connection, query_scalar};

type Pool = RotatingPool<Postgres, DbLogin>;

#[derive(Default)]
struct Counts {
    checkouts: AtomicUsize,
    failed: AtomicUsize,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Fault> {
    let database = RotatingDatabase::start().await?;
    let db = database.handle().await?;
    let server = PgConnectOptions::new_without_pgpass()
        .host(database.server.host())
        .port(database.server.port())
        .database("postgres")
        .ssl_mode(PgSslMode::VerifyFull)
        .ssl_root_cert_from_pem(database.server.ca_pem().into_bytes());
    let options = move |login: &DbLogin| {
        server
            .clone()
            .username(login.username())
            .password(login.expose_password())
    };
    let fixed: PgPool = PgPoolOptions::new().connect_lazy_with(options(&*db.current()?));
    let pool = RotatingPool::connect_lazy(db, PgPoolOptions::new().max_connections(4), options)?;

    let counts = Arc::new(Counts::default());
    let load: Vec<_> = (0..2)
        .map(|_| tokio::spawn(check_out_without_a_pause(pool.clone(), Arc::clone(&counts))))
        .collect();
    println!(
        "{:<16} {:>9} {:>7}   a pool with a fixed password",
        "", "checkouts", "failed"
    );
    for version in 1..=3 {
        let after = async |step| {
            let before = counts.checkouts.load(Ordering::SeqCst);
            while counts.checkouts.load(Ordering::SeqCst) < before + 10 {
                // The workers count, and tell nobody.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            let checkouts = counts.checkouts.load(Ordering::SeqCst);
            let failed = counts.failed.load(Ordering::SeqCst);
            println!(
                "{step:<16} {checkouts:>9} {failed:>7}   {}",
                visit(&fixed).await
            );
            Ok(())
        };
        println!("rotation {version}");
        database.rotate(&format!("v{version}"), after).await?;
    }
    for worker in load {
        worker.abort();
    }
    let failed = counts.failed.load(Ordering::SeqCst);
    println!("\nfailed checkouts: {failed}");
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Each time with a new connection, the hard case: it is closed and not given back.
async fn check_out_without_a_pause(pool: Pool, counts: Arc<Counts>) {
    loop {
        let used = async {
            let mut connection = pool.acquire().await?;
            let user: String = query_scalar("SELECT current_user::text")
                .fetch_one(&mut *connection)
                .await
                .map_err(ConnectError::Target)?;
            connection.close().await.map_err(ConnectError::Target)?;
            Ok::<_, ConnectError<sqlx::Error>>(user)
        };
        if let Err(fault) = used.await {
            println!("{fault}");
            counts.failed.fetch_add(1, Ordering::SeqCst);
        }
        counts.checkouts.fetch_add(1, Ordering::SeqCst);
    }
}

async fn visit(pool: &PgPool) -> &'static str {
    let Ok(mut connection) = pool.acquire().await else {
        return "is refused";
    };
    let alive = connection.ping().await.is_ok();
    let closed = connection.close().await.is_ok();
    if alive && closed {
        "works"
    } else {
        "is cut off"
    }
}
