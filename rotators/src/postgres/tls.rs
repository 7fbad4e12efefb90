//! TLS for the driver.

use std::sync::Arc;

use secrets_core::rotator::RotatorError;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls::verifying;
pub use crate::tls::{CaCertificates, InvalidCa};
pub(super) use crate::tls::{check_server_name, refusal};

/// What verifies servers: against these authorities, or against the built-in ones.
pub(super) fn connector(ca: Option<&CaCertificates>) -> Result<MakeRustlsConnect, RotatorError> {
    let config = verifying(ca)?;
    Ok(MakeRustlsConnect::new(Arc::unwrap_or_clone(config)))
}
