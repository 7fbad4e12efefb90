//! The adapters for `PostgreSQL`.

use std::time::Duration;

use secrets_core::client::SecretHandle;
use secrets_pools::{DbLogin, bb8, deadpool_postgres, sqlx as rotating};
use sqlx::Row;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode, Postgres};
use tokio_postgres::NoTls;

use super::{Failure, Place, Reuse, TestPool};

const SESSION: &str = "SELECT current_user::text, pg_backend_pid()";

pub fn sqlx_options(place: &Place, login: &DbLogin) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(place.port)
        .database("postgres")
        .ssl_mode(PgSslMode::Disable)
        .username(login.username())
        .password(login.expose_password())
}

pub fn config(place: &Place, login: &DbLogin) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(place.port)
        .dbname("postgres")
        .user(login.username())
        .password(login.expose_password());
    config
}

pub struct Sqlx(pub rotating::RotatingPool<Postgres, DbLogin>, Reuse);

impl TestPool for Sqlx {
    type Held = PoolConnection<Postgres>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self {
        let place = place.clone();
        let settings = PgPoolOptions::new().max_connections(size);
        let options = move |login: &DbLogin| sqlx_options(&place, login);
        let pool = rotating::RotatingPool::connect_lazy(handle, settings, options);
        Self(pool.expect("a login"), reuse)
    }

    async fn check_out(&self) -> Result<Self::Held, Failure> {
        Ok(self.0.acquire().await?)
    }

    async fn session(&self, held: &mut Self::Held) -> Result<(String, u64), String> {
        let row = sqlx::query(SESSION).fetch_one(&mut **held).await;
        let row = row.map_err(|fault| fault.to_string())?;
        Ok((row.get(0), number(row.get(1))))
    }

    async fn give_back(&self, held: Self::Held) {
        if self.1 == Reuse::Never {
            let _ = held.close().await;
        }
    }
}

pub struct Deadpool(deadpool_postgres::Pool<DbLogin>, Reuse);

impl TestPool for Deadpool {
    type Held = deadpool::managed::Object<deadpool_postgres::Manager<DbLogin>>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self {
        let place = place.clone();
        let config = move |login: &DbLogin| config(&place, login);
        let manager = deadpool_postgres::Manager::new(handle, NoTls, config);
        let size = usize::try_from(size).expect("small");
        let pool = deadpool_postgres::Pool::builder(manager).max_size(size);
        Self(
            pool.build().expect("no timeouts that need a runtime"),
            reuse,
        )
    }

    async fn check_out(&self) -> Result<Self::Held, Failure> {
        match self.0.get().await {
            Ok(held) => Ok(held),
            Err(deadpool::managed::PoolError::Backend(fault)) => Err(fault.into()),
            Err(fault) => Err(Failure::Target(fault.to_string())),
        }
    }

    async fn session(&self, held: &mut Self::Held) -> Result<(String, u64), String> {
        let row = held.query_one(SESSION, &[]).await;
        let row = row.map_err(|fault| fault.to_string())?;
        Ok((row.get(0), number(row.get(1))))
    }

    async fn give_back(&self, held: Self::Held) {
        if self.1 == Reuse::Never {
            drop(Self::Held::take(held));
        }
    }
}

pub struct Bb8(::bb8::Pool<bb8::Manager<DbLogin>>);

impl TestPool for Bb8 {
    type Held = ::bb8::PooledConnection<'static, bb8::Manager<DbLogin>>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self {
        let place = place.clone();
        let config = move |login: &DbLogin| config(&place, login);
        let manager = bb8::Manager::new(handle, NoTls, config);
        let mut pool = ::bb8::Pool::builder().max_size(size);
        if reuse == Reuse::Never {
            pool = pool.max_lifetime(Duration::from_nanos(1));
        }
        Self(pool.build_unchecked(manager))
    }

    async fn check_out(&self) -> Result<Self::Held, Failure> {
        let held = self.0.get_owned().await;
        held.map_err(|fault| Failure::Target(format!("{fault:?}")))
    }

    async fn session(&self, held: &mut Self::Held) -> Result<(String, u64), String> {
        let row = held.query_one(SESSION, &[]).await;
        let row = row.map_err(|fault| fault.to_string())?;
        Ok((row.get(0), number(row.get(1))))
    }

    async fn give_back(&self, _: Self::Held) {}
}

fn number(process: i32) -> u64 {
    u64::try_from(process).expect("the id of a process")
}
