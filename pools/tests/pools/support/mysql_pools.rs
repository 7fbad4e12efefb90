//! The adapters for `MySQL` and `MariaDB`.

use mysql_async::prelude::Queryable;
use mysql_async::{OptsBuilder, SslOpts};
use secrets_core::client::SecretHandle;
use secrets_pools::{DbLogin, mysql_async as manager, sqlx as rotating};
use sqlx::Row;
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode};
use sqlx::pool::PoolConnection;

use super::{Failure, Place, Reuse, TestPool};

const SESSION: &str =
    "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1), CAST(CONNECTION_ID() AS UNSIGNED)";

pub fn sqlx_options(place: &Place, login: &DbLogin) -> MySqlConnectOptions {
    MySqlConnectOptions::new()
        .host("127.0.0.1")
        .port(place.port)
        .ssl_mode(MySqlSslMode::VerifyCa)
        .ssl_ca_from_pem(place.ca_pem.clone().into_bytes())
        .username(login.username())
        .password(login.expose_password())
}

pub fn login_options(place: &Place, username: &str, password: &str) -> mysql_async::Opts {
    let root = place.ca_pem.clone().into_bytes().into();
    let tls = SslOpts::default()
        .with_disable_built_in_roots(true)
        .with_root_certs(vec![root]);
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .tcp_port(place.port)
        .prefer_socket(false)
        .ssl_opts(Some(tls))
        .user(Some(username))
        .pass(Some(password))
        .into()
}

pub struct Sqlx(pub rotating::RotatingPool<MySql, DbLogin>, Reuse);

impl TestPool for Sqlx {
    type Held = PoolConnection<MySql>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self {
        let place = place.clone();
        let settings = MySqlPoolOptions::new().max_connections(size);
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
        Ok((row.get(0), row.get(1)))
    }

    async fn give_back(&self, held: Self::Held) {
        if self.1 == Reuse::Never {
            let _ = held.close().await;
        }
    }
}

pub struct MySqlAsync(manager::Pool<DbLogin>, Reuse);

impl TestPool for MySqlAsync {
    type Held = deadpool::managed::Object<manager::Manager<DbLogin>>;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self {
        let place = place.clone();
        let options =
            move |login: &DbLogin| login_options(&place, login.username(), login.expose_password());
        let manager = manager::Manager::new(handle, options);
        let size = usize::try_from(size).expect("small");
        let pool = manager::Pool::builder(manager).max_size(size).build();
        Self(pool.expect("no timeouts that need a runtime"), reuse)
    }

    async fn check_out(&self) -> Result<Self::Held, Failure> {
        match self.0.get().await {
            Ok(held) => Ok(held),
            Err(deadpool::managed::PoolError::Backend(fault)) => Err(fault.into()),
            Err(fault) => Err(Failure::Target(fault.to_string())),
        }
    }

    async fn session(&self, held: &mut Self::Held) -> Result<(String, u64), String> {
        let row = held.query_first(SESSION).await;
        let row: Option<(String, u64)> = row.map_err(|fault| fault.to_string())?;
        row.ok_or_else(|| "no row".to_owned())
    }

    async fn give_back(&self, held: Self::Held) {
        if self.1 == Reuse::Never {
            let connection = Self::Held::take(held).into_inner();
            let _ = connection.disconnect().await;
        }
    }
}
