//! The kit, with pairs of users of the fake.

use std::sync::Arc;
use std::time::Duration;

use harness::redshift::{Kind, RedshiftFake, StoredAs};
use rotators::redshift::{AlternatingUsers, PairSettings};
use secrets_core::testing::{Fault, Prover, Trial, World};

use crate::faults::with_faults;
use crate::kit::Server;
use crate::support::settings;

/// What there is to have rights on.
pub(crate) fn make_room(fake: &RedshiftFake) {
    fake.add(Kind::Table, &["public", "shared"], RedshiftFake::SUPERUSER);
    fake.run("CREATE GROUP readers\nCREATE ROLE analyst");
}

/// The statements that give a user what the first one of each pair may do.
pub(crate) fn rights_of(user: &str) -> String {
    let rights = "ALTER GROUP readers ADD USER {}\nGRANT ROLE analyst TO {}\nALTER USER {} SESSION TIMEOUT 600\n";
    rights.replace("{}", &quoted(user)) + &tables_of(user)
}

/// Those of them that are about tables.
pub(crate) fn tables_of(user: &str) -> String {
    format!(
        "GRANT SELECT, UPDATE ON TABLE public.shared TO {}",
        quoted(user)
    )
}

fn quoted(user: &str) -> String {
    format!("\"{}\"", user.replace('"', "\"\""))
}

/// With these faults; without any, two invocations side by side.
async fn proves(faults: &[Fault]) {
    let server = Server::start().await;
    make_room(&server.fake);
    let fresh = async |world: World| {
        let (users, secret) = Arc::clone(&server).user(&world, StoredAs::Sha256);
        server.fake.run(&rights_of(users.name()));
        let store = world.store().clone();
        Trial::new(users, secret, move || {
            let pair = PairSettings::default();
            AlternatingUsers::new(store.clone(), settings(), pair)
        })
    };
    let prover = with_faults(
        Prover::new(fresh).switches(1),
        faults,
        Duration::from_secs(1),
    );
    match prover.run().await {
        Ok(proof) => {
            assert_eq!(proof.gap, 0, "{proof}");
            println!("Redshift, a pair: {proof}");
        }
        Err(violation) => panic!("{violation}"),
    }
}

#[tokio::test]
async fn crashes_of_a_pair_heal() {
    let faults = [Fault::CrashBefore];
    proves(&faults).await;
}

#[tokio::test]
async fn errors_of_a_pair_heal() {
    let faults = [Fault::ErrorBefore, Fault::ErrorAfter, Fault::Stale];
    proves(&faults).await;
}

#[tokio::test]
async fn two_invocations_agree_on_a_pair() {
    proves(&[]).await;
}
