//! A target whose refresh token is used up when the next one is made, and that takes a second use for theft.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Repeat, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Invariant, Target, Trial, World};

use crate::{acquit, convict};

/// For so long after its first use, a refresh token gives the same answer again.
const GRACE: Duration = Duration::from_mins(1);

/// Shorter than that by as much as clocks may differ.
const DECLARED: Duration = Duration::from_secs(55);

/// What a target does when a refresh token is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    /// Ends the grant: no token of it works any more.
    EndsTheGrant,
    /// Ends the chain: access tokens work on.
    EndsTheChain,
    /// Forgives it for a while, then ends the grant.
    IsForgiven,
}

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    RepeatsAtWill,
    RepeatsOnceTheFirstTryIsOver,
    RepeatsForLongerThanIsForgiven,
    ClaimsToHaveChangedNothing,
    HasNobodyToAct,
}

#[derive(Clone)]
struct Issuer {
    state: Arc<Mutex<State>>,
    world: World,
    replay: Replay,
    crime: Option<Crime>,
}

struct State {
    /// The one refresh token that may be used; none once the chain has ended.
    refresh: Option<String>,
    /// The one before, when it was used, and what it gave.
    used: Option<(String, SystemTime, Tokens)>,
    /// The access tokens that work: the newest and the one before.
    access: Vec<String>,
    minted: usize,
    down: bool,
}

#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

impl TryFrom<&SecretDocument> for Tokens {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            access: text("access_token")?,
            refresh: text("refresh_token")?,
        })
    }
}

impl From<&Tokens> for SecretDocument {
    fn from(tokens: &Tokens) -> Self {
        let Tokens { access, refresh } = tokens;
        Self::from_text(&format!(
            r#"{{"client": "app", "access_token": "{access}", "refresh_token": "{refresh}"}}"#
        ))
    }
}

impl State {
    fn mint(&mut self) -> Tokens {
        self.minted += 1;
        let tokens = Tokens {
            access: format!("sentinel-access-{}", self.minted),
            refresh: format!("sentinel-refresh-{}", self.minted),
        };
        self.refresh = Some(tokens.refresh.clone());
        self.access.insert(0, tokens.access.clone());
        self.access.truncate(2);
        tokens
    }

    /// The token endpoint. `None` is `invalid_grant`.
    fn exchange(&mut self, token: &str, now: SystemTime, replay: Replay) -> Option<Tokens> {
        if self.refresh.as_deref() == Some(token) {
            let tokens = self.mint();
            self.used = Some((token.to_owned(), now, tokens.clone()));
            return Some(tokens);
        }
        if let (Replay::IsForgiven, Some((used, at, tokens))) = (replay, &self.used)
            && used == token
            && now < *at + GRACE
        {
            return Some(tokens.clone());
        }
        self.refresh = None;
        if replay != Replay::EndsTheChain {
            self.access.clear();
        }
        None
    }
}

fn fresh(replay: Replay, crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<Issuer, Issuer> {
    async move |world| {
        let issuer = Issuer {
            state: Arc::new(Mutex::new(State {
                refresh: None,
                used: None,
                access: Vec::new(),
                minted: 0,
                down: false,
            })),
            world,
            replay,
            crime,
        };
        let secret = SecretDocument::from(&issuer.state().mint());
        Trial::new(issuer.clone(), secret, move || issuer.clone())
    }
}

impl Issuer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<(), RotatorError> {
        if self.state().down {
            return Err(RotatorError::unreachable("no connection").having_changed_nothing());
        }
        Ok(())
    }
}

impl Rotator for Issuer {
    type Credential = Tokens;

