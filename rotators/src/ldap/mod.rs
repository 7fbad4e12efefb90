//! Entries of `OpenLDAP` directories that log in with a password (simple bind).
//!
//! The keys of a secret:
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `engine` | `openldap` or `ldap` | - (optional) |
//! | `host` | name or IP address of the server that takes changes | - |
//! | `port` | number, or string of digits | 636; 389 with `start_tls` or without TLS |
//! | `username` | the distinguished name to bind as, such as `uid=app,ou=services,dc=example,dc=com` | - |
//! | `password` | what rotates | - |
//! | `ssl` | `false` for plaintext; everything else is TLS | `true` |
//! | `start_tls` | `true`: the connection begins in plaintext and is secured before anything else is sent | `false`: LDAPS |
//! | `masterarn` | the secret of an admin, for entries that may not change themselves | - |
//! | `ca_certificate` | PEM certificates, trusted instead of the built-in ones | the function's, else the built-in |
//! | `tls_server_name` | the name in the server's certificate, where `host` is an alias of it | `host` |
//!
//! TLS means that the certificate must come from a trusted authority and hold the server's name. A login
//! never falls back to plaintext.
//!
//! # Several passwords at once
//! `userPassword` may have any number of values (RFC 4519, section 2.41), and a bind with any of them is
//! accepted. So the new password is added beside the present one, and the one before that is removed, by its
//! value, when the new one is published.
//!
//! # What the server gets to see
//! Passwords are sent in binds. In changes they are sent as `PasswordScheme` says: by default as a salted
//! hash. Values that no version of the secret explains are somebody else's, and stay.
//!
//! `docs/ldap.md` has the access that an admin needs, and what password policies of the server mean.

mod account;
mod connection;
mod credential;
mod error;
mod manager;
mod policy;
mod scheme;
mod settings;
mod single_user;

pub use credential::LdapCredential;
pub use settings::{LdapSettings, PasswordScheme, Timeouts};
pub use single_user::SingleUser;

pub use crate::tls::{CaCertificates, InvalidCa};

/// What no password holds unless other characters are named: those that break connection strings, and the
/// brace with which hashes begin.
pub const EXCLUDED_CHARACTERS: &str = "/@\"'\\:{";
