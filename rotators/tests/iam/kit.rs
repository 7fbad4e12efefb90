//! The kit, over the fake. What a call of the rotator leaves behind when it is cut off between two of its
//! requests is in `cut_off`.

use std::sync::Arc;
use std::time::Duration;

use harness::iam::FakeIam;
use rotators::iam::{IamKey, Retire};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};

use crate::faults::{CRASHES_AND_ERRORS, DISTINCT, with_faults};
use crate::{Manager, USER, populate};

/// The truth about one account.
pub(crate) struct Account {
    pub(crate) iam: Arc<FakeIam>,
    /// Not where new keys are refused for a while: those refusals are waited out.
    pub(crate) counts_refusals: bool,
}

impl Target for Account {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text");
        self.iam.serves(
            text("access_key_id").expose_secret(),
            text("secret_access_key").expose_secret(),
        )
    }

    async fn live(&self) -> Option<usize> {
        Some(self.iam.keys(USER).len())
    }

    async fn refused_logins(&self) -> Option<usize> {
        self.counts_refusals.then(|| self.iam.refused())
    }

    async fn outage(&self, on: bool) -> bool {
        self.iam.set_down(on);
        true
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    manager: Manager,
    retire: Retire,
    /// How often a new key is refused.
    refusals: usize,
}

const PLAIN: Case = Case {
    manager: Manager::Role,
    retire: Retire::NextRotation,
    refusals: 0,
};

async fn trial(world: World, case: Case) -> Trial<IamKey<MemoryStore>, Account> {
    let iam = FakeIam::start().await;
    let clock = world.clone();
    iam.set_clock(move || clock.now());
    let (secret, mut settings) = populate(&iam, world.store(), case.manager);
    settings.retire = case.retire;
    iam.refuse_new_keys(case.refusals);
    let account = Account {
        iam: Arc::new(iam),
        counts_refusals: case.refusals == 0,
    };
    Trial::new(account, secret, move || {
        IamKey::new(world.store().clone(), settings.clone())
    })
}

/// With these faults; without any, two invocations side by side.
async fn proves(case: Case, faults: &[Fault]) {
    let prover = Prover::new(async |world| trial(world, case).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    match prover.run().await {
        Ok(proof) => println!("{case:?}: {proof}"),
        Err(violation) => panic!("{case:?}: {violation}"),
    }
}

/// Those of them after which something is left behind.
const AFTER_THE_EFFECT: [Fault; 2] = [Fault::CrashAfter, Fault::ErrorAfter];

#[tokio::test]
async fn crashes_and_errors_heal() {
    proves(PLAIN, &CRASHES_AND_ERRORS).await;
}

#[tokio::test]
async fn crashes_and_errors_heal_where_keys_are_retired_after_the_promotion() {
    let case = Case {
        retire: Retire::AfterPromotion,
        ..PLAIN
    };
    proves(case, &DISTINCT).await;
}

#[tokio::test]
async fn crashes_and_errors_heal_where_the_user_manages_itself() {
    let case = Case {
        manager: Manager::User,
        ..PLAIN
    };
    proves(case, &AFTER_THE_EFFECT).await;
}

#[tokio::test]
async fn crashes_and_errors_heal_where_another_user_manages_the_keys() {
    let case = Case {
        manager: Manager::Master,
        ..PLAIN
    };
    proves(case, &AFTER_THE_EFFECT).await;
}

#[tokio::test]
async fn crashes_and_errors_heal_where_new_keys_take_their_time() {
    let case = Case {
        refusals: 1,
        ..PLAIN
    };
    proves(case, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn calls_that_hang_before_their_effect_heal() {
    proves(PLAIN, &[Fault::HangBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_after_their_effect_heal() {
    proves(PLAIN, &[Fault::HangAfter]).await;
}

#[tokio::test]
async fn events_that_meet_heal() {
    proves(PLAIN, &[]).await;
}