    fn profile(&self) -> Profile {
        let rotates = Rotates::Keys(&["access_token", "refresh_token"]);
        let right = match self.replay {
            Replay::IsForgiven => Repeat::Within(DECLARED),
            _ => Repeat::Never,
        };
        Profile::new(rotates, Overlap::UntilNextRotation)
            .holding(Live { rest: 1, peak: 1 })
            .repeating(match self.crime {
                Some(Crime::RepeatsAtWill) => Repeat::Free,
                Some(Crime::RepeatsOnceTheFirstTryIsOver) => Repeat::Told,
                Some(Crime::RepeatsForLongerThanIsForgiven) => Repeat::Within(GRACE * 2),
                _ => right,
            })
    }

    async fn create(&self, current: &Tokens, _: &Context) -> Result<Patch, RotatorError> {
        self.reach()?;
        let answer = self
            .world
            .effect("exchange", async {
                let now = self.world.now();
                self.state().exchange(&current.refresh, now, self.replay)
            })
            .await;
        let answer = match self.crime {
            Some(Crime::ClaimsToHaveChangedNothing) => {
                answer.map_err(RotatorError::having_changed_nothing)
            }
            _ => answer,
        };
        let tokens = answer?.ok_or_else(|| {
            RotatorError::refused("the refresh token was used; authorise again")
                .with_code("invalid_grant")
        })?;
        let patch = Patch::key("access_token", tokens.access.into());
        Ok(patch.and("refresh_token", tokens.refresh.into()))
    }

    async fn set(
        &self,
        _: Proven<'_, Tokens>,
        _: &Tokens,
        _: &Context,
    ) -> Result<(), RotatorError> {
        Err(RotatorError::refused(
            "a token works from the start or never",
        ))
    }

    async fn test(&self, candidate: &Tokens, _: &Context) -> Result<Verdict, RotatorError> {
        self.reach()?;
        Ok(if self.state().access.contains(&candidate.access) {
            Verdict::Accepted
        } else {
            Verdict::Rejected
        })
    }
}

impl Target for Issuer {
    /// Applications use the access token, so this sees no refresh token that is used up.
    async fn works(&self, secret: &SecretDocument) -> bool {
        Tokens::try_from(secret).is_ok_and(|tokens| self.state().access.contains(&tokens.access))
    }

    async fn live(&self) -> Option<usize> {
        Some(usize::from(self.state().refresh.is_some()))
    }

    async fn outage(&self, on: bool) -> bool {
        self.state().down = on;
        true
    }

    async fn reauthorise(&self) -> Option<SecretDocument> {
        if self.crime == Some(Crime::HasNobodyToAct) {
            return None;
        }
        let mut state = self.state();
        state.access.clear();
        Some(SecretDocument::from(&state.mint()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_use_chain_is_acquitted_whatever_a_replay_does() {
    acquit(
        "a single-use chain, replay ends the grant",
        fresh(Replay::EndsTheGrant, None),
    )
    .await;
    acquit(
        "a single-use chain, replay ends the chain",
        fresh(Replay::EndsTheChain, None),
    )
    .await;
    acquit(
        "a single-use chain, replay forgiven for a minute",
        fresh(Replay::IsForgiven, None),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_used_up_twice_is_found_out() {
    let in_use = Invariant::InUseIsKept;
    for (replay, crime, invariant) in [
        (Replay::EndsTheGrant, Crime::RepeatsAtWill, in_use),
        // The access tokens hide it for a while; no further rotation comes to its end.
        (
            Replay::EndsTheChain,
            Crime::RepeatsAtWill,
            Invariant::CrashesHeal,
        ),
        (
            Replay::EndsTheGrant,
            Crime::RepeatsOnceTheFirstTryIsOver,
            in_use,
        ),
        (
            Replay::IsForgiven,
            Crime::RepeatsForLongerThanIsForgiven,
            in_use,
        ),
        (
            Replay::EndsTheGrant,
            Crime::ClaimsToHaveChangedNothing,
            in_use,
        ),
        (
            Replay::EndsTheGrant,
            Crime::HasNobodyToAct,
            Invariant::CrashesHeal,
        ),
    ] {
        convict(crime, invariant, fresh(replay, Some(crime))).await;
    }
}
