//! TLS for the driver.

use std::sync::OnceLock;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use secrets_core::rotator::RotatorError;
use tokio_postgres_rustls::MakeRustlsConnect;

pub use crate::tls::{CaCertificates, InvalidCa};
use crate::tls::{built_in_roots, unusable};
pub(super) use crate::tls::{check_server_name, refusal};

/// What verifies servers: against these authorities, or against the built-in ones.
pub(super) fn connector(ca: Option<&CaCertificates>) -> Result<MakeRustlsConnect, RotatorError> {
    static BUILT_IN: OnceLock<Option<MakeRustlsConnect>> = OnceLock::new();
    match ca {
        Some(ca) => ca.roots().ok().and_then(trusting),
        None => BUILT_IN
            .get_or_init(|| built_in_roots().ok().and_then(trusting))
            .clone(),
    }
    .ok_or_else(unusable)
}

fn trusting(roots: RootCertStore) -> Option<MakeRustlsConnect> {
    // The provider is named: a process may hold two, and then has no default.
    let provider = rustls::crypto::ring::default_provider();
    let mut config = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A resumed session would skip the certificate, and nothing is to be remembered between calls.
    config.resumption = Resumption::disabled();
    Some(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_authorities_make_a_connector() {
        assert!(connector(None).is_ok());
    }
}
