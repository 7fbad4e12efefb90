//! TLS in front of a stand-in, as Secrets Manager has it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::thread;

use harness::tls::TestCa;
use tempfile::NamedTempFile;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A URL, and who vouches for its server.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    authority: NamedTempFile,
}

impl Endpoint {
    /// What rustls, and what boto3, is to be told.
    pub(crate) fn trusted(&self) -> [(&'static str, String); 2] {
        let file = self.authority.path().display().to_string();
        [("SSL_CERT_FILE", file.clone()), ("AWS_CA_BUNDLE", file)]
    }
}

/// Passes on to `plain` what comes over TLS, as long as this process lives.
pub(crate) fn before(plain: SocketAddr) -> Endpoint {
    let ca = TestCa::generate();
    let acceptor = ca.issue(&["localhost"]).acceptor();
    let mut authority = NamedTempFile::new().expect("a temporary file");
    let written = authority.write_all(ca.pem().as_bytes());
    written.expect("a temporary file is writable");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it is a socket");
    let port = listener.local_addr().expect("it is bound").port();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    socket.set_nodelay(true)?;
                    let mut stream = acceptor.accept(socket).await?;
                    let mut to = TcpStream::connect(plain).await?;
                    to.set_nodelay(true)?;
                    // A function that is ended does not say good-bye.
                    copy_bidirectional(&mut stream, &mut to).await
                });
            }
        });
    });
    Endpoint {
        url: format!("https://localhost:{port}"),
        authority,
    }
}
