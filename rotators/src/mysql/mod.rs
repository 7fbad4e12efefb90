//! `MySQL`, Aurora `MySQL` and `MariaDB`.
//!
//! The keys of a secret are those of AWS's rotation functions, and three more:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `mysql`, `aurora-mysql` or `mariadb`; which of them answers is asked of the server | - |
//! | `host` | name or IP address of the server | - |
//! | `port` | number, or string of digits | 3306 |
//! | `username` | the user, as in `'user'@'host'` without the host | - |
//! | `password` | what rotates | - |
//! | `dbname` | the database to log in to | none |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of an admin | - |
//! | `usernames` | the two users of [`AlternatingUsers`], where they are not named by a suffix | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means what `MySQL` calls `VERIFY_IDENTITY`: the certificate must come from a trusted authority and hold
//! the server's name. Built in are the public authorities and those of Amazon RDS. A login never falls back to
//! plaintext.
//!
//! `docs/mysql.md` has the rights that users and admins need, and what each server gets to see.

mod admin;
mod alternating_users;
mod change;
mod connection;
mod credential;
mod crypt;
mod difference;
mod error;
mod grants;
mod hash;
mod lexer;
mod options;
mod portrait;
mod rights;
mod settings;
mod single_user;
mod sql;
mod stored;
mod twin;
mod version;

pub use alternating_users::AlternatingUsers;
pub use credential::MySqlCredential;
pub use settings::{MySqlSettings, OldPassword, Timeouts};
pub use single_user::SingleUser;

pub use crate::database::{InvalidSuffix, PairSettings};
pub use crate::tls::{CaCertificates, InvalidCa};

/// What AWS's rotation function for `MySQL` leaves out of every password.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\";
