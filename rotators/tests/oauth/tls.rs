//! The provider proves who it is, and a client may prove itself by its certificate (RFC 8705).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use harness::tls::TestCa;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use secrets_core::rotator::RotatorErrorKind;
use serde_json::json;

use crate::{CLIENT, Stage};

/// A provider behind TLS that answers each of so many connections with this body, and gives what it read
/// last. Where `clients` is given, clients must show a certificate of that authority.
fn provider(
    ca: &TestCa,
    clients: Option<&TestCa>,
    connections: usize,
    body: String,
) -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let files = ca.issue(&["127.0.0.1"]);
    let certificate = CertificateDer::from_pem_slice(files.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(files.key_pem.as_bytes());
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&ring))
        .with_safe_default_protocol_versions()
        .expect("common versions");
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            let root = CertificateDer::from_pem_slice(clients.pem().as_bytes());
            roots
                .add(root.expect("a certificate"))
                .expect("an authority");
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), ring);
            config.with_client_cert_verifier(verifier.build().expect("an authority"))
        }
    };
    let config = config.with_single_cert(
        vec![certificate.expect("a certificate")],
        key.expect("a key"),
    );
    let config = Arc::new(config.expect("both fit"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let mut read = Vec::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut tls = rustls::Stream::new(&mut tls, &mut stream);
            read = vec![0; 4096];
            // Fails where one of both does not trust the other.
            let length = tls.read(&mut read).unwrap_or(0);
            read.truncate(length);
            if length > 0 {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = tls.write_all(format!("{head}{body}").as_bytes());
                let _ = tls.flush();
            }
        }
        read
    });
    (address, server)
}

#[tokio::test]
async fn an_impostor_is_not_told_anything() {
    let mut stage = Stage::start().await;
    let good = stage.configuration.clone();
    stage.begin(1);
    for field in ["token_url", "test"] {
        let (address, server) = provider(&TestCa::generate(), None, 1, String::new());
        stage.configuration = good.clone();
        let url = format!("https://{address}/");
        stage.configuration[field] = match field {
            "test" => json!({"url": url}),
            _ => json!(url),
        };
        let fault = stage.fails(1).await;
        assert_eq!(fault.kind(), RotatorErrorKind::Tls, "{fault}");
        assert!(fault.changed_nothing(), "nothing was sent");
        assert_eq!(server.join().expect("no panic"), b"");
    }
    stage.configuration = good;
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_a_provider_of_a_private_authority() {
    let (ca, clients) = (TestCa::generate(), TestCa::generate());
    // The harness issues certificates for servers; `clients` takes what has no purpose, or this one.
    let own = clients.issue_to_client(CLIENT);
    let stranger = TestCa::generate().issue_to_client(CLIENT);
    let mut stage = Stage::start().await;
    let token = stage.server.issue(CLIENT);
    stage.begin(1);
    let body = json!({"access_token": token}).to_string();
    let (address, server) = provider(&ca, Some(&clients), 3, body);
    stage.configuration["token_url"] = json!(format!("https://{address}/token"));
    stage.configuration["client_authentication"] = json!("mtls");

    let put = |stage: &Stage, certificate: &str, key: &str| {
        stage.put(&json!({
            "access_token": stage.server.issue(CLIENT), "client_id": CLIENT,
            "certificate": certificate, "private_key": key,
        }));
    };
    put(&stage, &own.certificate_pem, &own.key_pem);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(
        fault.kind(),
        RotatorErrorKind::Tls,
        "not of a public authority"
    );
    stage.configuration["ca_certificate"] = json!(ca.pem());

    put(&stage, &own.certificate_pem, &stranger.key_pem);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    assert!(
        fault.to_string().contains("do not belong together"),
        "{fault}"
    );

    put(&stage, &stranger.certificate_pem, &stranger.key_pem);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert!(
        [RotatorErrorKind::Tls, RotatorErrorKind::Unreachable].contains(&fault.kind()),
        "{fault}"
    );

    put(&stage, &own.certificate_pem, &own.key_pem);
    stage.begin(1);
    // The resource is not behind this authority.
    stage.send_all(1).await.expect("a rotation");
    assert_eq!(stage.current().await, token);
    let request = String::from_utf8(server.join().expect("no panic")).expect("a request");
    assert!(request.contains("client_id=client%3A1"), "{request}");
}
