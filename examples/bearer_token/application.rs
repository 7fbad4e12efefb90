//! An application that asks the provider for something without a pause.
#![allow(clippy::print_stdout, reason = "a program for people to watch")]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rotators::oauth::bearer::{BearerCredential, BearerToken};
use secrets_core::document::SecretDocument;
use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What the application went through.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    requests: usize,
    /// With AWSCURRENT.
    pub(crate) refused: usize,
    /// Of these, the ones that went through with AWSPENDING.
    bridged: usize,
    gap: usize,
    longest_gap: usize,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, {} refused with AWSCURRENT (at most {} in a row), {} of these went through with \
             AWSPENDING",
            self.requests, self.refused, self.longest_gap, self.bridged
        )
    }
}

/// The application, as a task.
pub(crate) struct Application {
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    task: JoinHandle<Seen>,
}

impl Application {
    pub(crate) fn start(
        store: &MemoryStore,
        provider: BearerToken<MemoryStore>,
        id: &SecretId,
    ) -> Self {
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let work = run(
            store.clone(),
            provider,
            id.clone(),
            Arc::clone(&stop),
            Arc::clone(&requests),
        );
        Self {
            stop,
            requests,
            task: tokio::spawn(work),
        }
    }

    /// Lets the application make so many requests.
    pub(crate) async fn pass(&self, requests: usize) {
        let enough = self.requests.load(Ordering::Relaxed) + requests;
        while self.requests.load(Ordering::Relaxed) < enough && !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        // An application that panicked is a request that was refused.
        self.task.await.unwrap_or(Seen {
            refused: 1,
            ..Seen::default()
        })
    }
}

async fn run(
    store: MemoryStore,
    provider: BearerToken<MemoryStore>,
    id: SecretId,
    stop: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        // Straight from the store: what is measured is the gap of the rotation, not a cache.
        let served = match store.get(&id, &Version::CURRENT).await {
            Ok(secret) => request(&provider, &id, &secret.document).await,
            Err(_) => false,
        };
        seen.requests += 1;
        if served {
            seen.gap = 0;
        } else {
            seen.refused += 1;
            seen.gap += 1;
            seen.longest_gap = seen.longest_gap.max(seen.gap);
            let pending = Version::Labelled(Label::Pending);
            if let Ok(pending) = store.get(&id, &pending).await
                && request(&provider, &id, &pending.document).await
            {
                seen.bridged += 1;
            }
        }
        requests.fetch_add(1, Ordering::Relaxed);
    }
    seen
}

/// One request with this token: the one that the rotator tries tokens with, too.
async fn request(
    provider: &BearerToken<MemoryStore>,
    id: &SecretId,
    secret: &SecretDocument,
) -> bool {
    let deadline = Instant::now() + Duration::from_secs(10);
    let cx = Context::new(id.clone(), "application".into(), deadline);
    match BearerCredential::try_from(secret) {
        Ok(credential) => provider.test(&credential, &cx).await == Ok(Verdict::Accepted),
        Err(_) => false,
    }
}

pub(crate) fn say(line: &str) {
    println!("{line}");
}
