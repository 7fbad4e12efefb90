//! Rotators that are wrong on purpose: each is convicted of its own crime.

use harness::sqlserver::Encryption;
use secrets_core::testing::{Invariant, Trial, World};

use crate::crimes::{CrimeOfOne, CrimeOfTwo, Obeys, OneUser, TwoUsers};
use crate::culprit::{Wrong, is_convicted, is_convicted_of_a_race, is_innocent};
use crate::kit::{By, Outage, Users, single};
use crate::support::{AT_SERVER, Fixture, IN_SHOP, quoted};

impl Obeys for Fixture {
    fn has_user(&self, user: &str) -> bool {
        self.server.has_login(user)
    }

    fn has_rights(&self, user: &str) -> bool {
        let rights = self.server.rights(user);
        rights.iter().any(|it| it.contains("clerks"))
    }

    fn make(&self, user: &str) {
        self.server.add_login(user, "Sentinel-nobody-knows-1");
        self.give(user, "shop", &IN_SHOP[..1]);
    }

    fn give_rights(&self, user: &str) {
        self.give_some_rights(user);
        self.give(user, "master", &AT_SERVER);
    }

    /// Theirs sees to the secret's database alone.
    fn give_some_rights(&self, user: &str) {
        self.give(user, "shop", &IN_SHOP[1..]);
    }

    fn set_password(&self, user: &str, password: &str) {
        // The server takes none that it has had.
        if !self.server.has_password("shop", user, password) {
            let alter = format!("ALTER LOGIN {} WITH PASSWORD = N'{password}'", quoted(user));
            self.server.execute("master", &alter);
        }
    }
}

const PLAIN: Encryption = Encryption::NotSupported;

type Right = rotators::sqlserver::SingleUser<secrets_core::store::memory::MemoryStore>;

async fn one(
    world: World,
    crime: Option<CrimeOfOne>,
    outage: Outage,
) -> Trial<Wrong<OneUser<Fixture, Right>>, Users> {
    let (mut users, secret) = Users::start(&world, PLAIN, By::Itself).await;
    users.outage = outage;
    let server = users.fixture();
    Trial::new(users, secret, move || {
        Wrong(OneUser {
            right: single(world.store(), server.settings()),
            server: server.clone(),
            crime,
        })
    })
}

async fn two(
    world: World,
    crime: Option<CrimeOfTwo>,
) -> Trial<Wrong<TwoUsers<Fixture, Right>>, Users> {
    let (users, secret) = Users::start(&world, PLAIN, By::Admin).await;
    let server = users.fixture();
    Trial::new(users, secret, move || {
        Wrong(TwoUsers {
            right: single(world.store(), server.settings()),
            server: server.clone(),
            world: world.clone(),
            crime,
        })
    })
}

#[tokio::test]
async fn crimes_of_one_user_are_found_out() {
    for (crime, outage, of) in [
        (
            CrimeOfOne::TakesDoubtForRefusal,
            Outage::Network,
            Invariant::DoubtChangesNothing,
        ),
        // A login that is locked (18486) has said nothing about its password.
        (
            CrimeOfOne::TakesAnyCodeForRefusal,
            Outage::Lock,
            Invariant::DoubtChangesNothing,
        ),
        (
            CrimeOfOne::TriesTwice,
            Outage::Network,
            Invariant::NoLockout,
        ),
        (
            CrimeOfOne::PublishesWithoutATest,
            Outage::Network,
            Invariant::NobodyLockedOut,
        ),
    ] {
        let fresh = async |world| one(world, Some(crime), outage).await;
        is_convicted(crime, of, fresh).await;
    }
    for outage in [Outage::Network, Outage::Lock] {
        is_innocent(async |world| one(world, None, outage).await).await;
    }
}

#[tokio::test]
async fn crimes_of_two_users_are_found_out() {
    for (crime, of) in [
        (CrimeOfTwo::SetsThePasswordFirst, Invariant::NobodyLockedOut),
        (CrimeOfTwo::LeavesOutRights, Invariant::NobodyLockedOut),
        (CrimeOfTwo::ForgetsWhatACrashLeft, Invariant::CrashesHeal),
        (CrimeOfTwo::ReplacesInPlace, Invariant::ProfileIsTrue),
    ] {
        is_convicted(crime, of, async |world| two(world, Some(crime)).await).await;
    }
    let (crime, of) = (CrimeOfTwo::SetsWhileItCreates, Invariant::InUseIsKept);
    is_convicted_of_a_race(crime, of, async |world| two(world, Some(crime)).await).await;
    is_innocent(async |world| two(world, None).await).await;
}
