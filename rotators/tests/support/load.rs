//! Readers that log in without a pause, while the password rotates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use secrecy::ExposeSecret;
use secrets_core::event::VersionId;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};

use super::stored::Stored;

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

/// Rotates beside readers that read the current password and log in with it; `login` gives the server's answer
/// where it refuses. None does.
pub async fn no_login_is_refused<R: Rotator, F>(
    stored: &Stored,
    rotation: &Rotation<MemoryStore, R>,
    login: impl Fn(String) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Option<String>> + Send,
{
    let stop = Arc::new(AtomicBool::new(false));
    let logins = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (stored, login) = (stored.clone(), login.clone());
            let (stop, logins) = (Arc::clone(&stop), Arc::clone(&logins));
            tokio::spawn(async move {
                let mut refused = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let read = stored.store.get(&stored.secret, &Version::CURRENT).await;
                    let read = read.expect("a current version");
                    let password = read.document.text("password").expect("a password");
                    let answer = login(password.expose_secret().to_owned()).await;
                    if let Some(answer) = answer
                        && is_in_use(&stored, &read.id).await
                    {
                        refused.push(answer);
                    }
                    logins.fetch_add(1, Ordering::SeqCst);
                }
                refused
            })
        })
        .collect();
    for number in 0..ROTATIONS {
        // Each rotation has logins beside it.
        let seen = logins.load(Ordering::SeqCst);
        let rotated = stored.rotate(rotation, &format!("version {number}")).await;
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

/// A reader that was held up for longer than its version was current or previous has no promise, and is not
/// counted.
async fn is_in_use(stored: &Stored, read: &VersionId) -> bool {
    for label in [Label::Current, Label::Previous] {
        let version = Version::Labelled(label);
        let now = stored.store.get(&stored.secret, &version).await;
        if now.is_ok_and(|now| now.id == *read) {
            return true;
        }
    }
    false
}
