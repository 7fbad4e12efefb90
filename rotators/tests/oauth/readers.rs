//! Applications that use what `AWSCURRENT` names, all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use harness::token_server::TokenServer;
use secrecy::ExposeSecret;
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{SecretReader, Version};
use serde_json::json;
use tokio::time::timeout;

use crate::{SECRET, Stage};

/// How often the token was used.
#[derive(Default)]
struct Uses {
    requests: AtomicUsize,
    stop: AtomicBool,
}

/// Reads the token and uses it, until it is told to stop; gives how often in vain.
async fn read(store: MemoryStore, server: Arc<TokenServer>, uses: Arc<Uses>) -> usize {
    let mut refused = 0;
    while !uses.stop.load(Ordering::SeqCst) {
        let value = store.get(&SECRET.into(), &Version::CURRENT).await;
        let token = value.expect("a value").document.text("access_token");
        if !server.serves(token.expect("a token").expose_secret()) {
            refused += 1;
        }
        uses.requests.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    refused
}

/// Waits until what is being used now has been: a token is good for one more rotation, not for two.
async fn used_since(uses: &Uses) {
    let before = uses.requests.load(Ordering::SeqCst);
    while uses.requests.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_rotations_are_not_noticed() {
    // After promotion is another matter: who read the token just before has it revoked under his hands.
    for when in ["when_superseded", "never"] {
        let mut stage = Stage::start().await;
        stage.configuration["revoke"] = json!({"url": stage.server.url("revoke"), "when": when});
        let (store, configuration) = (stage.store.clone(), stage.configuration.clone());
        let server = Arc::new(stage.server);
        let uses = Arc::new(Uses::default());
        let reader = tokio::spawn(read(store.clone(), Arc::clone(&server), Arc::clone(&uses)));
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
            let in_time = timeout(Duration::from_secs(30), used_since(&uses)).await;
            in_time.expect("the reader goes on");
        }
        uses.stop.store(true, Ordering::SeqCst);
        let refused = reader.await.expect("a reader");
        let requests = uses.requests.load(Ordering::SeqCst);
        println!("{when}: {requests} requests in 50 rotations, {refused} refused");
        assert!(requests > 50, "{requests}");
        assert_eq!(refused, 0);
    }
}
