//! `MongoDB` and Amazon `DocumentDB`.
//!
//! The keys of a secret are those of AWS's rotation functions, and four more:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `mongo`, `mongodb`, `documentdb` or `docdb` | - (optional) |
//! | `host` | name or IP address of the server; of a replica set, any member | - |
//! | `port` | number, or string of digits | 27017 |
//! | `username`, `password` | the user; of one user the password rotates | - |
//! | `authentication_database` | the database in which the user was created; also `authSource` | `dbname`, else `admin` |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `masterarn` | the secret of an admin | the user changes itself |
//! | `usernames` | the two users of [`AlternatingUsers`], where they are not named by a suffix | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means that the certificate must come from a trusted authority and hold the server's name. Built in are
//! the public authorities and those of Amazon RDS, which are `DocumentDB`'s, too. A login never falls back to
//! plaintext.
//!
//! # The primary
//! Users are changed at the primary of a replica set, and replicated. If `host` is another member, it is asked
//! for the primary, and all that follows goes there. Logins are tried there, too: a secondary may not know of
//! the new password yet.
//!
//! # What the server gets to see
//! A login is SCRAM, in which no password is sent. A new password is sent as it is: servers make the hashes
//! themselves, and keep the field out of their logs.

mod admin;
mod alternating_users;
mod change;
mod connection;
mod credential;
mod error;
mod portrait;
mod scram;
mod settings;
mod single_user;
mod twin;
mod wire;

pub use alternating_users::AlternatingUsers;
pub use credential::MongoDbCredential;
pub use settings::{MongoDbSettings, Timeouts};
pub use single_user::SingleUser;

pub use crate::database::{InvalidSuffix, PairSettings};
pub use crate::tls::{CaCertificates, InvalidCa};

/// What no password holds unless other characters are named: what AWS's rotation function leaves out, and the
/// colon, which breaks connection strings, too.
pub const EXCLUDED_CHARACTERS: &str = ":/@\"'\\";
