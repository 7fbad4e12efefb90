//! A target that keeps keys under names, made and deleted one by one, like most APIs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Invariant, Target, Trial, World};

use crate::{acquit, convict};

/// What a rotator does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    MintsAgainOnRetry,
    DeletesByAge,
    RevokesWhatIsCurrent,
    MintsInAProbe,
    FailsWhereAlreadyGone,
    AcceptsWhatIsRefused,
}

#[derive(Clone)]
struct Fake {
    keys: Arc<Mutex<Keys>>,
    world: World,
    retires: Retirement,
    crime: Option<Crime>,
}

#[derive(Default)]
struct Keys {
    /// Name and value of each key, with its age in keys made since.
    live: BTreeMap<String, (u32, String)>,
    made: u32,
    down: bool,
}

struct Key {
    name: String,
    value: String,
}

impl TryFrom<&SecretDocument> for Key {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            name: text("key_id")?,
            value: text("key")?,
        })
    }
}

fn fresh(retires: Retirement, crime: Option<Crime>) -> impl AsyncFn(World) -> Trial<Fake, Fake> {
    async move |world| {
        let fake = Fake {
            keys: Arc::default(),
            world,
            retires,
            crime,
        };
        let value = fake.keys().make("first");
        let secret = format!(r#"{{"key_id": "first", "key": "{value}", "scope": ["read"]}}"#);
        let secret = SecretDocument::from_text(&secret);
        Trial::new(fake.clone(), secret, move || fake.clone())
    }
}

impl Keys {
    /// Makes the key of that name, or finds it.
    fn make(&mut self, name: &str) -> String {
        self.made += 1;
        let made = self.made;
        let (_, value) = self
            .live
            .entry(name.to_owned())
            .or_insert_with(|| (made, format!("sentinel-key-{made}")));
        value.clone()
    }
}

impl Fake {
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self) -> Result<(), RotatorError> {
        if self.keys().down {
            return Err(RotatorError::unreachable("the api does not answer"));
        }
        Ok(())
    }

    fn is(&self, crime: Crime) -> bool {
        self.crime == Some(crime)
    }
}

impl Rotator for Fake {
    type Credential = Key;

    fn profile(&self) -> Profile {
        let rotates = Rotates::Keys(&["key_id", "key"]);
        let profile = Profile::new(rotates, Overlap::UntilNextRotation).retiring(self.retires);
        match (self.crime, self.retires) {
            // With room for it, so that only its own crime shows.
            (Some(Crime::MintsInAProbe), _) => profile.holding(Live {
                rest: 999,
                peak: 999,
            }),
            (_, Retirement::AfterPromotion) => profile.holding(Live { rest: 1, peak: 2 }),
            _ => profile,
        }
    }

    async fn create(&self, _: &Key, cx: &Context) -> Result<Patch, RotatorError> {
        self.reach()?;
        let name = if self.is(Crime::MintsAgainOnRetry) {
            format!("key {}", self.keys().made)
        } else {
            cx.version().to_string()
        };
        let made = self
            .world
            .effect("make", async { self.keys().make(&name) })
            .await?;
        Ok(Patch::key("key_id", name.into()).and("key", made.into()))
    }

    async fn set(&self, _: Proven<'_, Key>, _: &Key, _: &Context) -> Result<(), RotatorError> {
        Err(RotatorError::refused(
            "a key works from the moment it is made; this one is gone",
        ))
    }

    async fn test(&self, candidate: &Key, _: &Context) -> Result<Verdict, RotatorError> {
        self.reach()?;
        if self.is(Crime::MintsInAProbe) {
            let name = format!("probe {}", self.keys().made);
            self.keys().make(&name);
        }
        if self.is(Crime::AcceptsWhatIsRefused) {
            return Ok(Verdict::Accepted);
        }
        let keys = self.keys();
        let held = keys.live.get(&candidate.name);
        Ok(
            if held.is_some_and(|(_, value)| *value == candidate.value) {
                Verdict::Accepted
            } else {
                Verdict::Rejected
            },
        )
    }

    async fn retire(&self, retired: &Key, kept: &[&Key], _: &Context) -> Result<(), RotatorError> {
        self.reach()?;
        let name = match self.crime {
            Some(Crime::DeletesByAge) => {
                let keys = self.keys();
                // All but the newest.
                let old = keys.live.iter().min_by_key(|(_, (age, _))| *age);
                old.filter(|_| keys.live.len() > 1)
                    .map(|(name, _)| name.clone())
            }
            Some(Crime::RevokesWhatIsCurrent) => kept.first().map(|kept| kept.name.clone()),
            _ => Some(retired.name.clone()),
        };
        let gone = self.world.effect("delete", async {
            name.is_none_or(|name| self.keys().live.remove(&name).is_none())
        });
        if gone.await? && self.is(Crime::FailsWhereAlreadyGone) {
            return Err(RotatorError::refused("there is no such key").with_code("404"));
        }
        Ok(())
    }
}

impl Target for Fake {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let keys = self.keys();
        Key::try_from(secret).is_ok_and(|key| {
            keys.live
                .get(&key.name)
                .is_some_and(|(_, value)| *value == key.value)
        })
    }

    async fn live(&self) -> Option<usize> {
        Some(self.keys().live.len())
    }

    async fn outage(&self, on: bool) -> bool {
        self.keys().down = on;
        true
    }
}

#[tokio::test(start_paused = true)]
async fn keys_retired_when_superseded_or_after_promotion_are_acquitted() {
    acquit(
        "keys, retired when superseded",
        fresh(Retirement::WhenSuperseded, None),
    )
    .await;
    acquit(
        "keys, retired after promotion",
        fresh(Retirement::AfterPromotion, None),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn each_crime_is_found_for_what_it_is() {
    let superseded = Retirement::WhenSuperseded;
    for (retires, crime, invariant) in [
        (
            superseded,
            Crime::MintsAgainOnRetry,
            Invariant::NothingPilesUp,
        ),
        (
            superseded,
            Crime::RevokesWhatIsCurrent,
            Invariant::InUseIsKept,
        ),
        (
            superseded,
            Crime::MintsInAProbe,
            Invariant::RepeatsAreHarmless,
        ),
        (
            superseded,
            Crime::FailsWhereAlreadyGone,
            Invariant::CrashesHeal,
        ),
        (
            superseded,
            Crime::AcceptsWhatIsRefused,
            Invariant::DoubtChangesNothing,
        ),
        (
            Retirement::AfterPromotion,
            Crime::DeletesByAge,
            Invariant::InUseIsKept,
        ),
    ] {
        convict(crime, invariant, fresh(retires, Some(crime))).await;
    }
}
