//! An address of Secrets Manager whose certificate comes from an authority of the machine, and from no public one: an
//! isolated partition, a company's own gateway.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::io::Write as _;

use harness::tls::{TestCa, TlsFiles};
use secrets_core::event::Step;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Has no secret, and says so to each request.
async fn secrets_manager(files: &TlsFiles) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let acceptor = files.acceptor();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer(acceptor.clone(), socket));
        }
    });
    port
}

/// Nothing is kept: the end of the answer is the end of the connection.
async fn answer(acceptor: TlsAcceptor, socket: TcpStream) -> std::io::Result<()> {
    let mut stream = acceptor.accept(socket).await?;
    let mut request = Vec::new();
    // A body of JSON ends with the brace that the request has nowhere else.
    while !request.ends_with(b"}") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let body = r#"{"__type":"ResourceNotFoundException"}"#;
    let head =
        "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1";
    let reply = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await
}

#[tokio::test]
async fn the_machine_vouches_for_whom_no_public_authority_knows() {
    let ca = TestCa::generate();
    let port = secrets_manager(&ca.issue(&["localhost"])).await;
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(ca.pem().as_bytes()).expect("it is writable");
    let trusted = file.path().display().to_string();
    for (host, certificates, expected) in [
        ("localhost", trusted.as_str(), "StoreNotFound"),
        ("127.0.0.1", &trusted, "StoreUnavailable"),
        ("localhost", "/dev/null", "StoreUnavailable"),
    ] {
        let endpoint = format!("https://{host}:{port}");
        let env = [("SSL_CERT_FILE", certificates)];
        let lambda = support::function(&endpoint, &env);
        let event = support::event(Step::Test, "app/db", &support::token(1));
        let answer = lambda.invoke(&event, support::TIMEOUT).await;
        assert_eq!(answer.error().0, expected, "{host} with {certificates}");
    }
}
