//! Tokens of OAuth token endpoints.
//!
//! | module | what rotates |
//! |---|---|
//! | [`bearer`] | an app-only bearer token, of which the provider keeps one a key (X, formerly Twitter) |
//!
//! What goes over the wire, and what does not: [`web`](crate::web).

pub mod bearer;
mod signature;
