//! A target with two slots for keys that it names itself and shows once, like access keys of an AWS user.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Repeat, Retirement, Rotates, Rotator, RotatorError,
    Verdict,
};
use secrets_core::testing::{Invariant, Target, Trial, World};

use crate::{acquit, convict};

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    IgnoresTheEarlierTry,
    TakesEveryOtherKeyForAnOrphan,
}

#[derive(Clone)]
struct User {
    state: Arc<Mutex<State>>,
    world: World,
    crime: Option<Crime>,
}

#[derive(Default)]
struct State {
    keys: Vec<Made>,
    made: usize,
    down: bool,
}

/// A key as the target keeps it; it lists the name and the date, never the value.
#[derive(Clone)]
struct Made {
    id: String,
    value: String,
    on: SystemTime,
}

struct Key {
    id: String,
    value: String,
}

impl TryFrom<&SecretDocument> for Key {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            id: text("key_id")?,
            value: text("key")?,
        })
    }
}

impl State {
    /// `None` where both slots are taken.
    fn make(&mut self, on: SystemTime) -> Option<Made> {
        if self.keys.len() == 2 {
            return None;
        }
        self.made += 1;
        let (id, value) = (
            format!("AK{}", self.made),
            format!("sentinel-key-{}", self.made),
        );
        self.keys.push(Made { id, value, on });
        self.keys.last().cloned()
    }
}

fn fresh(crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<User, User> {
    async move |world| {
        let user = User {
            state: Arc::default(),
            world,
            crime,
        };
        let made = user.state().make(user.world.now()).expect("a free slot");
        let secret = format!(
            r#"{{"key_id": "{}", "key": "{}", "user": "app"}}"#,
            made.id, made.value
        );
        let secret = SecretDocument::from_text(&secret);
        Trial::new(user.clone(), secret, move || user.clone())
    }
}

impl User {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<(), RotatorError> {
        if self.state().down {
            return Err(RotatorError::unreachable("no connection").having_changed_nothing());
        }
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), RotatorError> {
        self.reach()?;
        self.world
            .effect("delete", async {
                self.state().keys.retain(|key| key.id != id);
            })
            .await
    }
}

impl Rotator for User {
    type Credential = Key;

    fn profile(&self) -> Profile {
        let repeat = match self.crime {
            Some(Crime::TakesEveryOtherKeyForAnOrphan) => Repeat::Free,
            _ => Repeat::Told,
        };
        Profile::new(
            Rotates::Keys(&["key_id", "key"]),
            Overlap::UntilNextRotation,
        )
        .holding(Live { rest: 1, peak: 2 })
        .retiring(Retirement::AfterPromotion)
        .repeating(repeat)
    }

    async fn create(&self, current: &Key, cx: &Context) -> Result<Patch, RotatorError> {
        self.reach()?;
        let other = self
            .state()
            .keys
            .iter()
            .find(|key| key.id != current.id)
            .cloned();
        if let Some(other) = other {
            let orphan = match self.crime {
                Some(Crime::IgnoresTheEarlierTry) => false,
                Some(Crime::TakesEveryOtherKeyForAnOrphan) => true,
                None => cx.tried_since().is_some_and(|since| other.on >= since),
            };
            if !orphan {
                let taken = "the other slot holds a key of somebody else's; delete it";
                return Err(RotatorError::refused(taken).having_changed_nothing());
            }
            self.delete(&other.id).await?;
        }
        let made = self
            .world
            .effect("make", async { self.state().make(self.world.now()) })
            .await?;
        let made = made.ok_or_else(|| RotatorError::refused("both slots are taken"))?;
        Ok(Patch::key("key_id", made.id.into()).and("key", made.value.into()))
    }

    async fn set(&self, _: Proven<'_, Key>, _: &Key, _: &Context) -> Result<(), RotatorError> {
        Err(RotatorError::rejected_by_target("the new key was deleted"))
    }

    async fn test(&self, candidate: &Key, _: &Context) -> Result<Verdict, RotatorError> {
        self.reach()?;
        let right = |key: &Made| key.id == candidate.id && key.value == candidate.value;
        Ok(if self.state().keys.iter().any(right) {
            Verdict::Accepted
        } else {
            Verdict::Rejected
        })
    }

    async fn retire(&self, retired: &Key, _: &[&Key], _: &Context) -> Result<(), RotatorError> {
        self.delete(&retired.id).await
    }
}

impl Target for User {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let right = |key: &Key| {
            let state = self.state();
            let mut keys = state.keys.iter();
            keys.any(|made| made.id == key.id && made.value == key.value)
        };
        Key::try_from(secret).is_ok_and(|key| right(&key))
    }

    async fn live(&self) -> Option<usize> {
        Some(self.state().keys.len())
    }

    async fn outage(&self, on: bool) -> bool {
        self.state().down = on;
        true
    }
}

#[tokio::test(start_paused = true)]
async fn two_slots_of_keys_that_are_shown_once_are_acquitted() {
    acquit("two slots, keys shown once", fresh(None)).await;
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_is_left_and_one_that_is_none_are_found_out() {
    for (crime, invariant) in [
        (Crime::IgnoresTheEarlierTry, Invariant::CrashesHeal),
        // Of two that run at once, each deletes what the other has just made.
        (Crime::TakesEveryOtherKeyForAnOrphan, Invariant::InUseIsKept),
    ] {
        convict(crime, invariant, fresh(Some(crime))).await;
    }
}
