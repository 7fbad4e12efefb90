//! The kit, against real servers: faults at every call of a rotation, and what is left of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use harness::proxy::{TcpMode, TcpProxy};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rotators::mysql::{OldPassword, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::testing::{Fault, Proof, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;

use crate::faults::with_faults;
use crate::support::{
    ADMIN, ADMIN_OF_ONE, FIRST, Fixture, account, is_mysql, literal, quick_hashes,
};

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Bench<E> {
    pub(crate) fixture: Fixture<E>,
    pub(crate) proxy: TcpProxy,
    pub(crate) root: Mutex<Conn>,
    pub(crate) users: AtomicU32,
    /// What a login said, by what the server stores and the password.
    logins: Mutex<HashMap<(String, String), bool>>,
    refusals: Mutex<Refusals>,
}

/// What is known of the error log.
#[derive(Default)]
struct Refusals {
    /// In bytes.
    read: u64,
    count: usize,
}

impl<E: Edition> Bench<E> {
    pub(crate) async fn start(grants: &[&str]) -> Arc<Self> {
        // Then who comes through the proxy has an address in the log, and the tests have not.
        let builder = Server::builder().setting("skip_name_resolve", "ON");
        let builder = if is_mysql::<E>() {
            quick_hashes(builder).setting("log_error_verbosity", "3")
        } else {
            builder
        };
        let fixture = Fixture::<E>::start_with(builder).await;
        fixture.add_admin(grants).await;
        Arc::new(Self {
            proxy: TcpProxy::start(fixture.server.host(), fixture.server.port()).await,
            root: Mutex::new(fixture.root_session().await),
            fixture,
            users: AtomicU32::new(0),
            logins: Mutex::default(),
            refusals: Mutex::default(),
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
        let admin =
            json!({"host": "127.0.0.1", "username": "admin", "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"1".into(), &admin);
        put.expect("a new version");
    }

    /// A login past the proxy and without the code under test; asked of the server once for what it stores.
    pub(crate) async fn logs_in(&self, user: &str, password: &str) -> bool {
        // No function over all rows: MariaDB makes a file for that.
        let stored = if is_mysql::<E>() {
            "SELECT CONCAT(HEX(authentication_string), COALESCE(user_attributes, '')) FROM mysql.user"
        } else {
            "SELECT priv FROM mysql.global_priv"
        };
        let stored = format!("{stored} WHERE user = {}", literal(user));
        let stored: Vec<String> = self.ask(&stored).await;
        let key = (format!("{user} {stored:?}"), password.to_owned());
        let mut logins = self.logins.lock().await;
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let login = self.fixture.log_in(user, password).await;
        assert!(matches!(login, Ok(()) | Err(1045)), "{login:?}");
        logins.insert(key, login.is_ok());
        login.is_ok()
    }

    /// How many logins but those of the tests the server has refused. It writes that down before it answers.
    pub(crate) async fn refused_logins(&self) -> usize {
        let mut refusals = self.refusals.lock().await;
        let new = self.fixture.server.error_log_from(refusals.read);
        // A line that is being written is for the next time.
        let whole = new.iter().rposition(|&byte| byte == b'\n');
        let new = &new[..whole.map_or(0, |end| end + 1)];
        refusals.read += new.len() as u64;
        let refused = String::from_utf8_lossy(new);
        let refused = refused.lines().filter(|line| {
            line.contains("Access denied for user") && line.contains("'@'127.0.0.1'")
        });
        refusals.count += refused.count();
        refusals.count
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
pub(crate) struct One<E> {
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

/// A user, and what makes rotators of it.
pub(crate) async fn trial<E: Edition, R: Rotator>(
    bench: Arc<Bench<E>>,
    world: &World,
    admin: bool,
    rotator: impl Fn() -> R + 'static,
) -> Trial<R, One<E>> {
    let name = bench.next("u`'x\\");
    let hosts: &[&str] = if admin { &["%", "localhost"] } else { &["%"] };
    for host in hosts {
        let account = account(&name, host);
        let first = literal(FIRST);
        bench
            .root(&format!("CREATE USER {account} IDENTIFIED BY {first}"))
            .await;
        if !admin && is_mysql::<E>() {
            let grant = format!("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {account}");
            bench.root(&grant).await;
        }
    }
    Bench::<E>::put_admin(world);
    let secret = bench.secret(&name, admin);
    let one = One {
        bench,
        name,
        passwords: Mutex::default(),
    };
    Trial::new(one, secret, rotator)
}

async fn proves<E: Edition>(old_password: OldPassword, admin: bool, faults: &[Fault]) -> Proof {
    let bench = Bench::<E>::start(ADMIN_OF_ONE.get::<E>()).await;
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (store, settings) = (world.store().clone(), settings.clone());
        let rotator = move || SingleUser::new(store.clone(), settings.clone(), old_password);
        trial(Arc::clone(&bench), &world, admin, rotator).await
    };
    let prover = with_faults(Prover::new(fresh), faults, Duration::from_secs(1));
    let who = if admin { "by an admin" } else { "by itself" };
    match prover.run().await {
        Ok(proof) => {
            let version = bench.fixture.server.version();
            println!("{old_password:?}, {who}, on {version}: {proof}");
            // Each setSecret probes the new password before it is set: the counter counts.
            assert!(bench.refused_logins().await > 0);
            proof
        }
        Err(violation) => panic!("{violation}\n{}", bench.fixture.server.log()),
    }
}

/// A crash after a call is one before the next.
const CRASHES: [Fault; 1] = [Fault::CrashAfter];

#[tokio::test]
async fn faults_of_a_user_of_mysql_heal() {
    let kept = OldPassword::UntilNextRotation;
    let proof = proves::<MySql>(kept, false, &[Fault::CrashAfter, Fault::ErrorAfter]).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn faults_of_an_admin_of_mariadb_heal() {
    let kept = OldPassword::UntilNextRotation;
    let proof = proves::<MariaDb>(kept, true, &[Fault::CrashBefore, Fault::ErrorAfter]).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn crashes_of_an_admin_that_discards_the_old_password_heal() {
    let discarded = OldPassword::UntilPromotion;
    let proof = proves::<MySql>(discarded, true, &CRASHES).await;
    assert_eq!(proof.gap, 0);
    let proof = proves::<MariaDb>(discarded, true, &CRASHES).await;
    assert_eq!(proof.gap, 0);
}

/// Of a user that discards its own old password.
#[tokio::test]
async fn calls_that_hang_heal() {
    let discarded = OldPassword::UntilPromotion;
    let proof = proves::<MySql>(discarded, false, &[Fault::HangAfter]).await;
    assert_eq!(proof.gap, 0);
}

#[tokio::test]
async fn replacing_in_place_heals_and_has_a_gap() {
    let proof = proves::<MySql>(OldPassword::Replaced, false, &CRASHES).await;
    assert_eq!(proof.gap, 6);
    let proof = proves::<MariaDb>(OldPassword::Replaced, false, &CRASHES).await;
    assert_eq!(proof.gap, 6);
}

/// A history takes no password twice, not even the one that another invocation has set between this one's probes and
/// its change.
#[tokio::test]
async fn of_two_invocations_neither_gives_up_what_the_history_of_the_other_refuses() {
    let bench = Bench::<MySql>::start(ADMIN_OF_ONE.get::<MySql>()).await;
    bench.root("SET GLOBAL password_history = 5").await;
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (store, settings) = (world.store().clone(), settings.clone());
        let kept = OldPassword::UntilNextRotation;
        let rotator = move || SingleUser::new(store.clone(), settings.clone(), kept);
        trial(Arc::clone(&bench), &world, false, rotator).await
    };
    let prover = with_faults(Prover::new(fresh), &[], Duration::from_secs(1));
    let run = prover.replay("setSecret+setSecret:000001111110").await;
    run.unwrap_or_else(|violation| panic!("{violation}"));
}
