//! Clients that authenticate by their certificate (RFC 8705).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::oidc::{OidcProvider, Settings};
use harness::tls::TestCa;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::assertion::public_jwk;
use crate::client::{Answer, address, exchange, form_request};

/// A certificate of a client, and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    fn self_signed() -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params("reports.example")
            .self_signed(&key)
            .expect("a certificate");
        Self {
            certificate: certificate.der().clone(),
            key,
        }
    }

    fn signed_by(issuer: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params(name).signed_by(&key, issuer).expect("a certificate");
        Self {
            certificate: certificate.der().clone(),
            key,
        }
    }

    /// The key set entry that registers this certificate.
    fn public(&self, id: &str) -> Value {
        let mut key = public_jwk(self.key.der_bytes(), id);
        key["x5c"] = json!([STANDARD.encode(&self.certificate)]);
        key
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// Asks for a token with that certificate, or none.
async fn mint(
    server: &OidcProvider,
    ca: &TestCa,
    client: &str,
    identity: Option<&Identity>,
) -> Answer {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.pem().as_bytes()).expect("PEM");
    roots.add(root).expect("a certificate");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(Identity { certificate, key }) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let config = config.with_client_auth_cert(vec![certificate.clone()], key);
            config.expect("a certificate and its key")
        }
    };
    let url = server.token_url();
    let stream = TcpStream::connect(address(&url)).await.expect("it listens");
    let name = ServerName::try_from("127.0.0.1").expect("an address");
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    let form = [("grant_type", "client_credentials"), ("client_id", client)];
    let answer = exchange(stream.expect("a session"), form_request(&url, "", &form)).await;
    answer.expect("the server answers")
}

#[tokio::test]
async fn a_registered_certificate_authenticates_and_two_may_be_registered() {
    let (old, new, stranger) = (
        Identity::self_signed(),
        Identity::self_signed(),
        Identity::self_signed(),
    );
    let ca = TestCa::generate();
    let settings = Settings::new()
        .tls(&ca.issue(&["127.0.0.1"]), &authority("unused").pem())
        .client(json!({
            "client_id": "reports", "token_endpoint_auth_method": "self_signed_tls_client_auth",
            "tls_client_certificate_bound_access_tokens": true,
            "jwks": {"keys": [old.public("old"), new.public("new")]},
        }));
    let server = OidcProvider::start(settings).await;
    assert!(server.issuer().starts_with("https://"));
    for identity in [&old, &new] {
        mint(&server, &ca, "reports", Some(identity))
            .await
            .text("access_token");
    }
    for identity in [None, Some(&stranger)] {
        let answer = mint(&server, &ca, "reports", identity).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"));
    }
}

#[tokio::test]
async fn a_certificate_of_the_authority_authenticates_by_its_name() {
    let (trusted, other) = (authority("one"), authority("other"));
    let ca = TestCa::generate();
    let settings = Settings::new()
        .tls(&ca.issue(&["127.0.0.1"]), &trusted.pem())
        .client(json!({
            "client_id": "reports", "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_san_dns": "reports.example",
        }));
    let server = OidcProvider::start(settings).await;
    let good = Identity::signed_by(&trusted, "reports.example");
    mint(&server, &ca, "reports", Some(&good))
        .await
        .text("access_token");
    let wrong = [
        Identity::signed_by(&trusted, "another.example"),
        Identity::signed_by(&other, "reports.example"),
        Identity::self_signed(),
    ];
    for identity in wrong.iter().map(Some).chain([None]) {
        let answer = mint(&server, &ca, "reports", identity).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"));
    }
}
