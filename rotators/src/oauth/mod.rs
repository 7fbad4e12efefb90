//! Tokens of OAuth token endpoints.
//!
//! | module | what rotates |
//! |---|---|
//! | [`bearer`] | an app-only bearer token, of which the provider keeps one a key (X, formerly Twitter) |
//!
//! # What goes over the wire
//! Requests go to the configured URLs and nowhere else: redirects are not followed, proxies of the
//! environment are not used, and no value of a secret is part of a URL. `https` is required, verified
//! against the public authorities; plain `http` is for loopback addresses alone. A reply is read up to 64
//! KiB. Nothing is sent twice by itself: a request whose reply was lost may have had its effect.

pub mod bearer;
mod endpoint;
mod http;
mod percent;
mod refusal;
mod signature;

pub use endpoint::{Endpoint, InvalidEndpoint};
