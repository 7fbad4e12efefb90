//! For `deadpool`, with the clients of `deadpool-postgres`, their cache of statements included.
//!
//! ```
//! use secrets_core::client::SecretHandle;
//! use secrets_pools::DbLogin;
//! use secrets_pools::deadpool_postgres::{Manager, Pool};
//! use tokio_postgres::{Config, NoTls};
//!
//! # async fn run(db: SecretHandle<DbLogin>) -> Result<(), Box<dyn std::error::Error>> {
//! let manager = Manager::new(db, NoTls, |login: &DbLogin| {
//!     let mut config = Config::new();
//!     config.host("db.example").dbname("app").user(login.username()).password(login.expose_password());
//!     config
//! });
//! let pool: Pool<DbLogin> = Pool::builder(manager).max_size(16).build()?;
//! let client = pool.get().await?;
//! client.query_one("SELECT 1", &[]).await?;
//! # Ok(())
//! # }
//! ```

use std::fmt;

use ::deadpool_postgres::{ClientWrapper, RecyclingMethod};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use secrets_core::client::{ConnectError, FromSecret, SecretHandle};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Error, Socket};

use crate::logins::{Connection, Logins};
use crate::postgres::{self, Connect};

/// A pool of `PostgreSQL` connections.
pub type Pool<T> = managed::Pool<Manager<T>>;

/// What [`Pool`] hands out: used as a `deadpool_postgres::ClientWrapper`.
pub type Client = Connection<ClientWrapper>;

/// Makes connections with what a secret holds, and retires those that were made with an older version.
///
/// `Pool::get` fails with [`ConnectError`], inside of `PoolError::Backend`.
pub struct Manager<T> {
    logins: Logins<T>,
    connect: Connect<T>,
    recycling: RecyclingMethod,
}

impl<T: FromSecret> Manager<T> {
    /// `config` is called for each connection: user name and password are to come from the `T`, and may differ from
    /// one version to the next.
    pub fn new<M>(
        handle: SecretHandle<T>,
        tls: M,
        config: impl Fn(&T) -> Config + Send + Sync + 'static,
    ) -> Self
    where
        M: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        M::Stream: Send,
        M::TlsConnect: Send,
        <M::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Self {
            logins: Logins::new(handle),
            connect: postgres::connect(tls, config),
            recycling: RecyclingMethod::default(),
        }
    }

    /// What is done with a connection before it is handed out again. Default: it must not be closed.
    #[must_use]
    pub fn recycling_method(mut self, method: RecyclingMethod) -> Self {
        self.recycling = method;
        self
    }
}

impl<T: FromSecret> managed::Manager for Manager<T> {
    type Type = Client;
    type Error = ConnectError<Error>;

    async fn create(&self) -> Result<Client, ConnectError<Error>> {
        let connect = |login: &T| {
            let connecting = (self.connect)(login);
            async move {
                let (client, task) = connecting.await?;
                Ok(ClientWrapper::new(client, task))
            }
        };
        self.logins.log_in(connect, postgres::is_refusal).await
    }

    async fn recycle(
        &self,
        client: &mut Client,
        _: &Metrics,
    ) -> RecycleResult<ConnectError<Error>> {
        if client.is_closed() {
            return Err(RecycleError::message("the connection is closed"));
        }
        if self.logins.outdated(client) {
            return Err(RecycleError::message(
                "a newer version of the secret is current",
            ));
        }
        if let Some(statements) = self.recycling.query() {
            let done = client.simple_query(statements).await;
            done.map_err(|fault| RecycleError::Backend(ConnectError::Target(fault)))?;
        }
        Ok(())
    }
}

impl<T> fmt::Debug for Manager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}
