//! What a rotator says of a secret, with a second to say it, and servers that give one answer.

use std::time::Duration;

use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, Rotator, RotatorErrorKind, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

/// The verdict, or the kind of fault and its code.
pub type Seen = Result<Verdict, (RotatorErrorKind, Option<String>)>;

pub fn fault(kind: RotatorErrorKind, code: Option<&str>) -> Seen {
    Err((kind, code.map(str::to_owned)))
}

/// What the rotator says; no fault shows a sentinel.
pub async fn ask<R: Rotator>(rotator: &R, secret: &SecretDocument) -> Seen {
    let candidate = secret.try_into().expect("a credential");
    let deadline = Instant::now() + Duration::from_secs(1);
    let cx = Context::new("secret".into(), "version".into(), deadline);
    let verdict = rotator.test(&candidate, &cx).await;
    verdict.map_err(|fault| {
        assert!(
            !format!("{fault} {fault:?}").contains("sentinel"),
            "{fault:?}"
        );
        (fault.kind(), fault.code().map(str::to_owned))
    })
}

/// A port whose server says this to every client, then ends the connection.
pub async fn saying(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    port
}
