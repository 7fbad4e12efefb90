//! A server that cannot prove who it is.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use harness::tls::TestCa;
use rustls::ServerConnection;

/// A server with a certificate of an authority that nobody knows; gives what it could read.
pub fn start() -> (SocketAddr, thread::JoinHandle<Vec<u8>>) {
    let files = TestCa::generate().issue(&["127.0.0.1"]);
    let config = files.server_config(rustls::DEFAULT_VERSIONS);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a caller");
        let mut tls = ServerConnection::new(config).expect("a session");
        let mut read = Vec::new();
        // Ends with the caller's refusal.
        let _ = rustls::Stream::new(&mut tls, &mut stream).read_to_end(&mut read);
        read
    });
    (address, server)
}
