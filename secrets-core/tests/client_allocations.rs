//! What a read takes from the heap: nothing. A binary of its own, since the counting allocator counts all
//! that a process does.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
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

async fn held() -> (SecretsClient, SecretHandle<Login>) {
    let store = MemoryStore::new();
    let value = SecretDocument::from_text(r#"{"username": "app", "password": "x"}"#);
    let put = store.put_current(&"app/db".into(), &"1".into(), &value);
    put.expect("a new secret");
    let secrets = SecretsClient::new(store);
    let db = secrets.secret("app/db").await.expect("a login");
    (secrets, db)
}

#[tokio::test]
async fn a_read_of_a_handle_allocates_nothing() {
    let (_secrets, db) = held().await;
    // The first read of a thread makes the place where arc-swap notes its guards.
    drop(db.current());
    let seen = measure(|| {
        for _ in 0..1000 {
            let login = db.current().expect("a login");
            black_box(&login.password);
        }
    });
    assert_eq!((seen.count_total, seen.bytes_total), (0, 0));
}

#[tokio::test]
async fn a_hit_of_get_secret_allocates_nothing() {
    let (secrets, _db) = held().await;
    secrets.get_secret("app/db").await.expect("a secret");
    let mut cx = Context::from_waker(Waker::noop());
    let seen = measure(|| {
        for _ in 0..1000 {
            let read = pin!(secrets.get_secret("app/db"));
            let Poll::Ready(read) = read.poll(&mut cx) else {
                continue;
            };
            black_box(read.expect("a secret").version());
        }
    });
    assert_eq!((seen.count_total, seen.bytes_total), (0, 0));
    assert_eq!(secrets.stats().hits, 1002);
}

#[tokio::test]
async fn the_counter_counts() {
    let seen = measure(|| drop(black_box(Box::new(7))));
    assert_eq!(seen.count_total, 1);
}
