//! Throw-away `PostgreSQL` servers.
//!
//! Each server has its own data folder in the temporary directory, a port below 32768 on
//! 127.0.0.1, a Unix socket, and a certificate of a [`TestCa`](crate::tls::TestCa). The cluster is
//! made once per version and copied for each server.

mod builder;
mod install;
mod server;
mod standby;
mod template;

pub use builder::PostgresBuilder;
pub use install::PostgresInstall;
pub use server::PostgresServer;
