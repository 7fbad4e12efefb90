//! The kit, over a provider on loopback.

use std::time::Duration;

use harness::token_server::{Mint, Proof, Rules, TokenServer};
use rotators::oauth::tokens::Tokens;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;

use crate::faults::{CRASHES_AND_ERRORS, DISTINCT, with_faults};
use crate::{CLIENT, CLIENT_SECRET, configuration, settings};

/// The truth about one provider.
struct Provider {
    server: TokenServer,
    /// Where tokens are left to expire there is no limit to hold.
    counts: bool,
}

impl Target for Provider {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let token = secret.text("access_token").expect("a token");
        self.server.serves(token.expose_secret())
    }

    async fn live(&self) -> Option<usize> {
        self.counts.then(|| self.server.live())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.server.refused())
    }

    fn is_secret(&self, key: &str) -> bool {
        key == "access_token"
    }

    async fn outage(&self, on: bool) -> bool {
        self.server.set_down(on);
        true
    }
}

async fn trial(world: World, when: &str, mint: Mint) -> Trial<Tokens<MemoryStore>, Provider> {
    let server = TokenServer::start(Rules {
        mint,
        expires_in: Some(86_400),
        ..Rules::default()
    })
    .await;
    server.add_client(CLIENT, Proof::Basic(CLIENT_SECRET.to_owned()));
    let secret = json!({
        "access_token": server.issue(CLIENT), "token_type": "bearer", "expires_at": "1",
        "client_id": CLIENT, "client_secret": CLIENT_SECRET, "note": 1.50,
    });
    let mut configuration = configuration(&server);
    configuration["revoke"] = json!({"url": server.url("revoke"), "when": when});
    let settings = settings(&configuration);
    let provider = Provider {
        server,
        counts: when != "never",
    };
    let secret = SecretDocument::from_text(&secret.to_string());
    Trial::new(provider, secret, move || {
        Tokens::new(world.store().clone(), settings.clone())
    })
}

/// With these faults; without any, two invocations side by side.
async fn proves(when: &str, mint: Mint, faults: &[Fault]) {
    let prover = Prover::new(async |world| trial(world, when, mint).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    match prover.run().await {
        Ok(proof) => println!("{when}, {mint:?}: {proof}"),
        Err(violation) => panic!("{when}, {mint:?}: {violation}"),
    }
}

const WAYS: [(&str, Mint); 5] = [
    ("when_superseded", Mint::Many),
    ("after_promotion", Mint::Many),
    ("before_mint", Mint::Many),
    ("before_mint", Mint::Singleton),
    ("never", Mint::Many),
];

#[tokio::test]
async fn crashes_and_errors_heal() {
    let [(when, mint), others @ ..] = WAYS;
    proves(when, mint, &CRASHES_AND_ERRORS).await;
    for (when, mint) in others {
        proves(when, mint, &DISTINCT).await;
    }
}

#[tokio::test]
async fn calls_that_hang_heal() {
    proves(
        "when_superseded",
        Mint::Many,
        &[Fault::HangBefore, Fault::HangAfter],
    )
    .await;
}

#[tokio::test]
async fn calls_that_hang_heal_where_tokens_are_revoked_first() {
    proves("before_mint", Mint::Singleton, &[Fault::HangAfter]).await;
}

/// Retirement after promotion is left out: it has ten times as many orders, and the kit's own tests go
/// through them with keys in memory.
#[tokio::test]
async fn events_that_meet_heal() {
    for (when, mint) in WAYS {
        if when != "after_promotion" {
            proves(when, mint, &[]).await;
        }
    }
}
