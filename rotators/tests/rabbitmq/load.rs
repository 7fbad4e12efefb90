//! Applications that log in without a pause while fifty rotations go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use secrets_core::event::{Step, VersionId};
use secrets_core::store::Label;
use secrets_core::testing::Driver;
use serde_json::json;
use tokio::sync::{Mutex, RwLock};
use tokio::task::JoinSet;

use crate::support::{Fixture, SHOP};

const ROTATIONS: usize = 50;
const WORKERS: usize = 4;

/// What an application holds of a secret. It is renewed when the next rotation has begun (createSecret) and
/// not earlier: no cache whose time is shorter than the interval of rotations can be staler.
type Cache = RwLock<(String, String)>;

#[tokio::test]
async fn no_login_is_refused_while_users_take_turns() {
    let mut f = Fixture::start().await;
    f.another("worker").await;
    let ports = json!({
        "ssl": false, "port": f.server.amqp_port(), "management_port": f.server.http_port(),
    });
    f.put_current("plain", &ports);
    // A connection counts for a moment longer than it is used.
    f.server
        .delete(&["user-limits", "worker", "max-connections"])
        .await;
    let f = Arc::new(f);
    let cache = Arc::new(Cache::new(current(&f).await));
    let (stop, let_in) = (
        Arc::new(AtomicBool::default()),
        Arc::new(AtomicUsize::default()),
    );
    let refused = Arc::new(Mutex::new(Vec::new()));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (f, cache, refused) = (Arc::clone(&f), Arc::clone(&cache), Arc::clone(&refused));
        let (stop, let_in) = (Arc::clone(&stop), Arc::clone(&let_in));
        workers.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                // It is not renewed in the middle of a login.
                let held = cache.read().await;
                // With the virtual host, so that rights count, too.
                match f.server.log_in(&held.0, &held.1, SHOP).await {
                    Ok(_) => drop(let_in.fetch_add(1, Ordering::SeqCst)),
                    Err(code) => refused.lock().await.push(code),
                }
            }
        });
    }
    let rotation = f.alternating();
    for n in 1..=ROTATIONS {
        let version = VersionId::from(format!("n{n}"));
        let driver = Driver::new(&f.store, &rotation, &f.secret);
        driver.begin(&version).expect("no other rotation");
        for step in Step::ALL {
            driver.send(step, &version).await.expect("a step");
            if step == Step::Create {
                *cache.write().await = current(&f).await;
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = workers.join_next().await {
        ended.expect("a worker that counted to the end");
    }
    let let_in = let_in.load(Ordering::SeqCst);
    let version = f.server.version();
    println!("a pair on RabbitMQ {version}: {ROTATIONS} rotations, {let_in} logins");
    assert_eq!(*refused.lock().await, Vec::<u16>::new());
    assert!(
        let_in > ROTATIONS * WORKERS,
        "they were at it all the time: {let_in}"
    );
    for label in [Label::Current, Label::Previous] {
        assert_eq!(f.logs_in(&label).await, Ok(()));
    }
}

async fn current(f: &Fixture) -> (String, String) {
    let password = f.value(&Label::Current, "password").await;
    (f.current_user().await, password.expect("a password"))
}
