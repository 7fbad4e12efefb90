//! Certificate authorities for tests.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

use crate::random;

/// A certificate authority of its own: no two trust each other.
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestCa {
    /// Makes a new authority; a second one serves as the wrong authority.
    pub fn generate() -> Self {
        let mut params = CertificateParams::default();
        // With equal names a client would report a bad signature instead of an unknown issuer.
        let name = format!("Test CA {:016x}", random::number());
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("keys can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are valid");
        Self { issuer }
    }

    /// The authority's certificate, for a client to trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a server certificate for DNS names and IP addresses.
    pub fn issue(&self, names: &[impl AsRef<str>]) -> TlsFiles {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params
            .distinguished_name
            .push(DnType::CommonName, "Test server");
        self.sign(params, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// Issues a certificate with which a client proves itself.
    pub fn issue_to_client(&self, name: &str) -> TlsFiles {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> TlsFiles {
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().expect("keys can be made");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the authority can sign");
        TlsFiles {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// A server's certificate and its private key, both PEM.
#[derive(Debug)]
pub struct TlsFiles {
    /// The certificate, without its authority's.
    pub certificate_pem: String,
    /// The private key.
    pub key_pem: String,
}

impl TlsFiles {
    /// What a server in this process takes connections with, over TLS 1.2 and 1.3.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.server_config(rustls::DEFAULT_VERSIONS))
    }

    /// The same over these versions, for who does not accept by tokio. It asks for no certificate of clients.
    pub fn server_config(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let certificate = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes());
        let provider = rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(provider.into())
            .with_protocol_versions(versions)
            .expect("versions of the provider's")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.expect("a certificate")],
                key.expect("a key"),
            );
        Arc::new(config.expect("both fit"))
    }

    /// Writes both; the key gets mode 0600.
    pub fn write(&self, certificate: &Path, key: &Path) {
        std::fs::write(certificate, &self.certificate_pem).expect("the folder is writable");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(key)
            .expect("the folder is writable");
        std::io::Write::write_all(&mut file, self.key_pem.as_bytes())
            .expect("the folder is writable");
    }
}

/// What a server takes on its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    TlsOnly,
    TlsAndPlaintext,
    PlaintextOnly,
}

/// The names under which a server on this machine is reached.
pub(crate) fn local_names() -> Vec<String> {
    vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
}
