//! The kit, over a provider on loopback.

use std::time::Duration;

use harness::token_server::{Chain, Proof, Rules, TokenServer};
use rotators::oauth::refresh_chain::RefreshChain;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Invariant, Prover, Target, Trial, Violation, World};
use serde_json::{Value, json};

use crate::faults::{CRASHES_AND_ERRORS, DISTINCT, with_faults};
use crate::{CLIENT, CLIENT_SECRET, authorised, configuration, settings};

/// The truth about one provider.
struct Provider(TokenServer);

impl Target for Provider {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let token = secret.text("access_token").expect("a token");
        self.0.serves(token.expose_secret())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.0.refused())
    }

    fn is_secret(&self, key: &str) -> bool {
        ["access_token", "refresh_token"].contains(&key)
    }

    async fn outage(&self, on: bool) -> bool {
        self.0.set_down(on);
        true
    }

    async fn reauthorise(&self) -> Option<SecretDocument> {
        let value = authorised(&self.0).to_string();
        Some(SecretDocument::from_text(&value))
    }
}

/// How a provider treats a used refresh token, and what the configuration says of it.
#[derive(Clone, Debug)]
struct Way {
    chain: Chain,
    replay: Value,
    /// Access tokens of before end with the exchange.
    stops: bool,
}

fn way(chain: Chain, replay: Value) -> Way {
    Way {
        chain,
        replay,
        stops: false,
    }
}

async fn trial(world: World, way: Way) -> Trial<RefreshChain<MemoryStore>, Provider> {
    let server = TokenServer::start(Rules {
        chain: way.chain,
        one_access_token: way.stops,
        expires_in: Some(86_400),
        ..Rules::default()
    })
    .await;
    server.add_client(CLIENT, Proof::Post(CLIENT_SECRET.to_owned()));
    let mut configuration = configuration(&server);
    configuration["replay"] = way.replay;
    if way.stops {
        configuration["previous_access_token"] = json!("stops");
    }
    let secret = SecretDocument::from_text(&authorised(&server).to_string());
    let settings = settings(&configuration);
    Trial::new(Provider(server), secret, move || {
        RefreshChain::new(world.store().clone(), settings.clone())
    })
}

/// With these faults; without any, two invocations side by side.
async fn runs(way: &Way, faults: &[Fault]) -> Result<(), Box<Violation>> {
    let prover = Prover::new(async |world| trial(world, way.clone()).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    let proof = prover.run().await?;
    println!("{way:?}: {proof}");
    Ok(())
}

async fn proves(way: &Way, faults: &[Fault]) {
    if let Err(violation) = runs(way, faults).await {
        panic!("{way:?}: {violation}");
    }
}

fn ways() -> [Way; 5] {
    let forbidden = way(Chain::SingleUse, json!("forbidden"));
    [
        way(Chain::Grace(1), json!({"grace_seconds": 30})),
        way(Chain::SameValue, json!("same_value")),
        way(Chain::Fixed, json!("same_value")),
        Way {
            stops: true,
            ..forbidden.clone()
        },
        forbidden,
    ]
}

#[tokio::test]
async fn crashes_and_errors_heal_or_stop_for_a_person() {
    let [grace, same, _, _, forbidden] = ways();
    proves(&forbidden, &CRASHES_AND_ERRORS).await;
    for way in [grace, same] {
        proves(&way, &DISTINCT).await;
    }
}

#[tokio::test]
async fn crashes_and_errors_heal_where_old_tokens_stop_or_stay() {
    let [_, _, fixed, stops, _] = ways();
    for way in [fixed, stops] {
        proves(&way, &[Fault::CrashAfter, Fault::ErrorAfter]).await;
    }
}

#[tokio::test]
async fn calls_that_hang_heal_or_stop_for_a_person() {
    let [.., forbidden] = ways();
    proves(&forbidden, &[Fault::HangBefore, Fault::HangAfter]).await;
}

#[tokio::test]
async fn events_that_meet_heal_within_the_grace() {
    let [grace, ..] = ways();
    proves(&grace, &[]).await;
}

#[tokio::test]
async fn events_that_meet_use_no_refresh_token_twice() {
    let [.., forbidden] = ways();
    proves(&forbidden, &[]).await;
}

/// The same rotator with a configuration that is not true of the provider.
#[tokio::test]
async fn a_configuration_that_claims_too_much_is_convicted() {
    for (chain, replay) in [
        (Chain::SingleUse, json!("same_value")),
        (Chain::SingleUse, json!({"grace_seconds": 30})),
    ] {
        let way = way(chain, replay);
        let violation = runs(&way, &[Fault::CrashAfter]).await;
        let violation = violation.expect_err("the grant was revoked");
        println!("{way:?}: {violation}");
        assert_eq!(violation.invariant, Invariant::CrashesHeal, "{violation}");
    }
}
