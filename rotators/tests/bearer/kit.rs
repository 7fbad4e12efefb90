//! The kit, over a provider on loopback. What a call of the rotator leaves behind when it is cut off
//! between two of its requests is in `requests`.

use std::time::Duration;

use harness::oauth_provider::OAuthProvider;
use rotators::oauth::bearer::{ApiKeys, BearerToken};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};

use crate::faults::{CRASHES_AND_ERRORS, DISTINCT, with_faults};
use crate::{populate, settings};

/// The truth about one provider.
struct Provider(OAuthProvider);

impl Target for Provider {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let token = secret.text("access_token").expect("a token");
        self.0.serves(token.expose_secret())
    }

    async fn live(&self) -> Option<usize> {
        Some(self.0.live())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.0.refused())
    }

    fn is_secret(&self, key: &str) -> bool {
        key == "access_token"
    }

    async fn outage(&self, on: bool) -> bool {
        self.0.set_down(on);
        true
    }
}

async fn trial(world: World, keys: ApiKeys) -> Trial<BearerToken<MemoryStore>, Provider> {
    let provider = OAuthProvider::start().await;
    let secret = populate(&provider, world.store(), keys);
    let settings = settings(&provider, keys);
    Trial::new(Provider(provider), secret, move || {
        BearerToken::new(world.store().clone(), settings.clone())
    })
}

/// With these faults; without any, two invocations side by side.
async fn proves(keys: ApiKeys, faults: &[Fault]) {
    let prover = Prover::new(async |world| trial(world, keys).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    match prover.run().await {
        Ok(proof) => println!("{keys:?}: {proof}"),
        Err(violation) => panic!("{keys:?}: {violation}"),
    }
}

#[tokio::test]
async fn crashes_and_errors_with_one_key_heal() {
    proves(ApiKeys::One, &CRASHES_AND_ERRORS).await;
}

#[tokio::test]
async fn crashes_and_errors_with_two_keys_heal() {
    proves(ApiKeys::Two, &DISTINCT).await;
}

// A call that hangs leaves what a crash leaves, and takes a second: each meets one kind.

#[tokio::test]
async fn calls_that_hang_with_one_key_heal() {
    proves(ApiKeys::One, &[Fault::HangAfter]).await;
}

#[tokio::test]
async fn calls_that_hang_with_two_keys_heal() {
    proves(ApiKeys::Two, &[Fault::HangBefore]).await;
}

#[tokio::test]
async fn events_that_meet_with_one_key_heal() {
    proves(ApiKeys::One, &[]).await;
}

#[tokio::test]
async fn events_that_meet_with_two_keys_heal() {
    proves(ApiKeys::Two, &[]).await;
}
