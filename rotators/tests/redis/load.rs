//! Readers that log in without a pause, while the password rotates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use harness::redis::RedisBuilder;
use secrecy::ExposeSecret;
use secrets_core::rotation::Outcome;
use secrets_core::store::{Label, SecretReader, Version};

use crate::support::{Client, Fixture, on_both};

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

on_both!(no_login_is_refused_while_the_password_rotates);

async fn no_login_is_refused_while_the_password_rotates(builder: RedisBuilder) {
    let fixture = Arc::new(Fixture::start(builder).await);
    let (stop, logins) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (fixture, stop) = (Arc::clone(&fixture), Arc::clone(&stop));
            let logins = Arc::clone(&logins);
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    if let Some(answer) = login(&fixture).await {
                        refused.push(answer);
                    }
                    logins.fetch_add(1, Ordering::SeqCst);
                }
                refused
            })
        })
        .collect();
    let rotation = fixture.rotation();
    for number in 0..ROTATIONS {
        // Each rotation has logins beside it.
        let seen = logins.load(Ordering::SeqCst);
        let rotated = fixture
            .rotate(&rotation, &format!("version {number}"))
            .await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        while logins.load(Ordering::SeqCst) < seen + WORKERS {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for worker in workers {
        assert_eq!(worker.await.expect("a worker"), Vec::<String>::new());
    }
    let logins = logins.load(Ordering::SeqCst);
    assert!(logins >= ROTATIONS * WORKERS);
    println!("{ROTATIONS} rotations, {logins} logins, 0 refused");
}

/// Reads the current version and logs in with it; gives the answer if it is refused. A reader that was held
/// up for longer than the version was current or previous has no promise, and is not counted.
async fn login(fixture: &Fixture) -> Option<String> {
    let read = fixture.store.get(&fixture.secret, &Version::CURRENT).await;
    let read = read.expect("a current version");
    let password = read.document.text("password").expect("a password");
    let mut client = Client::connect(&fixture.server).await;
    let answer = client
        .call(&["AUTH", &fixture.user, password.expose_secret()])
        .await;
    if answer == "+OK" {
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
