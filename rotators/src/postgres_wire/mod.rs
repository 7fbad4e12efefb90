//! What `PostgreSQL` and servers that descend from it have in common: version 3.0 of its protocol, TLS,
//! statements, and what codes mean.
//!
//! What one of them calls otherwise, or means otherwise, stands in its [`Dialect`].

pub(crate) mod credential;
mod digest;
pub(crate) mod fault;
mod peer;
mod session;
pub(crate) mod setting;
mod sql;
mod tls;
mod wire;

pub(crate) use self::fault::SessionError;
pub(crate) use self::peer::{Dialect, Peer, Role};
#[cfg(feature = "postgres")]
pub(crate) use self::session::{Entry, Place};
pub(crate) use self::session::{Row, Session, Terms};
pub(crate) use self::sql::{Ident, Literal, Sql};
