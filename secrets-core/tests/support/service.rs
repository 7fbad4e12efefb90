//! A stand-in for Secrets Manager on loopback, of one secret: `GetSecretValue` and `DescribeSecret` over HTTP/1.1
//! with JSON (`X-Amz-Target`), counted, as slow as it is told to be. It keeps no copy of the secret in memory.
#![allow(dead_code, reason = "not every one who asks wants it slow")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener as Listener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

pub(crate) const ID: &str = "app/db";

pub(crate) struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    password: fn() -> Zeroizing<Vec<u8>>,
    /// Milliseconds.
    latency: AtomicU64,
    gets: AtomicUsize,
    describes: AtomicUsize,
}

impl Service {
    /// Listens on a thread of its own, until the process ends.
    pub(crate) fn start(password: fn() -> Zeroizing<Vec<u8>>) -> Self {
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            password,
            latency: AtomicU64::new(0),
            gets: AtomicUsize::new(0),
            describes: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                listener.set_nonblocking(true).expect("a socket");
                let listener = TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&own)));
                }
            });
        });
        Self { address, shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn latency(&self, latency: Duration) {
        let latency = u64::try_from(latency.as_millis()).expect("a short time");
        self.shared.latency.store(latency, Ordering::Relaxed);
    }

    /// The calls since this was last asked: `GetSecretValue`, `DescribeSecret`.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let taken = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        (taken(&self.shared.gets), taken(&self.shared.describes))
    }
}

/// Answers the requests of one connection, one after the other.
async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = whole(&bytes) {
                break end;
            }
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let request: Vec<u8> = bytes.drain(..end).collect();
        let get = String::from_utf8_lossy(&request).contains("secretsmanager.GetSecretValue");
        let count = if get { &shared.gets } else { &shared.describes };
        count.fetch_add(1, Ordering::Relaxed);
        let latency = shared.latency.load(Ordering::Relaxed);
        if latency > 0 {
            // How slow the service is: this is what is played here, and nothing waits for it.
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        let body = if get { value(&shared) } else { labels() };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut reply = Zeroizing::new(Vec::with_capacity(head.len() + body.len()));
        reply.extend_from_slice(head.as_bytes());
        reply.extend_from_slice(&body);
        stream.write_all(&reply).await.ok()?;
    }
}

/// Where the first request ends, if all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap_or(0));
    (bytes.len() >= head + length).then_some(head + length)
}

const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/db-AbCdEf";
const VERSION: &str = "11111111-1111-4111-8111-111111111111";

fn value(shared: &Shared) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(1024));
    let head = format!(
        r#"{{"ARN": "{ARN}", "Name": "{ID}", "VersionId": "{VERSION}", "VersionStages": ["AWSCURRENT"], "#
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(br#""CreatedDate": 1700000000.5, "SecretString": "#);
    let fields =
        br#""{\"engine\": \"postgres\", \"host\": \"db.example\", \"username\": \"app\", "#;
    body.extend_from_slice(fields);
    body.extend_from_slice(br#"\"password\": \""#);
    body.extend_from_slice(&(shared.password)());
    body.extend_from_slice(br#"\"}"}"#);
    body
}

fn labels() -> Zeroizing<Vec<u8>> {
    let body = format!(
        r#"{{"ARN": "{ARN}", "Name": "{ID}", "VersionIdsToStages": {{"{VERSION}": ["AWSCURRENT"]}}}}"#
    );
    Zeroizing::new(body.into_bytes())
}
