//! The kit, against real servers: faults at every call of a rotation, and what is left of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use harness::proxy::{TcpMode, TcpProxy};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rotators::mysql::{OldPassword, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Proof, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::support::{ADMIN, ADMIN_OF_ONE, FIRST, Fixture, account, is_mysql, literal};

/// How long a server may take to count.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Bench<E> {
    pub(crate) fixture: Fixture<E>,
    pub(crate) proxy: TcpProxy,
    pub(crate) root: Mutex<Conn>,
    pub(crate) users: AtomicU32,
    /// What a login said, by what the server stores and the password.
    logins: Mutex<HashMap<(String, String), bool>>,
    /// Logins that were refused to the tests themselves.
    own_refusals: AtomicUsize,
}

impl<E: Edition> Bench<E> {
    pub(crate) async fn start(grants: &[&str]) -> Arc<Self> {
        let fixture = Fixture::<E>::start_with(Server::builder()).await;
        fixture.add_admin(grants).await;
        Arc::new(Self {
            proxy: TcpProxy::start(fixture.server.host(), fixture.server.port()).await,
            root: Mutex::new(fixture.root_session().await),
            fixture,
            users: AtomicU32::new(0),
            logins: Mutex::default(),
            own_refusals: AtomicUsize::new(0),
        })
    }

    pub(crate) async fn root(&self, sql: &str) {
        let run = self.root.lock().await.query_drop(sql).await;
        run.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    }

