//! Which servers are trusted: what the rotators of databases have in common.

use std::fmt;
#[cfg(feature = "_tcp")]
use std::sync::{Arc, OnceLock};

#[cfg(feature = "_tcp")]
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::rotator::RotatorError;

/// The authorities of Amazon RDS, one certificate after the other. The file `.pem` beside it holds the same, and
/// says where they come from; to decode that took more time than the rest of a first connection.
const RDS_BUNDLE: &[u8] = include_bytes!("../certs/rds-global-bundle.der");

/// Certificate authorities to trust instead of the built-in ones.
#[derive(Clone, PartialEq, Eq)]
pub struct CaCertificates(Vec<CertificateDer<'static>>);

/// No certificates in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text holds no usable certificates; it must be one or more certificates in PEM")]
pub struct InvalidCa;

impl CaCertificates {
    /// Reads one or more certificates in PEM; text around them is ignored.
    ///
    /// # Errors
    /// [`InvalidCa`]: none at all, or one that cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidCa> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| InvalidCa)?;
        let ca = Self(certificates);
        if ca.0.is_empty() {
            return Err(InvalidCa);
        }
        ca.roots()?;
        Ok(ca)
    }

    /// Those of a secret: its `ca_certificate`.
    pub(crate) fn of(secret: &SecretDocument) -> Result<Option<Self>, DocumentError> {
        let Some(pem) = secret.optional_text("ca_certificate")? else {
            return Ok(None);
        };
        match Self::from_pem(pem.expose_secret()) {
            Ok(ca) => Ok(Some(ca)),
            Err(_) => Err(DocumentError::WrongType {
                key: "ca_certificate",
                expected: "one or more certificates in PEM",
            }),
        }
    }

    #[cfg(feature = "rabbitmq")]
    pub(crate) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// What verifies servers against these.
    pub(crate) fn roots(&self) -> Result<RootCertStore, InvalidCa> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.0 {
            roots.add(certificate.clone()).map_err(|_| InvalidCa)?;
        }
        Ok(roots)
    }
}

impl fmt::Debug for CaCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaCertificates({})", self.0.len())
    }
}

/// What makes a client verify servers: against these authorities, or against the built-in ones.
#[cfg(any(feature = "_postgres_wire", feature = "_stream", feature = "ldap"))]
pub(crate) fn verifying(ca: Option<&CaCertificates>) -> Result<Arc<ClientConfig>, RotatorError> {
    static BUILT_IN: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    match ca {
        Some(ca) => ca.roots().ok().and_then(trusting),
        None => BUILT_IN
            .get_or_init(|| built_in_roots().ok().and_then(trusting))
            .clone(),
    }
    .ok_or_else(unusable)
}

/// The same, for protocols that wrap the handshake: what TLS 1.3 sends after it would have no place.
#[cfg(feature = "sqlserver")]
pub(crate) fn verifying_tls12(
    ca: Option<&CaCertificates>,
) -> Result<Arc<ClientConfig>, RotatorError> {
    static BUILT_IN: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    let trusting = |roots| trusting_in(roots, &[&rustls::version::TLS12]);
    match ca {
        Some(ca) => ca.roots().ok().and_then(trusting),
        None => BUILT_IN
            .get_or_init(|| built_in_roots().ok().and_then(trusting))
            .clone(),
    }
    .ok_or_else(unusable)
}

#[cfg(any(feature = "_postgres_wire", feature = "_stream", feature = "ldap"))]
fn trusting(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    trusting_in(roots, rustls::DEFAULT_VERSIONS)
}

#[cfg(feature = "_tcp")]
fn trusting_in(
    roots: RootCertStore,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Option<Arc<ClientConfig>> {
    // The provider is named: a process may hold two, and then has no default.
    let provider = rustls::crypto::ring::default_provider();
    let mut config = ClientConfig::builder_with_provider(provider.into())
        .with_protocol_versions(versions)
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A resumed session would skip the certificate, and nothing is to be remembered between calls.
    config.resumption = rustls::client::Resumption::disabled();
    Some(Arc::new(config))
}

/// The certificates of these authorities, or of Amazon RDS: for drivers that hold the public ones.
#[cfg(feature = "mysql")]
pub(crate) fn trusted(
    own: Option<&CaCertificates>,
) -> Result<Vec<CertificateDer<'static>>, RotatorError> {
    match own {
        Some(own) => Ok(own.0.clone()),
        None => split(RDS_BUNDLE).ok_or_else(unusable),
    }
}

/// The public authorities and those of Amazon RDS.
#[cfg(feature = "_tcp")]
fn built_in_roots() -> Result<RootCertStore, InvalidCa> {
    let rds = split(RDS_BUNDLE).ok_or(InvalidCa)?;
    let mut roots = CaCertificates(rds).roots()?;
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    Ok(roots)
}

