//! A thousand readers at once: on a cold cache, and when the value expires.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::clients::{LONG, ours, runtime, theirs};
use crate::row;
use crate::service::{ID, Service};
use crate::spread::Spread;

const READERS: u32 = 1000;
const LATENCY: Duration = Duration::from_millis(300);
const TTL: Duration = Duration::from_secs(1);
const RUNS: u32 = 5;

/// What a thousand readers saw.
struct Seen {
    calls: f64,
    /// That took half as long as the service takes, or longer.
    blocked: f64,
    failed: f64,
}

pub(crate) fn rows() {
    let runtime = runtime();
    for (what, ttl) in [("cold", LONG), ("at expiry", TTL)] {
        let seen = |theirs: bool| -> Vec<Seen> {
            let runs = 0..RUNS;
            runs.map(|_| runtime.block_on(crowd(theirs, ttl))).collect()
        };
        let (theirs, ours) = (seen(true), seen(false));
        for (name, number) in [
            (
                "calls to the service",
                (|seen| seen.calls) as fn(&Seen) -> f64,
            ),
            ("readers that wait for it", |seen| seen.blocked),
            ("readers that fail", |seen| seen.failed),
        ] {
            let of = |seen: &[Seen]| Spread::of(seen.iter().map(number));
            row(
                &format!("1,000 readers at once, {what}: {name}"),
                &of(&theirs),
                &of(&ours),
                "",
            );
        }
    }
}

async fn crowd(of_theirs: bool, ttl: Duration) -> Seen {
    let service = Service::start(crate::copies::secret);
    let (theirs, ours) = (Arc::new(theirs(&service, ttl)), ours(&service, ttl));
    let read = |theirs: Arc<_>, ours| async move {
        if of_theirs {
            read_theirs(theirs).await
        } else {
            read_ours(ours).await
        }
    };
    if ttl == TTL {
        assert!(
            read(Arc::clone(&theirs), ours.clone()).await,
            "a first read"
        );
        sleep(TTL + Duration::from_millis(100)).await;
    }
    service.calls();
    service.latency(LATENCY);
    let readers = (0..READERS).map(|_| timed(read(Arc::clone(&theirs), ours.clone())));
    let times: Vec<_> = readers.collect::<JoinSet<_>>().join_all().await;
    // Who does not wait leaves a call under way.
    sleep(LATENCY * 2).await;
    let (gets, describes) = service.calls();
    let count = |of: &dyn Fn(&(bool, Duration)) -> bool| {
        times.iter().filter(|time| of(time)).count() as f64
    };
    Seen {
        calls: (gets + describes) as f64,
        blocked: count(&|(_, time)| *time >= LATENCY / 2),
        failed: count(&|(good, _)| !good),
    }
}

async fn timed(read: impl Future<Output = bool>) -> (bool, Duration) {
    let start = Instant::now();
    let good = read.await;
    (good, start.elapsed())
}

async fn read_theirs(client: Arc<aws_secretsmanager_caching::SecretsManagerCachingClient>) -> bool {
    client.get_secret_value(ID, None, None, false).await.is_ok()
}

async fn read_ours(client: secrets_core::client::SecretsClient) -> bool {
    client.get_secret(ID).await.is_ok()
}
