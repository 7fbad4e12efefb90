//! Throw-away `MariaDB` servers: all that [`mysql`](crate::mysql) says, and its builder.

pub use crate::mysql::MariaDb;

/// A `MariaDB` server; stopped, and its folder removed, on drop.
pub type MariaDbServer = crate::mysql::Server<MariaDb>;