/// The certificates of a text that holds nothing else. Each begins with the tag of a sequence and, in two bytes, its
/// length (X.690, section 8.1.3).
fn split(mut der: &'static [u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut certificates = Vec::new();
    while let [0x30, 0x82, high, low, ..] = *der {
        let length = 4 + usize::from(u16::from_be_bytes([high, low]));
        let (certificate, rest) = der.split_at_checked(length)?;
        certificates.push(certificate.into());
        der = rest;
    }
    der.is_empty().then_some(certificates)
}

/// What it means that nothing can be trusted.
pub(crate) fn unusable() -> RotatorError {
    RotatorError::misconfigured(
        "the trusted certificates cannot be used; give the server's own as `ca_certificate`",
    )
}

/// Refuses what cannot be the name of a server before anything is sent.
pub(crate) fn check_server_name(name: &str) -> Result<(), RotatorError> {
    match ServerName::try_from(name) {
        Ok(_) => Ok(()),
        Err(_) => Err(RotatorError::misconfigured(
            "the name to verify is no host name and no IP address; correct `tls_server_name`, or `host` \
             where there is none",
        )),
    }
}

/// Says which part of the verification failed.
pub(crate) fn refusal(fault: &rustls::Error, peer: &dyn fmt::Display) -> RotatorError {
    use rustls::CertificateError as Certificate;
    use rustls::Error::InvalidCertificate;
    RotatorError::tls(match fault {
        InvalidCertificate(Certificate::UnknownIssuer) => format!(
            "the certificate of {peer} comes from no trusted authority; give its authority as \
             `ca_certificate`"
        ),
        InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => format!(
            "the certificate of {peer} holds another name; give the name that it holds as \
             `tls_server_name`"
        ),
        InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            format!("the certificate of {peer} has expired; renew it at the server")
        }
        InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            format!(
                "the certificate of {peer} is not valid yet; correct the server's clock or certificate"
            )
        }
        InvalidCertificate(_) => format!(
            "the certificate of {peer} cannot be verified; it must be a version 3 certificate with the \
             server's name as subject alternative name, signed by an authority other than itself"
        ),
        _ => format!(
            "no TLS connection to {peer}; the server must offer TLS 1.2 or 1.3 with common ciphers"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the bundle was made of: its source, and what people read.
    const PEM: &str = include_str!("../certs/rds-global-bundle.pem");

    #[test]
    fn the_bundle_is_what_its_source_says() {
        let rds = CaCertificates::from_pem(PEM).expect("every certificate of the bundle");
        assert_eq!(rds.0.len(), PEM.matches("BEGIN CERTIFICATE").count());
        assert!(rds.0.len() >= 80);
        assert_eq!(split(RDS_BUNDLE), Some(rds.0), "run scripts/rds-bundle.sh");
    }

    #[test]
    fn a_broken_bundle_is_none() {
        let (whole, last) = RDS_BUNDLE.split_at(RDS_BUNDLE.len() - 1);
        assert_eq!(split(whole), None, "{last:?} is missing");
        assert_eq!(split(&RDS_BUNDLE[1..]), None);
        assert_eq!(split(&[]), Some(Vec::new()));
    }

    #[test]
    #[cfg(feature = "_tcp")]
    fn the_built_in_authorities_can_all_be_read() {
        let rds = CaCertificates::from_pem(PEM).expect("every certificate of the bundle");
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        assert!(public > 50);
        let roots = built_in_roots().expect("both");
        assert_eq!(roots.len(), rds.0.len() + public);
        #[cfg(any(feature = "_postgres_wire", feature = "_stream", feature = "ldap"))]
        assert!(verifying(None).is_ok());
    }

    #[test]
    fn own_authorities_are_read_whole_or_not_at_all() {
        let good = "-----BEGIN CERTIFICATE-----";
        let start = PEM.find(good).expect("a certificate");
        let one = &PEM[start..PEM[start + 1..].find(good).expect("another") + start];
        let ca = CaCertificates::from_pem(&format!("around it\n{one}\nit")).expect("one");
        assert_eq!(format!("{ca:?}"), "CaCertificates(1)");
        assert!(ca.roots().is_ok());

        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in [
            "",
            "no PEM",
            no_certificate,
            &format!("{one}\n{no_certificate}"),
            &one.replace("-----END", "END"),
        ] {
            assert_eq!(CaCertificates::from_pem(bad), Err(InvalidCa), "{bad}");
        }
    }

    #[test]
    fn names_and_addresses_can_be_verified() {
        for good in [
            "db.example",
            "localhost",
            "127.0.0.1",
            "::1",
            "my_db.internal",
        ] {
            assert!(check_server_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "/var/run/postgresql", "host:5432"] {
            assert!(check_server_name(bad).is_err(), "{bad}");
        }
    }
}
