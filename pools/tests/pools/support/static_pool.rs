//! What applications have without the adapters: a pool that was given a password once.

use secrets_core::client::SecretHandle;
use secrets_pools::DbLogin;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Database, Pool};

use super::{Failure, Place, Reuse, TestPool, mysql_pools, postgres_pools};

/// Each checkout logs in.
pub struct Static<DB: Database>(Pool<DB>);

/// How such a pool is told where to log in.
pub trait Options: Database {
    fn options(place: &Place, login: &DbLogin) -> <Self::Connection as Connection>::Options;
}

impl Options for sqlx::Postgres {
    fn options(place: &Place, login: &DbLogin) -> sqlx::postgres::PgConnectOptions {
        postgres_pools::sqlx_options(place, login)
    }
}

impl Options for sqlx::MySql {
    fn options(place: &Place, login: &DbLogin) -> sqlx::mysql::MySqlConnectOptions {
        mysql_pools::sqlx_options(place, login)
    }
}

impl<DB: Options> TestPool for Static<DB> {
    type Held = PoolConnection<DB>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, _: Reuse) -> Self {
        let options = DB::options(place, &handle.current().expect("a login"));
        let pool = PoolOptions::new().max_connections(size);
        Self(pool.connect_lazy_with(options))
    }

    async fn check_out(&self) -> Result<Self::Held, Failure> {
        let held = self.0.acquire().await;
        held.map_err(|fault| Failure::Target(format!("{fault:?}")))
    }

    async fn session(&self, held: &mut Self::Held) -> Result<(String, u64), String> {
        let alive = held.ping().await;
        alive.map_err(|fault| fault.to_string())?;
        Ok((String::new(), 0))
    }

    async fn give_back(&self, held: Self::Held) {
        let _ = held.close().await;
    }
}
