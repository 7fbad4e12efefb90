//! A target with one or two passwords for one identity, like PostgreSQL or MySQL.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretStore;
use secrets_core::testing::{Invariant, Prover, Target, Trial, World};

use crate::{acquit, convict};

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    SetsSomethingElse,
    LeavesALockBehind,
    TakesUnreachableForRejected,
    LogsTheValue,
    ReportsTheValue,
    LoopsOnARefusedPassword,
    NeverDiffers,
    TakesTwoValuesInTurn,
    RemembersBetweenInvocations,
    ReachesAroundTheEngine,
    DropsUnknownKeys,
    ChangesTheHost,
    HidesTheGap,
    RepeatsRetain,
}

/// How many passwords the target holds for the one identity, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slots {
    One,
    Two,
}

#[derive(Clone)]
struct Fake {
    state: Arc<Mutex<State>>,
    world: World,
    slots: Slots,
    crime: Option<Crime>,
    /// Of this rotator alone: gone with the process.
    memory: Arc<Mutex<Option<String>>>,
}

struct State {
    passwords: Vec<String>,
    refused: usize,
    minted: usize,
    down: bool,
    locked: bool,
}

struct Password(SecretString);

impl TryFrom<&SecretDocument> for Password {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        secret.text("password").map(Self)
    }
}

fn fresh(slots: Slots, crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<Fake, Fake> {
    async move |world| {
        let fake = Fake {
            state: Arc::new(Mutex::new(State {
                passwords: vec!["sentinel-first".into()],
                refused: 0,
                minted: 0,
                down: false,
                locked: false,
            })),
            world,
            slots,
            crime,
            memory: Arc::default(),
        };
        let secret = r#"{"host": "db", "password": "sentinel-first", "note": 1.50}"#;
        let secret = SecretDocument::from_text(secret);
        Trial::new(fake.clone(), secret, move || Fake {
            memory: Arc::default(),
            ..fake.clone()
        })
    }
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, crime: Crime) -> bool {
        self.crime == Some(crime)
    }

    /// One login, as the target sees it.
    fn login(&self, password: &Password) -> Result<bool, RotatorError> {
        let mut state = self.state();
        if state.down {
            return Err(RotatorError::unreachable("the target does not answer"));
        }
        let right = state
            .passwords
            .iter()
            .any(|held| held == password.0.expose_secret());
        state.refused += usize::from(!right);
        Ok(right)
    }

    fn change(&self, wanted: &str) {
        let mut state = self.state();
        let known = state.passwords.first().is_some_and(|held| held == wanted);
        if known && !self.is(Crime::RepeatsRetain) {
            return;
        }
        state.passwords.insert(0, wanted.to_owned());
        state
            .passwords
            .truncate(if self.slots == Slots::Two { 2 } else { 1 });
    }
}

impl Rotator for Fake {
    type Credential = Password;

    fn profile(&self) -> Profile {
        let overlap = match self.slots {
            Slots::One if !self.is(Crime::HidesTheGap) => Overlap::ReplaceInPlace,
            _ => Overlap::UntilNextRotation,
        };
        Profile::new(Rotates::Keys(&["password"]), overlap).holding(match self.slots {
            Slots::One => Live { rest: 1, peak: 1 },
            Slots::Two => Live { rest: 2, peak: 2 },
        })
    }

