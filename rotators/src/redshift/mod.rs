//! Amazon Redshift, provisioned clusters and serverless workgroups.
//!
//! The keys of a secret are those of AWS's rotation functions, and three more:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `redshift` | - |
//! | `host` | the endpoint of the cluster or workgroup, without port and database | - |
//! | `port` | number, or string of digits | 5439 |
//! | `username` | the user, at most 127 bytes | - |
//! | `password` | what rotates | - |
//! | `dbname` | the database to log in to | `dev` |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of a superuser: for [`AlternatingUsers`], and for passwords that expire | - |
//! | `usernames` | the two users of [`AlternatingUsers`], where they are not named by a suffix | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means what libpq calls `verify-full`. Certificates of Redshift come from public authorities
//! (AWS page "Configuring security options for connections"). A login never falls back to plaintext.
//!
//! # What the server gets to see
//! Redshift keeps a password as a salted MD5 or SHA-256 hash, and tells at a login which of both
//! ([`PasswordHash`]). The statement that sets a password holds the MD5 hash, made here; or, for SHA-256, the
//! password itself, since only the server's own hash is documented well enough to be relied upon. Who reads
//! either can log in with it.
//!
//! The driver hands the text of every statement to the `log` crate at level debug, under targets that
//! start with `tokio_postgres`. A process that installs a logger must not let these through.

mod admin;
mod alternating_users;
mod credential;
mod difference;
mod error;
mod owned;
mod password;
mod portrait;
mod reading;
mod right;
mod settings;
mod single_user;
mod statements;
mod twin;
mod wording;

pub use alternating_users::AlternatingUsers;
pub use credential::RedshiftCredential;
pub use password::{PasswordHash, UnsuitableRules};
pub use settings::{RedshiftSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::database::{InvalidSuffix, PairSettings};
pub use crate::tls::{CaCertificates, InvalidCa};

/// What AWS's rotation functions for Redshift leave out of every password. All but the colon are characters
/// that Redshift does not take (AWS page "CREATE USER").
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\:";
