//! Tokens of OAuth token endpoints.
//!
//! | module | what rotates |
//! |---|---|
//! | [`bearer`] | an app-only bearer token, of which the provider keeps one a key (X, formerly Twitter) |
//! | [`tokens`] | tokens of which a provider makes many: client credentials, signed assertions |
//! | [`refresh_chain`] | a refresh token that is used up by the exchange for the next one |
//! | [`registration`] | the secret of a client that was registered dynamically (RFC 7592) |
//! | [`token_client`] | what asks for tokens, set up by configuration |
//!
//! What goes over the wire, and what does not: [`web`](crate::web).

mod assertion;
pub mod bearer;
pub mod refresh_chain;
pub mod registration;
mod signature;
pub mod token_client;
mod token_secret;
pub mod tokens;
