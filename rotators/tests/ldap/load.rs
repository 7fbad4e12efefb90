//! Readers that bind without a pause, while the password rotates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use secrecy::ExposeSecret;
use secrets_core::rotation::Outcome;
use secrets_core::store::{Label, SecretReader, Version};

use crate::support::{APP, Client, Fixture, with_admin};

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

#[tokio::test]
async fn no_bind_is_refused_while_the_password_rotates() {
    let fixture = Arc::new(Fixture::start(with_admin()).await);
    let (stop, binds) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (fixture, stop) = (Arc::clone(&fixture), Arc::clone(&stop));
            let binds = Arc::clone(&binds);
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    if let Some(answer) = bind(&fixture).await {
                        refused.push(answer);
                    }
                    binds.fetch_add(1, Ordering::SeqCst);
                }
                refused
            })
        })
        .collect();
    let rotation = fixture.rotation();
    for number in 0..ROTATIONS {
        // Each rotation has binds beside it.
        let seen = binds.load(Ordering::SeqCst);
        let version = format!("version {number}");
        let rotated = fixture.rotate(&rotation, &version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        while binds.load(Ordering::SeqCst) < seen + WORKERS {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for worker in workers {
        assert_eq!(worker.await.expect("a worker"), Vec::<u32>::new());
    }
    let binds = binds.load(Ordering::SeqCst);
    assert!(binds >= ROTATIONS * WORKERS);
    println!("{ROTATIONS} rotations, {binds} binds, 0 refused");
}

/// Reads the current version and binds with it; gives the answer if it is refused. A reader that was held
/// up for longer than the version was current or previous has no promise, and is not counted.
async fn bind(fixture: &Fixture) -> Option<u32> {
    let read = fixture.store.get(&fixture.secret, &Version::CURRENT).await;
    let read = read.expect("a current version");
    let password = read.document.text("password").expect("a password");
    let mut client = Client::plaintext(&fixture.server).await;
    let answer = client.bind(APP, password.expose_secret()).await;
    if answer == 0 {
        return None;
    }
    for label in [Label::Current, Label::Previous] {
        let version = Version::Labelled(label);
        let now = fixture.store.get(&fixture.secret, &version).await;
        if now.is_ok_and(|now| now.id == read.id) {
            return Some(answer);
        }
    }
    None
}
