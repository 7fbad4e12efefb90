//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;

use rotators::mongodb::SingleUser;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Trial, World};

use crate::crimes::{CrimeOfOne, CrimeOfTwo, Obeys, OneUser, TwoUsers};
use crate::culprit::{Wrong, is_convicted, is_convicted_of_a_race, is_innocent};
use crate::kit::{Bench, By, Users, single};
use crate::support::{DB, ROLES, describe, rights};

impl Obeys for Bench {
    fn has_user(&self, user: &str) -> bool {
        self.server.user(DB, user).is_some()
    }

    fn has_rights(&self, user: &str) -> bool {
        let rights = rights(&self.server, user);
        rights.get_array("roles").is_ok_and(|it| !it.is_empty())
    }

    fn make(&self, user: &str) {
        let password = "sentinel-nobody-knows";
        self.server.create_user(DB, user, password, &[]);
    }

    fn give_rights(&self, user: &str) {
        self.give_some_rights(user);
        describe(&self.server, user);
    }

    /// Theirs knows of roles alone.
    fn give_some_rights(&self, user: &str) {
        self.server.set_roles(DB, user, &ROLES);
    }

    fn set_password(&self, user: &str, password: &str) {
        self.server.set_password(DB, user, password);
    }
}

type Right = SingleUser<MemoryStore>;

fn one(
    server: &Arc<Bench>,
    world: &World,
    crime: Option<CrimeOfOne>,
) -> Trial<Wrong<OneUser<Bench, Right>>, Users> {
    let bench = Arc::clone(server);
    let make = move |store: &MemoryStore| {
        Wrong(OneUser {
            right: single(store),
            server: bench.clone(),
            crime,
        })
    };
    Arc::clone(server).trial(world, By::Itself, make)
}

fn two(
    server: &Arc<Bench>,
    world: &World,
    crime: Option<CrimeOfTwo>,
) -> Trial<Wrong<TwoUsers<Bench, Right>>, Users> {
    let (bench, surroundings) = (Arc::clone(server), world.clone());
    let make = move |store: &MemoryStore| {
        Wrong(TwoUsers {
            right: single(store),
            server: bench.clone(),
            world: surroundings.clone(),
            crime,
        })
    };
    Arc::clone(server).trial(world, By::Admin, make)
}

#[tokio::test]
async fn crimes_of_one_user_are_found_out() {
    let bench = Bench::start().await;
    for (crime, of) in [
        (
            CrimeOfOne::TakesDoubtForRefusal,
            Invariant::DoubtChangesNothing,
        ),
        (CrimeOfOne::TriesTwice, Invariant::NoLockout),
        (
            CrimeOfOne::PublishesWithoutATest,
            Invariant::NobodyLockedOut,
        ),
    ] {
        is_convicted(crime, of, async |world| one(&bench, &world, Some(crime))).await;
    }
    is_innocent(async |world| one(&bench, &world, None)).await;
}

#[tokio::test]
async fn crimes_of_two_users_are_found_out() {
    let bench = Bench::start().await;
    for (crime, of) in [
        (CrimeOfTwo::SetsThePasswordFirst, Invariant::NobodyLockedOut),
        (CrimeOfTwo::LeavesOutRights, Invariant::NobodyLockedOut),
        (CrimeOfTwo::ForgetsWhatACrashLeft, Invariant::CrashesHeal),
        (CrimeOfTwo::ReplacesInPlace, Invariant::ProfileIsTrue),
    ] {
        is_convicted(crime, of, async |world| two(&bench, &world, Some(crime))).await;
    }
    let (crime, of) = (CrimeOfTwo::SetsWhileItCreates, Invariant::InUseIsKept);
    is_convicted_of_a_race(crime, of, async |world| two(&bench, &world, Some(crime))).await;
    is_innocent(async |world| two(&bench, &world, None)).await;
}
