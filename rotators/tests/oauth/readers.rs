//! Applications that use what `AWSCURRENT` names, all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::token_server::TokenServer;
use secrecy::ExposeSecret;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, Version};
use serde_json::json;

use crate::{SECRET, Stage};

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
async fn fifty_rotations_are_not_noticed() {
    // After promotion is another matter: who read the token just before has it revoked under his hands.
    for when in ["when_superseded", "never"] {
        let mut stage = Stage::start().await;
        stage.configuration["revoke"] = json!({"url": stage.server.url("revoke"), "when": when});
        let (store, configuration) = (stage.store.clone(), stage.configuration.clone());
        let server = Arc::new(stage.server);
        let stop = Arc::new(AtomicBool::new(false));
        let reader = tokio::spawn(read(store.clone(), Arc::clone(&server), Arc::clone(&stop)));
        for n in 1..=50 {
            let id = SECRET.into();
            store
                .begin_rotation(&id, &crate::version(n))
                .expect("no other rotation");
            let rotator = rotators::oauth::tokens::Tokens::new(
                store.clone(),
                crate::settings(&configuration),
            );
            let rotation = secrets_core::rotation::Rotation::new(store.clone(), rotator);
            let driver = secrets_core::testing::Driver::new(&store, &rotation, &id);
            driver
                .send_all(&crate::version(n))
                .await
                .expect("a rotation");
        }
        stop.store(true, Ordering::Relaxed);
        let (requests, refused) = reader.await.expect("a reader");
        println!("{when}: {requests} requests in 50 rotations, {refused} refused");
        assert!(requests > 50, "{requests}");
        assert_eq!(refused, 0);
    }
}
