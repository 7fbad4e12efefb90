//! TLS for the driver.

use std::sync::Arc;

use secrets_core::rotator::RotatorError;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls::verifying;
pub(super) use crate::tls::{CaCertificates, check_server_name, refusal};

/// What verifies servers: against these authorities, or against the built-in ones.
pub(crate) fn connector(ca: Option<&CaCertificates>) -> Result<MakeRustlsConnect, RotatorError> {
    let config = verifying(ca)?;
    Ok(MakeRustlsConnect::new(Arc::unwrap_or_clone(config)))
}
