//! Users of `RabbitMQ` and of Amazon MQ for `RabbitMQ`.
//!
//! The keys of a secret:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `rabbitmq` | - (optional) |
//! | `host` | name or IP address of the broker | - |
//! | `port` | of AMQP 0-9-1; number, or string of digits | 5671; 5672 where `ssl` is `false` |
//! | `management_port` | of the management API, likewise | 15671; 15672 where `ssl` is `false`; 443 at Amazon MQ |
//! | `username`, `password` | the user | - |
//! | `masterarn` | the secret of an admin: a user with the tag `administrator` | - |
//! | `usernames` | a list of the two users that take turns, one of which is `username` | `username` with and without the suffix |
//! | `ssl` | `false` for plaintext, on both ports; everything else is TLS | `true` |
//! | `ca_certificate` | PEM certificates, trusted instead of the public ones | the function's, else the public ones |
//! | `tls_server_name` | the name in the broker's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means that the certificate must come from a trusted authority and hold the broker's name. Nothing ever
//! falls back to plaintext.
//!
//! # What the broker gets to see
//! Passwords of users are sent in a login alone (SASL PLAIN), and set as a salted SHA-256 hash. The admin's
//! goes with each request to the management API.
//!
//! # Why not a client library
//! A login takes a greeting and one frame from us, and two from the broker. A client (`lapin`, `amqprs`) brings
//! the whole protocol, an executor's traits or TLS settings of its own, and opens a virtual host, which counts
//! against the limits of the user.

mod alternating_users;
mod amqp;
mod credential;
mod error;
mod management;
mod password;
mod rights;
mod settings;
mod single_user;
mod twin;

pub use alternating_users::AlternatingUsers;
pub use credential::RabbitMqCredential;
pub use settings::{RabbitMqSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::database::{InvalidSuffix, PairSettings};
pub use crate::tls::{CaCertificates, InvalidCa};

/// What no password holds unless other characters are named: those that break connection strings
/// (`amqps://user:password@host`).
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\:%#?";
