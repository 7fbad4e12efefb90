//! The kit, with pairs of users of the fake.

use std::sync::Arc;
use std::time::Duration;

use harness::redshift::{Kind, RedshiftFake, StoredAs};
use rotators::redshift::{AlternatingUsers, PairSettings};
use secrets_core::testing::{Fault, Prover, Trial, World};

use crate::faults::step_timeout;
use crate::kit::Server;
use crate::support::settings;

async fn proves(faults: &[Fault]) {
    let server = Server::start().await;
    let owner = RedshiftFake::SUPERUSER;
    server.fake.add(Kind::Table, &["public", "shared"], owner);
    server.fake.run("CREATE GROUP readers\nCREATE ROLE analyst");
    let fresh = async |world: World| {
        let (users, secret) = Arc::clone(&server).user(&world, StoredAs::Sha256);
        let name = secret.text("username").expect("a user");
        let name = secrecy::ExposeSecret::expose_secret(&name).replace('"', "\"\"");
        let rights = "ALTER GROUP readers ADD USER \"{}\"\nGRANT ROLE analyst TO \"{}\"\n\
            GRANT SELECT, UPDATE ON TABLE public.shared TO \"{}\"\nALTER USER \"{}\" SESSION TIMEOUT 600";
        server.fake.run(&rights.replace("{}", &name));
        let store = world.store().clone();
        Trial::new(users, secret, move || {
            let pair = PairSettings::default();
            AlternatingUsers::new(store.clone(), settings(), pair)
        })
    };
    let prover = Prover::new(fresh)
        .step_timeout(step_timeout(faults, Duration::from_secs(1)))
        .faults(faults)
        .without_interleavings();
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
