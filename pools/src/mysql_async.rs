//! For `mysql_async`, in pools of `deadpool`.
//!
//! The pool of `mysql_async` itself takes its options once, and tells nobody of a refused login; so its connections
//! are kept in another one here, as they are.
//!
//! ```
//! use mysql_async::prelude::Queryable;
//! use mysql_async::{Opts, OptsBuilder};
//! use secrets_core::client::SecretHandle;
//! use secrets_pools::DbLogin;
//! use secrets_pools::mysql_async::{Manager, Pool};
//!
//! # async fn run(db: SecretHandle<DbLogin>) -> Result<(), Box<dyn std::error::Error>> {
//! let manager = Manager::new(db, |login: &DbLogin| {
//!     OptsBuilder::default()
//!         .ip_or_hostname("db.example")
//!         .db_name(Some("app"))
//!         .user(Some(login.username()))
//!         .pass(Some(login.expose_password()))
//!         .into()
//! });
//! let pool: Pool<DbLogin> = Pool::builder(manager).max_size(16).build()?;
//! let mut connection = pool.get().await?;
//! connection.query_drop("SELECT 1").await?;
//! # Ok(())
//! # }
//! ```

use std::fmt;

use ::mysql_async::{Conn, Error, Opts};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use secrets_core::client::{ConnectError, FromSecret, SecretHandle};

use crate::logins::{Connection, Logins};

/// A pool of `MySQL` or `MariaDB` connections.
pub type Pool<T> = managed::Pool<Manager<T>>;

/// Makes connections with what a secret holds, and retires those that were made with an older version.
///
/// `Pool::get` fails with [`ConnectError`], inside of `PoolError::Backend`. A connection is reset before it is handed
/// out again (`COM_RESET_CONNECTION`), which servers older than `MySQL` 5.7.3 or `MariaDB` 10.2.4 do not know.
pub struct Manager<T> {
    logins: Logins<T>,
    options: Box<dyn Fn(&T) -> Opts + Send + Sync>,
}

impl<T: FromSecret> Manager<T> {
    /// `options` is called for each connection: user name and password are to come from the `T`, and may differ from
    /// one version to the next.
    pub fn new(
        handle: SecretHandle<T>,
        options: impl Fn(&T) -> Opts + Send + Sync + 'static,
    ) -> Self {
        Self {
            logins: Logins::new(handle),
            options: Box::new(options),
        }
    }
}

impl<T: FromSecret> managed::Manager for Manager<T> {
    type Type = Connection<Conn>;
    type Error = ConnectError<Error>;

    async fn create(&self) -> Result<Connection<Conn>, ConnectError<Error>> {
        let connect = |login: &T| Conn::new((self.options)(login));
        self.logins.log_in(connect, is_refusal).await
    }

    async fn recycle(
        &self,
        connection: &mut Connection<Conn>,
        _: &Metrics,
    ) -> RecycleResult<ConnectError<Error>> {
        if self.logins.outdated(connection) {
            return Err(RecycleError::message(
                "a newer version of the secret is current",
            ));
        }
        let reset = connection.reset().await;
        reset.map_err(|fault| RecycleError::Backend(ConnectError::Target(fault)))?;
        Ok(())
    }
}

/// Whether the server means by it that the user or the password is wrong: `ER_ACCESS_DENIED_ERROR` and
/// `ER_ACCESS_DENIED_NO_PASSWORD_ERROR`.
///
/// Source: `MySQL` Server Error Message Reference.
fn is_refusal(fault: &Error) -> bool {
    matches!(fault, Error::Server(fault) if matches!(fault.code, 1045 | 1698))
}

impl<T> fmt::Debug for Manager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manager")
            .field("logins", &self.logins)
            .finish_non_exhaustive()
    }
}
