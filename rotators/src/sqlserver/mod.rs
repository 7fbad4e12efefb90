//! SQL Server: Amazon RDS for SQL Server, and servers of one's own.
//!
//! The keys of a secret are those of AWS's rotation functions, and three more:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `sqlserver`, or as RDS calls its editions: `sqlserver-ee`, `-se`, `-ex`, `-web` | - |
//! | `host` | name or IP address of the server | - |
//! | `port` | number, or string of digits | 1433 |
//! | `username` | the login, or the user of a contained database; at most 128 characters | - |
//! | `password` | what rotates; at most 128 characters | - |
//! | `dbname` | the database to log in to | `master` |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of an admin | - |
//! | `usernames` | the two users of [`AlternatingUsers`], where they are not named by a suffix | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means that the certificate must come from a trusted authority and hold the server's name. Built in are
//! the public authorities and those of Amazon RDS. A login never falls back to plaintext. The protocol is TDS
//! 7.4 (MS-TDS), in which TLS begins after the first message; TDS 8 ("strict") is not spoken.
//!
//! `docs/sqlserver.md` has the rights that admins need, and what the server gets to see.

mod admin;
mod alternating_users;
mod catalogue;
mod change;
mod connection;
mod credential;
mod error;
mod portrait;
mod prelogin;
mod rights;
mod settings;
mod single_user;
mod sql;
mod steps;
mod twin;
mod wire;

pub use alternating_users::AlternatingUsers;
pub use credential::SqlServerCredential;
pub use settings::{SqlServerSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::database::{InvalidSuffix, PairSettings};
pub use crate::tls::{CaCertificates, InvalidCa};

/// What AWS's rotation function for SQL Server leaves out of every password.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\";
