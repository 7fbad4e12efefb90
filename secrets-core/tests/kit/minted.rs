//! A target that hands out one token, the same one until it is told to invalidate it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Invariant, Prover, Target, Trial, World};

use crate::{acquit, convict};

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    /// A crash before the new token was stored is one too many.
    InvalidatesOnlyWhatWorks,
    InvalidatesWithoutAsking,
    StoresADeadToken,
    ClaimsThatSetMakesTheGap,
    ClaimsAnOverlap,
}

#[derive(Clone)]
struct Issuer {
    state: Arc<Mutex<State>>,
    world: World,
    crime: Option<Crime>,
}

struct State {
    live: Option<String>,
    minted: usize,
    down: bool,
}

struct Token(SecretString);

impl TryFrom<&SecretDocument> for Token {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        secret.text("token").map(Self)
    }
}

fn fresh(crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<Issuer, Issuer> {
    async move |world| {
        let issuer = Issuer {
            state: Arc::new(Mutex::new(State {
                live: Some("sentinel-first".into()),
                minted: 0,
                down: false,
            })),
            world,
            crime,
        };
        let secret = SecretDocument::from_text(r#"{"token": "sentinel-first", "note": 1}"#);
        Trial::new(issuer.clone(), secret, move || issuer.clone())
    }
}

impl Issuer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, crime: Crime) -> bool {
        self.crime == Some(crime)
    }

    fn reach(&self) -> Result<(), RotatorError> {
        if self.state().down {
            return Err(RotatorError::unreachable("the issuer does not answer"));
        }
        Ok(())
    }

    /// The token endpoint: mints only where there is none.
    async fn ask(&self) -> Result<String, RotatorError> {
        self.reach()?;
        self.world
            .effect("ask", async {
                let mut state = self.state();
                if state.live.is_none() {
                    state.minted += 1;
                    state.live = Some(format!("sentinel-{}", state.minted));
                }
                state.live.clone().unwrap_or_default()
            })
            .await
    }

    async fn invalidate(&self) -> Result<(), RotatorError> {
        self.reach()?;
        self.world
            .effect("invalidate", async { self.state().live = None })
            .await
    }
}

impl Rotator for Issuer {
    type Credential = Token;

    fn profile(&self) -> Profile {
        let overlap = match self.crime {
            Some(Crime::ClaimsThatSetMakesTheGap) => Overlap::ReplaceInPlace,
            Some(Crime::ClaimsAnOverlap) => Overlap::UntilNextRotation,
            _ => Overlap::MintedInPlace,
        };
        Profile::new(Rotates::Keys(&["token"]), overlap)
    }

    async fn create(&self, current: &Token, _: &Context) -> Result<Patch, RotatorError> {
        let old = current.0.expose_secret();
        let found = self.ask().await?;
        if self.is(Crime::InvalidatesOnlyWhatWorks) && found != old {
            return Err(RotatorError::refused("the current token does not work"));
        }
        if found != old && !self.is(Crime::InvalidatesWithoutAsking) {
            return Ok(Patch::key("token", found.into()));
        }
        self.invalidate().await?;
        let minted = self.ask().await?;
        if self.is(Crime::StoresADeadToken) {
            return Ok(Patch::key("token", format!("{minted}-cut").into()));
        }
        Ok(Patch::key("token", minted.into()))
    }

    async fn set(&self, _: Proven<'_, Token>, _: &Token, _: &Context) -> Result<(), RotatorError> {
        Err(RotatorError::refused(
            "a token works from the start or never",
        ))
    }

    async fn test(&self, candidate: &Token, _: &Context) -> Result<Verdict, RotatorError> {
        self.reach()?;
        let right = self.state().live.as_deref() == Some(candidate.0.expose_secret());
        Ok(if right {
            Verdict::Accepted
        } else {
            Verdict::Rejected
        })
    }
}

impl Target for Issuer {
    async fn works(&self, secret: &SecretDocument) -> bool {
        secret
            .text("token")
            .is_ok_and(|token| self.state().live.as_deref() == Some(token.expose_secret()))
    }

    async fn live(&self) -> Option<usize> {
        Some(usize::from(self.state().live.is_some()))
    }

    async fn outage(&self, on: bool) -> bool {
        self.state().down = on;
        true
    }
}

#[tokio::test(start_paused = true)]
async fn one_token_that_is_minted_in_place_is_acquitted() {
    acquit("one token, minted in place", fresh(None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_declared_gap_excuses_nothing_else() {
    for (crime, invariant) in [
        (Crime::InvalidatesOnlyWhatWorks, Invariant::CrashesHeal),
        (Crime::InvalidatesWithoutAsking, Invariant::InUseIsKept),
        (Crime::StoresADeadToken, Invariant::NobodyLockedOut),
        (Crime::ClaimsThatSetMakesTheGap, Invariant::ProfileIsTrue),
        (Crime::ClaimsAnOverlap, Invariant::InUseIsKept),
    ] {
        convict(crime, invariant, fresh(Some(crime))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn orders_with_few_switches_are_few_and_find_a_race() {
    let number = async |prover: Prover<_>| {
        let proof = prover.faults(&[]).run().await;
        proof.expect("it is right").interleavings
    };
    let all = number(Prover::new(fresh(None))).await;
    let few = number(Prover::new(fresh(None)).switches(1)).await;
    assert!(few > 50 && few < all / 2, "{few} of {all}");
    let crime = Some(Crime::InvalidatesWithoutAsking);
    let prover = Prover::new(fresh(crime)).faults(&[]).switches(1);
    let race = prover.run().await.expect_err("a race");
    assert_eq!(race.invariant, Invariant::InUseIsKept, "{race}");
}
