//! Requests to providers: what all rotators over HTTP have in common.
//!
//! # What goes over the wire
//! Requests go to the configured URLs and nowhere else: redirects are not followed and proxies of the
//! environment are not used. `https` is required, verified against the public authorities or those that are
//! configured; plain `http` is for loopback addresses alone. A reply is read up to 64 KiB. Nothing is sent twice by itself: a request
//! whose reply was lost may have had its effect.

mod endpoint;
pub(crate) mod expectation;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod percent;
pub(crate) mod refusal;
pub(crate) mod template;

pub use endpoint::{Endpoint, InvalidEndpoint};
pub use expectation::Expectation;
pub use http::{Authorities, InvalidCertificates};
pub use json::{InvalidPointer, Pointer};
pub use template::{InvalidTemplate, Template, UrlTemplate};