    pub(crate) async fn ask<T: mysql_async::prelude::FromRow + Send + 'static>(
        &self,
        sql: &str,
    ) -> Vec<T> {
        self.root.lock().await.query(sql).await.expect(sql)
    }

    pub(crate) fn secret(&self, user: &str, admin: bool) -> SecretDocument {
        let secret = json!({
            "engine": if is_mysql::<E>() { "mysql" } else { "mariadb" },
            "host": self.proxy.host(), "port": self.proxy.port(), "username": user, "password": FIRST,
            "ca_certificate": self.fixture.server.ca_pem(), "note": 1.50,
            "masterarn": if admin { json!("arn:admin") } else { json!(null) },
        });
        SecretDocument::from_text(&secret.to_string())
    }

    /// The world's store with the admin's secret in it.
    pub(crate) fn put_admin(world: &World) {
        let admin = json!({"username": "admin", "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"1".into(), &admin);
        put.expect("a new version");
    }

    /// A login past the proxy and without the code under test; asked of the server once for what it stores.
    pub(crate) async fn logs_in(&self, user: &str, password: &str) -> bool {
        let stored = if is_mysql::<E>() {
            "SELECT COALESCE(GROUP_CONCAT(HEX(authentication_string), \
             COALESCE(user_attributes, '')), '') FROM mysql.user WHERE user = "
        } else {
            "SELECT COALESCE(GROUP_CONCAT(priv), '') FROM mysql.global_priv WHERE user = "
        };
        let stored: Vec<String> = self.ask(&format!("{stored}{}", literal(user))).await;
        let key = (format!("{user} {}", stored[0]), password.to_owned());
        let mut logins = self.logins.lock().await;
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let before = self.all_refused_logins().await;
        let login = self.fixture.log_in(user, password).await;
        let works = match login {
            Ok(()) => true,
            Err(code) => {
                assert_eq!(code, 1045);
                self.own_refusals.fetch_add(1, Ordering::Relaxed);
                let deadline = Instant::now() + PATIENCE;
                while self.all_refused_logins().await == before && Instant::now() < deadline {}
                false
            }
        };
        logins.insert(key, works);
        works
    }

    /// How many logins but those of the tests the server has refused.
    pub(crate) async fn refused_logins(&self) -> usize {
        self.all_refused_logins().await - self.own_refusals.load(Ordering::Relaxed)
    }

    async fn all_refused_logins(&self) -> usize {
        // They count every connection that did not become a session; here all of these are refused.
        let counter = "Aborted_connects";
        let status =
            format!("SHOW GLOBAL STATUS WHERE variable_name IN ('{counter}', 'Threads_connected')");
        let deadline = Instant::now() + PATIENCE;
        loop {
            // It counts when the client knows already: once nobody is left but the one that asks.
            let status: HashMap<String, usize> = self.ask(&status).await.into_iter().collect();
            if status["Threads_connected"] == 1 || Instant::now() > deadline {
                return status[counter];
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn outage(&self, on: bool) {
        let mode = if on {
            TcpMode::Refuse
        } else {
            TcpMode::Forward
        };
        self.proxy.set_mode(mode).await;
    }

    pub(crate) fn next(&self, name: &str) -> String {
        format!("{name}{}", self.users.fetch_add(1, Ordering::Relaxed))
    }
}

/// The truth about one user.
struct One<E> {
    bench: Arc<Bench<E>>,
    name: String,
    passwords: Mutex<HashSet<String>>,
}

impl<E: Edition> Target for One<E> {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let password = secret.text("password").expect("a password");
        let password = password.expose_secret();
        self.passwords.lock().await.insert(password.to_owned());
        self.bench.logs_in(&self.name, password).await
    }

    async fn live(&self) -> Option<usize> {
        let passwords = self.passwords.lock().await.clone();
        let mut live = 0;
        for password in passwords {
            live += usize::from(self.bench.logs_in(&self.name, &password).await);
        }
        Some(live)
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.bench.refused_logins().await)
    }

    async fn outage(&self, on: bool) -> bool {
        self.bench.outage(on).await;
        true
    }
}

async fn trial<E: Edition>(
    bench: Arc<Bench<E>>,
    world: World,
    old_password: OldPassword,
    admin: bool,
) -> Trial<SingleUser<MemoryStore>, One<E>> {
    let name = bench.next("u`'x\\");
    let hosts: &[&str] = if admin { &["%", "localhost"] } else { &["%"] };
    for host in hosts {
        let account = account(&name, host);
        bench
            .root(&format!(
                "CREATE USER {account} IDENTIFIED BY {}",
                literal(FIRST)
            ))
            .await;
        if !admin && is_mysql::<E>() {
            bench
                .root(&format!(
                    "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {account}"
                ))
                .await;
        }
    }
    Bench::<E>::put_admin(&world);
    let secret = bench.secret(&name, admin);
    let settings = bench.fixture.settings();
    let one = One {
        bench,
        name,
        passwords: Mutex::default(),
    };
    Trial::new(one, secret, move || {
        SingleUser::new(world.store().clone(), settings.clone(), old_password)
    })
}

async fn proves<E: Edition>(old_password: OldPassword, admin: bool, faults: &[Fault]) -> Proof {
    let bench = Bench::<E>::start(ADMIN_OF_ONE.get::<E>()).await;
    let fresh = async |world| trial(Arc::clone(&bench), world, old_password, admin).await;
    let prover = Prover::new(fresh)
        // A real server needs a real clock, and what hangs uses all of this.
        .step_timeout(Duration::from_secs(2))
        .faults(faults)
        .without_interleavings();
    let who = if admin { "by an admin" } else { "by itself" };
    match prover.run().await {
        Ok(proof) => {
            let version = bench.fixture.server.version();
            println!("{old_password:?}, {who}, on {version}: {proof}");
            proof
        }
        Err(violation) => panic!("{violation}\n{}", bench.fixture.server.log()),
    }
}

const CRASHES: [Fault; 2] = [Fault::CrashBefore, Fault::CrashAfter];
const ERRORS: [Fault; 2] = [Fault::ErrorBefore, Fault::ErrorAfter];
const HANGS: [Fault; 2] = [Fault::HangBefore, Fault::HangAfter];

#[tokio::test]
async fn crashes_of_a_user_of_mysql_heal() {
    let proof = proves::<MySql>(OldPassword::UntilNextRotation, false, &CRASHES).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn errors_of_a_user_of_mysql_heal() {
    proves::<MySql>(OldPassword::UntilNextRotation, false, &ERRORS).await;
}

#[tokio::test]
async fn hanging_calls_of_a_user_of_mysql_heal() {
    proves::<MySql>(OldPassword::UntilNextRotation, false, &HANGS).await;
}

#[tokio::test]
async fn crashes_of_an_admin_of_mysql_heal() {
    let proof = proves::<MySql>(OldPassword::UntilNextRotation, true, &CRASHES).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn errors_of_an_admin_of_mysql_heal() {
    proves::<MySql>(OldPassword::UntilNextRotation, true, &ERRORS).await;
}

#[tokio::test]
async fn crashes_of_an_admin_of_mariadb_heal() {
    let proof = proves::<MariaDb>(OldPassword::UntilNextRotation, true, &CRASHES).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn errors_of_an_admin_of_mariadb_heal() {
    proves::<MariaDb>(OldPassword::UntilNextRotation, true, &ERRORS).await;
}

#[tokio::test]
async fn hanging_calls_of_an_admin_of_mariadb_heal() {
    proves::<MariaDb>(OldPassword::UntilNextRotation, true, &HANGS).await;
}

#[tokio::test]
async fn discarding_the_old_password_heals() {
    let proof = proves::<MySql>(OldPassword::UntilPromotion, false, &CRASHES).await;
    assert_eq!(proof.gap, 0);
    let proof = proves::<MariaDb>(OldPassword::UntilPromotion, true, &CRASHES).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn replacing_in_place_heals_and_has_a_gap() {
    let proof = proves::<MySql>(OldPassword::Replaced, false, &CRASHES).await;
    assert_eq!(proof.gap, 6);
    let proof = proves::<MariaDb>(OldPassword::Replaced, false, &CRASHES).await;
    assert_eq!(proof.gap, 6);
}
