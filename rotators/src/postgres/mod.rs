//! `PostgreSQL` and Aurora `PostgreSQL`.
//!
//! The keys of a secret are those of AWS's rotation functions, and two more:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `postgres` or `aurora-postgresql` | - |
//! | `host` | name or IP address of the server | - |
//! | `port` | number, or string of digits | 5432 |
//! | `username` | the role, at most 63 bytes | - |
//! | `password` | what rotates | - |
//! | `dbname` | the database to log in to | `postgres` |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of an admin: for [`AlternatingUsers`], and for roles that may not change themselves | - |
//! | `usernames` | the two users of [`AlternatingUsers`], where they are not named by a suffix | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means what libpq calls `verify-full`: the certificate must come from a trusted authority and hold
//! the server's name (`PostgreSQL` manual, "SSL Support"). Built in are the public authorities and those
//! of Amazon RDS. A login never falls back to plaintext.
//!
//! # What the server gets to see
//! By default the statement that sets a password holds its SCRAM-SHA-256 verifier, made here
//! ([`PasswordForm::Scram`]), so that no statement log holds a password.
//!
//! The driver hands the text of every statement to the `log` crate at level debug, under targets that
//! start with `tokio_postgres`. A process that installs a logger must not let these through.

mod admin;
mod alternating_users;
mod connection;
mod credential;
mod error;
mod layout;
mod owner;
mod pair;
mod password;
mod portrait;
mod rights;
mod role_setting;
mod settings;
mod single_user;
mod twin;
mod wording;

pub use alternating_users::AlternatingUsers;
pub use credential::PostgresCredential;
pub use pair::{InvalidSuffix, PairLayout, PairSettings};
pub use settings::{PasswordForm, PostgresSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::tls::{CaCertificates, InvalidCa};

/// What AWS's rotation function for `PostgreSQL` leaves out of every password.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\:";
