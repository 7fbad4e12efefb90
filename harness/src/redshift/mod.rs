//! A protocol fake of Amazon Redshift, which runs nowhere but at AWS.
//!
//! It speaks version 3.0 of `PostgreSQL`'s protocol with TLS, asks for MD5 and for Redshift's SHA-256 digests,
//! and keeps users, groups, roles and rights as state, with transactions. It understands the statements that a
//! rotation sends and a few more to set the stage, and parses them. Whatever else comes is refused with `0A000`
//! and remembered: a fake that is dropped with such a memory fails its test.
//!
//! What it knows, it knows from AWS's documentation ("CREATE USER", "GRANT", "`SVV_RELATION_PRIVILEGES`" and
//! the like) and from AWS's open drivers. It is no Redshift.

mod connection;
mod lexer;
mod login;
mod protocol;
mod question;
mod rights;
mod server;
mod session;
mod state;
mod statement;
mod views;

pub use self::server::{Fault, RedshiftFake, When};
pub use self::state::{Kind, StoredAs};
