//! Throw-away `OpenLDAP` servers.
//!
//! Each server has its own folder in the temporary directory, two ports below 32768 on 127.0.0.1, one for LDAPS
//! and one for plaintext and `StartTLS`, and a certificate of a [`TestCa`](crate::tls::TestCa). Its directory is
//! `dc=example,dc=com`, with the unit `ou=services` for entries of tests.

mod builder;
mod server;

pub use builder::LdapBuilder;
pub use server::{LdapServer, ROOT, ROOT_PASSWORD, SUFFIX};
