//! Users (ACL) of Redis and Valkey.
//!
//! The keys of a secret:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `redis` or `valkey` | - (optional) |
//! | `host` | name or IP address of the server | - |
//! | `port` | number, or string of digits | 6379 |
//! | `nodes` | all servers that hold the user, `host:port` each, where there are several | `host` and `port` |
//! | `username` | the user | `default` |
//! | `password` | what rotates | - |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of an admin, for users that may not run `ACL SETUSER` | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the servers' certificates, where `host` is an alias of it | the host of each server |
//!
//! TLS means that the certificate must come from a trusted authority and hold the server's name. A login
//! never falls back to plaintext.
//!
//! # Users are not replicated
//! Each server keeps its own users: neither replication nor a cluster brings a password from one to the
//! other (Redis documentation, "ACL"). So where readers use more than one server, `nodes` names all of
//! them: each is changed, and a login counts only if each takes it.
//!
//! # What the server gets to see
//! Passwords are sent in `AUTH` only, which servers keep out of their logs. A new one is set as its SHA-256
//! hash, and an old one is taken away by its hash. Hashes that no version of the secret explains are
//! somebody else's, and stay.

mod account;
mod connection;
mod credential;
mod error;
mod manager;
mod resp;
mod settings;
mod single_user;

pub use credential::RedisCredential;
pub use settings::{AclSave, RedisSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::tls::{CaCertificates, InvalidCa};

/// What no password holds unless other characters are named: those that break connection strings.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\:";
