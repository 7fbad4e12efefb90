//! For `bb8`, with the clients of `tokio-postgres`.
//!
//! ```
//! use secrets_core::client::SecretHandle;
//! use secrets_pools::DbLogin;
//! use secrets_pools::bb8::Manager;
//! use tokio_postgres::{Config, NoTls};
//!
//! # async fn run(db: SecretHandle<DbLogin>) -> Result<(), Box<dyn std::error::Error>> {
//! let manager = Manager::new(db, NoTls, |login: &DbLogin| {
//!     let mut config = Config::new();
//!     config.host("db.example").dbname("app").user(login.username()).password(login.expose_password());
//!     config
//! });
//! let pool = bb8::Pool::builder().max_size(16).build(manager).await?;
//! let client = pool.get().await?;
//! client.query_one("SELECT 1", &[]).await?;
//! # Ok(())
//! # }
//! ```

use std::fmt;

use ::bb8::ManageConnection;
use secrets_core::client::{ConnectError, FromSecret, SecretHandle};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Error, Socket};

use crate::logins::{Connection, Logins};
use crate::postgres::{self, Connect};

/// What the pool hands out: used as a `tokio_postgres::Client`.
pub type Client = Connection<tokio_postgres::Client>;

/// Makes connections with what a secret holds, and retires those that were made with an older version.
///
/// `bb8` connects in tasks of its own. So `Pool::get` says `TimedOut` where no connection could be made, and why, a
/// [`Fault`], is told to the pool's `error_sink`.
pub struct Manager<T> {
    logins: Logins<T>,
    connect: Connect<T>,
}

/// Why a connection was not made, or is not handed out again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError<Error>),
    /// The connection does not answer any more.
    #[error("the connection to PostgreSQL is broken; the pool makes another one")]
    Broken(#[source] Error),
    /// The connection was made with an older version of the secret.
    #[error("a newer version of the secret is current; the pool makes another connection")]
    Outdated,
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
        }
    }
}

impl<T: FromSecret> ManageConnection for Manager<T> {
    type Connection = Client;
    type Error = Fault;

    async fn connect(&self) -> Result<Client, Fault> {
        let connect = |login: &T| {
            let connecting = (self.connect)(login);
            // The task ends with its client.
            async move { connecting.await.map(|(client, _)| client) }
        };
        let client = self.logins.log_in(connect, postgres::is_refusal).await?;
        Ok(client)
    }

    async fn is_valid(&self, client: &mut Client) -> Result<(), Fault> {
        if self.logins.outdated(client) {
            return Err(Fault::Outdated);
        }
        client.simple_query("").await.map_err(Fault::Broken)?;
        Ok(())
    }

    fn has_broken(&self, client: &mut Client) -> bool {
        client.is_closed() || self.logins.outdated(client)
    }
}

impl<T> fmt::Debug for Manager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}
