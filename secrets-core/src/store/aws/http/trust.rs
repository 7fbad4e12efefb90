//! Whom to trust: the public authorities, which are linked in and cost nothing to have; and those of the system, which
//! are read and parsed, 140 certificates of them, only where a server comes from none of the public ones. Such servers
//! are those of AWS's isolated partitions, and emulators.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// TLS with the full check of the server's name and certificate.
pub(super) fn client_config() -> Option<ClientConfig> {
    // The provider is named: a process may hold two, and then has no default.
    let provider = Arc::new(ring::default_provider());
    let trust = Trust::new(Arc::clone(&provider), public(), system)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        // "Dangerous" is what a verifier may be; this one asks rustls's own.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    Some(config)
}

fn public() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

/// Those of the system, without the ones that cannot be read, as far as there are any.
fn system() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    roots
}

struct Trust {
    provider: Arc<CryptoProvider>,
    public: Arc<WebPkiServerVerifier>,
    system: fn() -> RootCertStore,
    of_system: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Trust {
    fn new(
        provider: Arc<CryptoProvider>,
        public: RootCertStore,
        system: fn() -> RootCertStore,
    ) -> Option<Self> {
        Some(Self {
            public: verifier(&provider, public)?,
            provider,
            system,
            of_system: OnceLock::new(),
        })
    }

    fn of_system(&self) -> Option<&Arc<WebPkiServerVerifier>> {
        let verifier = self
            .of_system
            .get_or_init(|| verifier(&self.provider, (self.system)()));
        verifier.as_ref()
    }
}

/// Nothing where there are no authorities.
fn verifier(
    provider: &Arc<CryptoProvider>,
    roots: RootCertStore,
) -> Option<Arc<WebPkiServerVerifier>> {
    let builder = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    builder.build().ok()
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(own, intermediates, name, ocsp, now)
        };
        match by(&self.public) {
            Err(unknown @ Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                self.of_system().map_or(Err(unknown), |system| by(system))
            }
            known => known,
        }
    }

    // The rest does not depend on authorities.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.public
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.public
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.public.supported_verify_schemes()
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use harness::tls::TestCa;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// A system's store is a function; so what it holds is here.
    static SYSTEM: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn roots(pem: &[String]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(pem.iter().map(|pem| certificate(pem)));
        roots
    }

    fn certificate(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
    }

    fn held_by_the_system() -> RootCertStore {
        roots(&SYSTEM.lock().expect("not poisoned"))
    }

    #[test]
    fn the_system_is_asked_only_about_servers_that_no_public_authority_knows() {
        let (public, of_system, of_nobody) =
            (TestCa::generate(), TestCa::generate(), TestCa::generate());
        let trust = || {
            let provider = Arc::new(ring::default_provider());
            Trust::new(provider, roots(&[public.pem()]), held_by_the_system).expect("authorities")
        };
        let verify = |trust: &Trust, ca: &TestCa, name: &'static str| {
            let server = certificate(&ca.issue(&["secrets.example"]).certificate_pem);
            let name = ServerName::try_from(name).expect("a name");
            let verified = trust.verify_server_cert(&server, &[], &name, &[], UnixTime::now());
            verified.map(drop)
        };
        let unknown = Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));

        // A system without certificates, as a small container is.
        let alone = trust();
        assert_eq!(verify(&alone, &public, "secrets.example"), Ok(()));
        assert_eq!(verify(&alone, &of_system, "secrets.example"), unknown);

        *SYSTEM.lock().expect("not poisoned") = vec![of_system.pem()];
        let trust = trust();
        assert_eq!(verify(&trust, &public, "secrets.example"), Ok(()));
        let elsewhere = verify(&trust, &public, "other.example");
        assert!(
            matches!(elsewhere, Err(Error::InvalidCertificate(_))),
            "{elsewhere:?}"
        );
        assert!(
            trust.of_system.get().is_none(),
            "nothing was read for these"
        );
        assert_eq!(verify(&trust, &of_system, "secrets.example"), Ok(()));
        let elsewhere = verify(&trust, &of_system, "other.example");
        assert!(
            matches!(elsewhere, Err(Error::InvalidCertificate(_))),
            "{elsewhere:?}"
        );
        assert_eq!(verify(&trust, &of_nobody, "secrets.example"), unknown);
    }
}
