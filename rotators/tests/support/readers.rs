//! Applications that log in without a pause, with what the client hands out, while rotations go by.

use std::sync::Arc;
use std::time::Duration;

use secrets_core::client::{Current, SecretsClient};
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const READERS: usize = 3;

/// Whether the client may hand out what AWSPENDING holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    Tried,
    Left,
}

/// Logins of applications, and those for which the client had no credential left.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub logins: usize,
    pub failed: usize,
    /// Credentials that the target refused, with or without another one after them.
    pub refused: usize,
}

/// One application.
struct Reader {
    seen: watch::Receiver<Seen>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start<R>(client: &SecretsClient, secret: &SecretId, target: Arc<R>) -> Self
    where
        R: Rotator<Credential: 'static> + 'static,
    {
        let (tell, seen) = watch::channel(Seen::default());
        let (client, secret) = (client.clone(), secret.clone());
        let task = tokio::spawn(async move {
            let handle = client.secret::<R::Credential>(secret.as_str()).await;
            let handle = handle.expect("a secret");
            while !tell.is_closed() {
                let attempt = async |login: Current<R::Credential>| {
                    let deadline = Instant::now() + Duration::from_secs(20);
                    let cx = Context::new(secret.clone(), login.version_id().clone(), deadline);
                    match target.test(&login, &cx).await.expect("an answer") {
                        Verdict::Accepted => Ok(()),
                        Verdict::Rejected => {
                            tell.send_modify(|seen| seen.refused += 1);
                            Err(())
                        }
                    }
                };
                let connection = handle.connect_with(attempt, |()| true).await;
                tell.send_modify(|seen| {
                    seen.logins += 1;
                    seen.failed += usize::from(connection.is_err());
                });
            }
        });
        Self { seen, task }
    }

    /// Until a login has begun and ended.
    async fn log_in(&mut self) {
        let before = self.seen.borrow().logins;
        let done = self.seen.wait_for(|seen| seen.logins > before + 1).await;
        done.expect("a reader that goes on");
    }

    async fn end(self) -> Seen {
        let seen = *self.seen.borrow();
        drop(self.seen);
        self.task.await.expect("a reader that came to its end");
        seen
    }
}

/// So many rotations one after the other, after each step of which each application logs in; `target` is what it
/// asks.
pub async fn under_load<R: Rotator, L>(
    store: &MemoryStore,
    secret: &SecretId,
    rotation: &Rotation<MemoryStore, R>,
    target: L,
    pending: Pending,
    rotations: usize,
) -> Seen
where
    L: Rotator<Credential: 'static> + 'static,
{
    // Rotations are as close to each other here as the store is asked elsewhere.
    let builder = SecretsClient::builder(store.clone()).refresh_interval(Duration::from_millis(1));
    let client = match pending {
        Pending::Tried => builder.try_pending().build(),
        Pending::Left => builder.build(),
    };
    let target = Arc::new(target);
    let mut readers: Vec<_> = (0..READERS)
        .map(|_| Reader::start(&client, secret, Arc::clone(&target)))
        .collect();
    for n in 1..=rotations {
        let version = VersionId::from(format!("n{n}"));
        let driver = Driver::new(store, rotation, secret);
        driver.begin(&version).expect("no other rotation");
        for step in Step::ALL {
            driver.send(step, &version).await.expect("a step");
            for reader in &mut readers {
                reader.log_in().await;
            }
        }
    }
    let mut all = Seen::default();
    for reader in readers {
        let seen = reader.end().await;
        all.logins += seen.logins;
        all.failed += seen.failed;
        all.refused += seen.refused;
    }
    assert!(all.logins >= READERS * rotations * Step::ALL.len());
    all
}
