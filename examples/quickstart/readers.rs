//! Applications that use the credential all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use secrets_core::client::SecretsClient;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::timeline::{Timeline, short};

/// What the readers went through, all together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) reads: usize,
    pub(crate) by_pending: usize,
    pub(crate) by_newer: usize,
    pub(crate) failed: usize,
}

/// Tasks that log in without a pause.
pub(crate) struct Readers {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<Seen>>,
}

struct Reader<R> {
    name: String,
    client: SecretsClient<MemoryStore>,
    store: MemoryStore,
    target: R,
    id: SecretId,
    timeline: Timeline,
}

/// How a read came to its login.
enum Login {
    Current(VersionId),
    Pending(VersionId),
    Newer(VersionId),
    Refused,
}

impl Readers {
    pub(crate) fn start<R: Rotator + 'static>(
        count: usize,
        client: &SecretsClient<MemoryStore>,
        store: &MemoryStore,
        target: &impl Fn(MemoryStore) -> R,
        id: &SecretId,
        timeline: &Timeline,
    ) -> Self {
        let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let tasks = (1..=count)
            .map(|n| {
                let reader = Reader {
                    name: format!("reader {n}"),
                    client: client.clone(),
                    store: store.clone(),
                    target: target(store.clone()),
                    id: id.clone(),
                    timeline: timeline.clone(),
                };
                tokio::spawn(reader.run(Arc::clone(&stop), Arc::clone(&reads)))
            })
            .collect();
        Self { stop, reads, tasks }
    }

    /// Lets the readers go on for a while, and for two more reads at least.
    pub(crate) async fn pass(&self, pace: Duration) {
        let (until, reads) = (Instant::now() + pace, self.reads.load(Ordering::Relaxed));
        while Instant::now() < until || self.reads.load(Ordering::Relaxed) < reads + 2 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for task in self.tasks {
            // A reader that panicked is a read that failed.
            let seen = task.await.unwrap_or(Seen {
                failed: 1,
                ..Seen::default()
            });
            all.reads += seen.reads;
            all.by_pending += seen.by_pending;
            all.by_newer += seen.by_newer;
            all.failed += seen.failed;
        }
        all
    }
}

impl<R: Rotator> Reader<R> {
    async fn run(self, stop: Arc<AtomicBool>, reads: Arc<AtomicUsize>) -> Seen {
        let (mut seen, mut last) = (Seen::default(), String::new());
        while !stop.load(Ordering::Relaxed) {
            let login = self.login().await;
            let now = match &login {
                Login::Current(version) => format!("logs in with AWSCURRENT {}", short(version)),
                Login::Newer(version) => {
                    format!("logs in with a newer AWSCURRENT {}", short(version))
                }
                Login::Pending(version) => format!("logs in with AWSPENDING {}", short(version)),
                Login::Refused => "is REFUSED".to_owned(),
            };
            seen.reads += 1;
            match login {
                Login::Current(_) => {}
                Login::Pending(_) => seen.by_pending += 1,
                Login::Newer(_) => seen.by_newer += 1,
                Login::Refused => seen.failed += 1,
            }
            if now != last {
                self.timeline.line(&format!("    {} {now}", self.name));
                last = now;
            }
            reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
        seen
    }

    /// AWSCURRENT; where it is refused, whatever is AWSCURRENT by now, then AWSPENDING.
    async fn login(&self) -> Login {
        let Ok(first) = self.client.get_secret(self.id.clone()).await else {
            return Login::Refused;
        };
        if self.accepted(&first).await {
            return Login::Current(first.version().clone());
        }
        if let Ok(newer) = self.client.get_secret(self.id.clone()).await
            && newer.version() != first.version()
            && self.accepted(&newer).await
        {
            return Login::Newer(newer.version().clone());
        }
        let pending = Version::Labelled(Label::Pending);
        match self.store.get(&self.id, &pending).await {
            Ok(pending) if self.accepted(&pending.document).await => Login::Pending(pending.id),
            _ => Login::Refused,
        }
    }

    async fn accepted(&self, secret: &SecretDocument) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        let cx = Context::new(self.id.clone(), "reader".into(), deadline);
        match R::Credential::try_from(secret) {
            Ok(credential) => self.target.test(&credential, &cx).await == Ok(Verdict::Accepted),
            Err(_) => false,
        }
    }
}
