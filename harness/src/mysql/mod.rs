//! Throw-away `MySQL` servers, and what they share with [`mariadb`](crate::mariadb).
//!
//! Each server has its own data folder in the temporary directory, a port below 32768 on
//! 127.0.0.1, a Unix socket, and a certificate of a [`TestCa`](crate::tls::TestCa). The data folder
//! is made once per version and copied for each server. There is one account, `root@localhost`;
//! both servers take 127.0.0.1 for `localhost`.
//!
//! A test for both kinds takes `&Server<E>` with `E: Edition`.

mod builder;
mod edition;
mod server;
mod template;

pub use builder::Builder;
pub use edition::{Edition, MariaDb, MySql};
pub use server::Server;

/// A `MySQL` server; stopped, and its folder removed, on drop.
pub type MySqlServer = Server<MySql>;