    async fn create(&self, current: &Password, _: &Context) -> Result<Patch, RotatorError> {
        let fresh = {
            let mut state = self.state();
            state.minted += 1;
            format!("sentinel-{}", state.minted)
        };
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        if self.is(Crime::LogsTheValue) {
            tracing::info!(password = fresh, "made a password");
        }
        Ok(match self.crime {
            Some(Crime::NeverDiffers) => Patch::key("password", current.0.clone()),
            Some(Crime::TakesTwoValuesInTurn) => {
                let odd = current.0.expose_secret() == "sentinel-odd";
                Patch::key(
                    "password",
                    if odd { "sentinel-even" } else { "sentinel-odd" }.into(),
                )
            }
            Some(Crime::DropsUnknownKeys) => {
                Patch::Text(format!(r#"{{"host": "db", "password": "{fresh}"}}"#).into())
            }
            Some(Crime::ChangesTheHost) => {
                Patch::key("password", fresh.into()).and("host", "elsewhere".into())
            }
            _ => Patch::key("password", fresh.into()),
        })
    }

    async fn set(
        &self,
        login: Proven<'_, Password>,
        pending: &Password,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let wanted = pending.0.expose_secret().to_owned();
        if self.is(Crime::RemembersBetweenInvocations) {
            let remembered = self
                .memory
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if remembered.as_ref() != Some(&wanted) {
                return Err(RotatorError::refused(
                    "this is not the password that create made",
                ));
            }
        }
        if !self.login(login.credential())? {
            return Err(RotatorError::refused("the login was accepted a moment ago"));
        }
        if self.is(Crime::LeavesALockBehind) {
            if std::mem::replace(&mut self.state().locked, true) {
                return Err(RotatorError::refused("somebody holds the lock"));
            }
            self.world.effect("lock", async {}).await?;
        }
        if self.is(Crime::ReachesAroundTheEngine) {
            let own = SecretDocument::from_text(r#"{"password": "sentinel-own"}"#);
            let version = "somebody-elses-version-0123456789".into();
            let put = self
                .world
                .store()
                .put_pending(cx.secret(), &version, &own, None)
                .await;
            put.map_err(|_| RotatorError::refused("the store refused"))?;
        }
        let wanted = if self.is(Crime::SetsSomethingElse) {
            wanted.replace("sentinel", "mangled")
        } else {
            wanted
        };
        self.world
            .effect("password", async { self.change(&wanted) })
            .await?;
        self.state().locked = false;
        if self.is(Crime::ReportsTheValue) {
            return Err(RotatorError::refused(format!(
                "ALTER ROLE app PASSWORD '{wanted}'"
            )));
        }
        Ok(())
    }

    async fn test(&self, candidate: &Password, _: &Context) -> Result<Verdict, RotatorError> {
        let tries = if self.is(Crime::LoopsOnARefusedPassword) {
            3
        } else {
            1
        };
        for _ in 0..tries {
            match self.login(candidate) {
                Ok(true) => return Ok(Verdict::Accepted),
                Ok(false) => {}
                Err(_) if self.is(Crime::TakesUnreachableForRejected) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(Verdict::Rejected)
    }
}

impl Target for Fake {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let password = secret.text("password");
        password.is_ok_and(|password| {
            self.state()
                .passwords
                .iter()
                .any(|held| held == password.expose_secret())
        })
    }

    async fn live(&self) -> Option<usize> {
        Some(self.state().passwords.len())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.state().refused)
    }

    async fn outage(&self, on: bool) -> bool {
        self.state().down = on;
        true
    }
}

#[tokio::test(start_paused = true)]
async fn one_slot_and_two_slots_done_right_are_acquitted() {
    acquit("one slot, replaced in place", fresh(Slots::One, None)).await;
    acquit("two slots, one identity", fresh(Slots::Two, None)).await;
}

#[tokio::test(start_paused = true)]
async fn each_crime_is_found_for_what_it_is() {
    for (slots, crime, invariant) in [
        (
            Slots::One,
            Crime::SetsSomethingElse,
            Invariant::NobodyLockedOut,
        ),
        (Slots::One, Crime::LeavesALockBehind, Invariant::CrashesHeal),
        (
            Slots::One,
            Crime::TakesUnreachableForRejected,
            Invariant::DoubtChangesNothing,
        ),
        (Slots::One, Crime::LogsTheValue, Invariant::NothingLeaks),
        (Slots::One, Crime::ReportsTheValue, Invariant::NothingLeaks),
        (
            Slots::One,
            Crime::LoopsOnARefusedPassword,
            Invariant::NoLockout,
        ),
        (Slots::One, Crime::NeverDiffers, Invariant::ValueChanges),
        (
            Slots::One,
            Crime::TakesTwoValuesInTurn,
            Invariant::ValueChanges,
        ),
        (
            Slots::One,
            Crime::RemembersBetweenInvocations,
            Invariant::CrashesHeal,
        ),
        (
            Slots::One,
            Crime::ReachesAroundTheEngine,
            Invariant::ForeignPendingStays,
        ),
        (
            Slots::One,
            Crime::DropsUnknownKeys,
            Invariant::RestOfSecretStays,
        ),
        (
            Slots::One,
            Crime::ChangesTheHost,
            Invariant::RestOfSecretStays,
        ),
        (Slots::One, Crime::HidesTheGap, Invariant::ProfileIsTrue),
        (
            Slots::Two,
            Crime::RepeatsRetain,
            Invariant::RepeatsAreHarmless,
        ),
    ] {
        convict(crime, invariant, fresh(slots, Some(crime))).await;
    }
}

/// Without the key and the place an author looks for a leak where there is none: a name that rotates counts as a
/// secret until the trial says otherwise.
#[tokio::test(start_paused = true)]
async fn a_leak_is_reported_with_its_key_and_its_place() {
    for (crime, seen) in [
        (
            Crime::LogsTheValue,
            "what `password` holds is in the field `password` of a log event (clear)",
        ),
        (
            Crime::ReportsTheValue,
            "what `password` holds is in the error of a step, or its Debug (clear)",
        ),
    ] {
        let prover = Prover::new(fresh(Slots::One, Some(crime)));
        let violation = prover.run().await.expect_err("it leaks");
        assert!(violation.seen.starts_with(seen), "{violation}");
        let text = violation.to_string();
        assert!(text.contains("`Target::is_secret`"), "{text}");
        assert!(!text.contains("sentinel"), "{text}");
    }
}

async fn replays(schedule: &str) {
    let prover = Prover::new(fresh(Slots::One, None));
    assert_eq!(prover.replay(schedule).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_schedule_of_a_right_rotator_is_run() {
    for schedule in ["contract", "stale@2.1", "setSecret+setSecret:01"] {
        replays(schedule).await;
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no such schedule: ``")]
async fn no_schedule_is_no_proof() {
    replays("").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the first call is 1")]
async fn a_call_before_the_first_is_no_schedule() {
    replays("stale@1.0").await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "a turn is 0 or 1")]
async fn a_turn_of_a_third_invocation_is_no_schedule() {
    replays("setSecret+setSecret:012").await;
}
