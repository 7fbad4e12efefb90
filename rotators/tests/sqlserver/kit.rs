//! The kit: faults at every call, two invocations side by side, and rotators of pairs that are wrong on purpose.

use std::sync::Arc;
use std::time::Duration;

use harness::proxy::{TcpMode, TcpProxy};
use rotators::sqlserver::{AlternatingUsers, PairSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;

use crate::faults::step_timeout;
use crate::support::{ADMIN, FIRST, Fixture};

/// The truth about one user, or two, of a server of their own.
struct Users {
    fixture: Fixture,
    proxy: TcpProxy,
    /// What the first user may do.
    rights: Vec<String>,
}

impl Target for Users {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text").expose_secret().to_owned();
        let (server, user) = (&self.fixture.server, text("username"));
        server.has_password("shop", &user, &text("password")) && server.rights(&user) == self.rights
    }

    async fn live(&self) -> Option<usize> {
        let server = &self.fixture.server;
        let users = ["app", "app_clone"].into_iter();
        Some(users.filter(|user| server.has_login(user)).count())
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.fixture.server.refused_logins())
    }

    async fn outage(&self, on: bool) -> bool {
        let mode = if on {
            TcpMode::Refuse
        } else {
            TcpMode::Forward
        };
        self.proxy.set_mode(mode).await;
        true
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.fixture.is_understood();
        }
    }
}

async fn trial<R: Rotator + 'static>(
    world: World,
    with_admin: bool,
    make: fn(&World, &Fixture) -> R,
) -> Trial<R, Users> {
    let fixture = Fixture::start().await;
    let server = &fixture.server;
    let proxy = TcpProxy::start(server.host(), server.port()).await;
    let admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN}).to_string();
    let admin = SecretDocument::from_text(&admin);
    let put = world
        .store()
        .put_current(&"arn:admin".into(), &"1".into(), &admin);
    put.expect("a new version");
    let mut secret = json!({
        "engine": "sqlserver", "host": proxy.host(), "port": proxy.port(), "dbname": "shop",
        "username": "app", "password": FIRST, "ca_certificate": server.ca_pem(), "note": 1.50,
    });
    if with_admin {
        secret["masterarn"] = "arn:admin".into();
    }
    let secret = SecretDocument::from_text(&secret.to_string());
    let settings = Arc::new(Fixture::start().await);
    let users = Users {
        rights: server.rights("app"),
        fixture,
        proxy,
    };
    Trial::new(users, secret, move || make(&world, &settings))
}

async fn proves<R: Rotator + 'static>(
    name: &str,
    with_admin: bool,
    make: fn(&World, &Fixture) -> R,
    faults: &[Fault],
) {
    let prover = Prover::new(async |world| trial(world, with_admin, make).await)
        .step_timeout(step_timeout(faults, Duration::from_millis(2500)))
        .faults(faults)
        .without_interleavings();
    match prover.run().await {
        Ok(proof) => println!("{name}: {proof}"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

fn single(world: &World, fixture: &Fixture) -> impl Rotator + use<> {
    SingleUser::new(world.store().clone(), fixture.settings())
}

fn pair(world: &World, fixture: &Fixture) -> impl Rotator + use<> {
    let (store, pair) = (world.store().clone(), PairSettings::default());
    AlternatingUsers::new(store, fixture.settings(), pair)
}

#[tokio::test]
async fn faults_of_a_login_by_itself_heal() {
    let faults = [
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Throttled,
        Fault::Stale,
    ];
    proves("single user", false, single, &faults).await;
}

/// A crash after a call is one before the next.
#[tokio::test]
async fn crashes_and_errors_of_a_login_by_an_admin_heal() {
    let faults = [Fault::CrashAfter, Fault::ErrorAfter];
    proves("single user, by an admin", true, single, &faults).await;
}

/// To a rotator, a call that is throttled is one that fails before its effect.
#[tokio::test]
async fn crashes_and_errors_of_pairs_heal() {
    let faults = [
        Fault::CrashAfter,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Stale,
    ];
    proves("two users", true, pair, &faults).await;
}

#[tokio::test]
async fn calls_that_hang_heal() {
    proves("single user", false, single, &[Fault::HangAfter]).await;
}
