//! Throw-away `RabbitMQ` brokers.
//!
//! Each broker has its own folder in the temporary directory, five ports below 32768 on 127.0.0.1, and a
//! certificate of a [`TestCa`](crate::tls::TestCa). It takes AMQP and HTTP, each with TLS and without. The
//! Erlang machine is started without `epmd`, which would outlive it: the port of the distribution is given.

mod api;
mod builder;
mod install;
mod login;
mod server;

pub use builder::RabbitMqBuilder;
pub use login::Session;
pub use server::RabbitMqServer;
