//! Applications that use the credential all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use secrets_core::client::{Current, SecretHandle, SecretsClient};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretStore};
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

struct Reader<R: Rotator> {
    name: String,
    client: SecretsClient,
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
    pub(crate) fn start<R: Rotator<Credential: 'static> + 'static>(
        count: usize,
        client: &SecretsClient,
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

impl<R: Rotator<Credential: 'static>> Reader<R> {
    async fn run(self, stop: Arc<AtomicBool>, reads: Arc<AtomicUsize>) -> Seen {
        let Ok(handle) = self.client.secret::<R::Credential>(self.id.as_str()).await else {
            return Seen {
                failed: 1,
                ..Seen::default()
            };
        };
        let (mut seen, mut last) = (Seen::default(), String::new());
        while !stop.load(Ordering::Relaxed) {
            let login = self.login(&handle).await;
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

    /// The client tries AWSCURRENT as it knows it; where that is refused, AWSCURRENT as the store knows
    /// it; then AWSPENDING.
    async fn login(&self, handle: &SecretHandle<R::Credential>) -> Login {
        let known = handle.current().map(|known| known.version_id().clone());
        let attempt = async |candidate: Current<R::Credential>| {
            let accepted = self.accepted(&candidate).await;
            let version = candidate.version_id().clone();
            if accepted { Ok(version) } else { Err(()) }
        };
        let Ok(version) = handle.connect_with(attempt, |()| true).await else {
            return Login::Refused;
        };
        if known.as_ref() == Ok(&version) {
            return Login::Current(version);
        }
        match self.store.describe(&self.id).await {
            Ok(state) if state.holder(&Label::Current) != Some(&version) => Login::Pending(version),
            _ => Login::Newer(version),
        }
    }

    async fn accepted(&self, credential: &R::Credential) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        let cx = Context::new(self.id.clone(), "reader".into(), deadline);
        self.target.test(credential, &cx).await == Ok(Verdict::Accepted)
    }
}
