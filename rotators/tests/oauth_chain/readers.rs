//! Applications that use what `AWSCURRENT` names, all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::token_server::{Rules, TokenServer};
use rotators::oauth::refresh_chain::RefreshChain;
use secrecy::ExposeSecret;
use secrets_core::rotation::Rotation;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::json;

use crate::{SECRET, Stage, settings, version};

/// Reads the token and uses it, until it is told to stop; gives how often, and how often in vain.
async fn read(
    store: MemoryStore,
    server: Arc<TokenServer>,
    stop: Arc<AtomicBool>,
) -> (usize, usize) {
    let (mut requests, mut refused) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let value = store.get(&SECRET.into(), &Version::CURRENT).await;
        let token = value.expect("a value").document.text("access_token");
        requests += 1;
        if !server.serves(token.expect("a token").expose_secret()) {
            refused += 1;
        }
        tokio::task::yield_now().await;
    }
    (requests, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_exchanges_are_not_noticed() {
    let stage = Stage::start(Rules::default(), &json!("forbidden")).await;
    let (store, configuration) = (stage.store.clone(), stage.configuration.clone());
    let server = Arc::new(stage.server);
    let stop = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(read(store.clone(), Arc::clone(&server), Arc::clone(&stop)));
    for n in 1..=50 {
        let id = SECRET.into();
        store
            .begin_rotation(&id, &version(n))
            .expect("no other rotation");
        let rotator = RefreshChain::new(store.clone(), settings(&configuration));
        let rotation = Rotation::new(store.clone(), rotator);
        let driver = Driver::new(&store, &rotation, &id);
        driver.send_all(&version(n)).await.expect("a rotation");
    }
    stop.store(true, Ordering::Relaxed);
    let (requests, refused) = reader.await.expect("a reader");
    println!("{requests} requests in 50 rotations, {refused} refused");
    assert_eq!(server.exchanges(), 50);
    assert!(requests > 50, "{requests}");
    assert_eq!(refused, 0);
}
