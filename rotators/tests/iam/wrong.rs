//! Rotators that are wrong on purpose: the kit must find out each of them.

use std::sync::Arc;
use std::time::Duration;

use harness::iam::FakeIam;
use rotators::iam::{IamCredential, IamKey};
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Repeat, Rotator, RotatorError, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Prover, Trial, World};

use crate::culprit::is_convicted;
use crate::kit::Account;
use crate::{Manager, USER, populate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    /// Makes a key and deletes all others, the one that is still in use among them.
    DeletesWhatItReplaces,
    /// Does not look for what an earlier try has left.
    LeavesTheOrphan,
    /// Deletes each key that it does not know, whoever made it.
    DeletesTheUnknown,
    /// The next rotation does not know what to delete.
    ForgetsThePreviousKey,
    TakesNoAnswerForARefusal,
}

/// The right rotator with one fault.
struct Wrong {
    right: IamKey<MemoryStore>,
    iam: Arc<FakeIam>,
    crime: Crime,
}

impl Wrong {
    fn is(&self, crime: Crime) -> bool {
        self.crime == crime
    }
}

impl Rotator for Wrong {
    type Credential = IamCredential;

    fn profile(&self) -> Profile {
        if self.is(Crime::DeletesTheUnknown) {
            return self.right.profile().repeating(Repeat::Free);
        }
        self.right.profile()
    }

    async fn create(&self, current: &IamCredential, cx: &Context) -> Result<Patch, RotatorError> {
        let cx = if self.is(Crime::LeavesTheOrphan) {
            cx.clone().with_tried_since(None)
        } else {
            cx.clone()
        };
        let shown = format!("{current:?}");
        if self.is(Crime::DeletesTheUnknown) {
            for id in self.iam.keys(USER) {
                if !shown.contains(&id) {
                    self.iam.delete_key(USER, &id);
                }
            }
        }
        let patch = self.right.create(current, &cx).await?;
        if self.is(Crime::DeletesWhatItReplaces) {
            for id in self.iam.keys(USER) {
                if shown.contains(&id) {
                    self.iam.delete_key(USER, &id);
                }
            }
        }
        match patch {
            Patch::Keys(mut keys) if self.is(Crime::ForgetsThePreviousKey) => {
                keys.retain(|(key, _)| key != "previous_access_key_id");
                Ok(Patch::Keys(keys))
            }
            patch => Ok(patch),
        }
    }

    async fn set(
        &self,
        login: Proven<'_, IamCredential>,
        pending: &IamCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        self.right.set(login, pending, cx).await
    }

    async fn test(&self, candidate: &IamCredential, cx: &Context) -> Result<Verdict, RotatorError> {
        match self.right.test(candidate, cx).await {
            Err(_) if self.is(Crime::TakesNoAnswerForARefusal) => Ok(Verdict::Rejected),
            answer => answer,
        }
    }
}

async fn trial(world: World, crime: Crime) -> Trial<Wrong, Account> {
    let iam = Arc::new(FakeIam::start().await);
    let clock = world.clone();
    iam.set_clock(move || clock.now());
    let (secret, mut settings) = populate(&iam, world.store(), Manager::Role);
    settings.propagation = Duration::from_millis(100);
    let account = Account {
        iam: Arc::clone(&iam),
        counts_refusals: false,
    };
    Trial::new(account, secret, move || Wrong {
        right: IamKey::new(world.store().clone(), settings.clone()),
        iam: Arc::clone(&iam),
        crime,
    })
}

#[tokio::test]
async fn each_crime_is_found_for_what_it_is() {
    for (crime, invariant) in [
        (Crime::DeletesWhatItReplaces, Invariant::InUseIsKept),
        (Crime::LeavesTheOrphan, Invariant::CrashesHeal),
        (Crime::ForgetsThePreviousKey, Invariant::CrashesHeal),
        (
            Crime::TakesNoAnswerForARefusal,
            Invariant::DoubtChangesNothing,
        ),
    ] {
        is_convicted(crime, invariant, async |world| trial(world, crime).await).await;
    }
}

/// The order that the kit reports after a search through all of them.
#[tokio::test]
async fn a_key_that_another_invocation_has_made_is_not_to_be_deleted() {
    let prover = Prover::new(async |world| trial(world, Crime::DeletesTheUnknown).await)
        .step_timeout(Duration::from_secs(20));
    let violation = prover.replay("createSecret+createSecret:00011111000").await;
    let violation = violation.expect_err("a key in use was deleted");
    assert_eq!(violation.invariant, Invariant::InUseIsKept, "{violation}");
}
