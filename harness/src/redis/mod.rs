//! Throw-away Redis and Valkey servers.
//!
//! Each server has its own folder in the temporary directory, a port below 32768 on 127.0.0.1, and
//! a certificate of a [`TestCa`](crate::tls::TestCa). One port speaks either TLS or plaintext, so
//! there is no server that takes both. Neither logs what its clients say.

mod builder;
mod install;
mod server;

pub use builder::RedisBuilder;
pub use server::RedisServer;
