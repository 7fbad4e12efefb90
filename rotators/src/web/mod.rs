//! Requests to providers: what all rotators over HTTP have in common.
//!
//! # What goes over the wire
//! Requests go to the configured URLs and nowhere else: redirects are not followed and proxies of the
//! environment are not used. `https` is required, verified against the public authorities or those that are
//! configured; plain `http` is for loopback addresses alone. A reply is read up to 64 KiB. Nothing is sent twice by itself: a request
//! whose reply was lost may have had its effect.

#![cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "a management API needs less than a provider")
)]

mod endpoint;
#[cfg(feature = "http")]
pub(crate) mod expectation;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod percent;
#[cfg(feature = "http")]
pub(crate) mod refusal;
#[cfg(feature = "http")]
pub(crate) mod template;

pub use endpoint::{Endpoint, InvalidEndpoint};
#[cfg(feature = "http")]
pub use expectation::Expectation;
pub use http::{Authorities, InvalidCertificates};
pub use json::{InvalidPointer, Pointer};
#[cfg(feature = "http")]
pub use template::{InvalidTemplate, Template, UrlTemplate};
