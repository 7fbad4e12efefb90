//! Connection pools that survive the rotation of their credential.
//!
//! A pool that was given a password keeps it: the next connection it opens after a rotation is refused. The
//! adapters of this crate ask a [`SecretHandle`] for each connection instead, user name and password, and tell it
//! what the database says:
//!
//! | feature | use | for |
//! |---|---|---|
//! | `sqlx-postgres`, `sqlx-mysql` | [`sqlx::RotatingPool`] | `sqlx` |
//! | `deadpool-postgres` | [`deadpool_postgres::Manager`] | `deadpool`, with the clients of `deadpool-postgres` |
//! | `bb8` | [`bb8::Manager`] | `bb8`, with the clients of `tokio-postgres` |
//! | `mysql-async` | [`mysql_async::Manager`] | `deadpool`, with the connections of `mysql_async` |
//!
//! # What all of them promise
//! - **A checkout does not fail since a password rotates.** Where a login is refused, what is current according to
//!   the store is tried, then what AWSPENDING holds, if the client may
//!   [`try_pending`](secrets_core::client::Builder::try_pending): it needs that for targets that hold one password.
//! - **A connection of an older version is not handed out again** once a newer one is current. Those that are in use
//!   stay as they are. A store that cannot be asked retires nothing.
//! - **No account gets locked.** A pool logs in once at a time while it grows, tries each version once, and leaves a
//!   refused one alone for a second, doubled with each refusal up to 30.
//!
//! A refusal is what the database means by "wrong user or password": SQLSTATE `28P01` and `28000` of `PostgreSQL`,
//! errors 1045 and 1698 of `MySQL` and `MariaDB`. Everything else is handed on at once, a locked account (3118,
//! 4151) as well.
//!
//! [`SecretHandle`]: secrets_core::client::SecretHandle

#[cfg(feature = "bb8")]
pub mod bb8;
#[cfg(feature = "deadpool-postgres")]
pub mod deadpool_postgres;
#[cfg(feature = "mysql-async")]
pub mod mysql_async;
#[cfg(any(feature = "sqlx-postgres", feature = "sqlx-mysql"))]
pub mod sqlx;

mod login;
#[cfg(any(
    feature = "bb8",
    feature = "deadpool-postgres",
    feature = "mysql-async"
))]
mod logins;
#[cfg(any(feature = "bb8", feature = "deadpool-postgres"))]
mod postgres;

#[cfg(any(
    feature = "bb8",
    feature = "deadpool-postgres",
    feature = "mysql-async",
    feature = "sqlx-mysql",
    feature = "sqlx-postgres"
))]
mod turn;

pub use login::DbLogin;
#[cfg(any(
    feature = "bb8",
    feature = "deadpool-postgres",
    feature = "mysql-async"
))]
pub use logins::Connection;
pub use secrets_core::client::ConnectError;
