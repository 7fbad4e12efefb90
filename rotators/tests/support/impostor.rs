//! A server that cannot prove who it is.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use harness::tls::TestCa;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

/// A server with a certificate of an authority that nobody knows; gives what it could read.
pub fn start() -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let files = TestCa::generate().issue(&["127.0.0.1"]);
    let certificate = CertificateDer::from_pem_slice(files.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(files.key_pem.as_bytes());
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("common versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("both fit");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut tls = ServerConnection::new(Arc::new(config)).expect("a session");
        let mut read = Vec::new();
        // Ends with the caller's refusal.
        let _ = rustls::Stream::new(&mut tls, &mut stream).read_to_end(&mut read);
        read
    });
    (address, server)
}
