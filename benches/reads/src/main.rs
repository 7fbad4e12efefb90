//! What a read of a held value costs. `cargo run --release -p client-reads` prints nanoseconds;
//! `scripts/instructions.sh` counts instructions with callgrind; `benches/client/run` compares with another client.
//!
//! `client-reads handle 1000` does so many reads of one kind and nothing else.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program for people to run"
)]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use secrets_core::client::{SecretHandle, SecretsClient};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::store::memory::MemoryStore;

struct Login {
    password: SecretString,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            password: secret.text("password")?,
        })
    }
}

fn read_handle(db: &SecretHandle<Login>) {
    if let Ok(login) = db.current() {
        black_box(&login.password);
    }
}

fn get_secret(secrets: &SecretsClient) {
    let read = pin!(secrets.get_secret(black_box("prod/app/db")));
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(Ok(secret)) = read.poll(&mut cx) {
        black_box(secret.version());
    }
}

/// Nanoseconds a read, the best of many short rounds: what else the machine does only adds.
fn nanoseconds(read: impl Fn()) -> f64 {
    const READS: u32 = 10_000;
    let rounds = (0..500).map(|_| {
        let start = Instant::now();
        (0..READS).for_each(|_| read());
        start.elapsed()
    });
    let best = rounds.min().unwrap_or(Duration::MAX);
    best.as_secs_f64() * 1e9 / f64::from(READS)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let (secrets, db) = runtime.block_on(async {
        let store = MemoryStore::new();
        let value =
            r#"{"engine": "postgres", "host": "db.example", "username": "app", "password": "x"}"#;
        let value = SecretDocument::from_text(value);
        let put = store.put_current(&"prod/app/db".into(), &"1".into(), &value);
        put.expect("a new secret");
        let secrets = SecretsClient::new(store);
        let db = secrets.secret::<Login>("prod/app/db").await;
        (secrets, db.expect("a login"))
    });
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["handle", reads] => (0..reads.parse().unwrap_or(0)).for_each(|_: u32| read_handle(&db)),
        ["get_secret", reads] => {
            (0..reads.parse().unwrap_or(0)).for_each(|_: u32| get_secret(&secrets));
        }
        _ => {
            println!(
                "handle.current(): {:.1} ns",
                nanoseconds(|| read_handle(&db))
            );
            println!(
                "get_secret, a hit: {:.1} ns",
                nanoseconds(|| get_secret(&secrets))
            );
        }
    }
}
