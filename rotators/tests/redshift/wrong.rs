//! Rotators that are wrong on purpose: each is convicted of its own crime.

use std::sync::Arc;

use harness::redshift::StoredAs;
use rotators::redshift::SingleUser;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Trial, World};

use crate::crimes::{CrimeOfOne, CrimeOfTwo, Obeys, OneUser, TwoUsers};
use crate::culprit::{Wrong, is_convicted, is_convicted_of_a_race, is_innocent};
use crate::kit::{Server, Users};
use crate::kit_pairs::{make_room, rights_of, tables_of};
use crate::support::settings;

impl Obeys for Server {
    fn has_user(&self, user: &str) -> bool {
        self.fake.has_user(user)
    }

    fn has_rights(&self, user: &str) -> bool {
        // The first line is what the user is.
        self.fake.portrait(user).len() > 1
    }

    fn make(&self, user: &str) {
        self.fake.put_user(user, "", StoredAs::Disabled);
    }

    fn give_rights(&self, user: &str) {
        self.fake.run(&rights_of(user));
    }

    /// Theirs knows of no groups, roles and settings.
    fn give_some_rights(&self, user: &str) {
        self.fake.run(&tables_of(user));
    }

    fn set_password(&self, user: &str, password: &str) {
        self.fake.put_user(user, password, StoredAs::Sha256);
    }
}

type Right = SingleUser<MemoryStore>;

fn right(world: &World) -> Right {
    SingleUser::new(world.store().clone(), settings())
}

fn one(
    server: &Arc<Server>,
    world: World,
    crime: Option<CrimeOfOne>,
) -> Trial<Wrong<OneUser<Server, Right>>, Users> {
    let (users, secret) = Arc::clone(server).user(&world, StoredAs::Sha256);
    let server = Arc::clone(server);
    Trial::new(users, secret, move || {
        Wrong(OneUser {
            right: right(&world),
            server: server.clone(),
            crime,
        })
    })
}

fn two(
    server: &Arc<Server>,
    world: World,
    crime: Option<CrimeOfTwo>,
) -> Trial<Wrong<TwoUsers<Server, Right>>, Users> {
    let (users, secret) = Arc::clone(server).user(&world, StoredAs::Sha256);
    server.give_rights(users.name());
    let server = Arc::clone(server);
    Trial::new(users, secret, move || {
        Wrong(TwoUsers {
            right: right(&world),
            server: server.clone(),
            world: world.clone(),
            crime,
        })
    })
}

#[tokio::test]
async fn crimes_of_one_user_are_found_out() {
    let server = Server::start().await;
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
        is_convicted(crime, of, async |world| one(&server, world, Some(crime))).await;
    }
    is_innocent(async |world| one(&server, world, None)).await;
}

#[tokio::test]
async fn crimes_of_two_users_are_found_out() {
    let server = Server::start().await;
    make_room(&server.fake);
    for (crime, of) in [
        (CrimeOfTwo::SetsThePasswordFirst, Invariant::NobodyLockedOut),
        (CrimeOfTwo::LeavesOutRights, Invariant::NobodyLockedOut),
        (CrimeOfTwo::ForgetsWhatACrashLeft, Invariant::CrashesHeal),
        (CrimeOfTwo::ReplacesInPlace, Invariant::ProfileIsTrue),
    ] {
        is_convicted(crime, of, async |world| two(&server, world, Some(crime))).await;
    }
    let (crime, of) = (CrimeOfTwo::SetsWhileItCreates, Invariant::InUseIsKept);
    is_convicted_of_a_race(crime, of, async |world| two(&server, world, Some(crime))).await;
    is_innocent(async |world| two(&server, world, None)).await;
}
