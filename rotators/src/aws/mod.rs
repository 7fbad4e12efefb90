//! What requests to AWS's services have in common.

mod failure;
mod service_url;

pub(crate) use failure::{At, Failure, ask};
pub use service_url::{InvalidServiceUrl, ServiceUrl};
