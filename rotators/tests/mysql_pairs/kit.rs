//! The kit, with users that take turns on real servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql};
use harness::proxy::{TcpMode, TcpProxy};
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, DriverError, Error, OptsBuilder, Row, SslOpts};
use rotators::mysql::{AlternatingUsers, PairSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;

use crate::faults::with_faults;
use crate::pair::{Pair, RIGHTS_OF_A_SHOPPER};
use crate::support::{ADMIN, FIRST, is_mysql, literal, shown};

/// How long a server may take to count.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Bench<E> {
    pub(crate) pair: Pair<E>,
    pub(crate) proxy: TcpProxy,
    root: Mutex<Conn>,
    users: AtomicU32,
    /// What a login said, by user, what the server stores of it, and password.
    logins: Mutex<HashMap<[String; 3], bool>>,
    /// Logins that were refused to the tests themselves.
    own_refusals: AtomicUsize,
}

/// The truth about one pair.
pub(crate) struct Two<E> {
    bench: Arc<Bench<E>>,
    user: String,
    /// What the first user may do.
    rights: String,
}

impl<E: Edition> Bench<E> {
    pub(crate) async fn start() -> Arc<Self> {
        let pair = Pair::<E>::start().await;
        Arc::new(Self {
            proxy: TcpProxy::start(pair.server.host(), pair.server.port()).await,
            root: Mutex::new(pair.root_session().await),
            pair,
            users: AtomicU32::new(0),
            logins: Mutex::default(),
            own_refusals: AtomicUsize::new(0),
        })
    }

    pub(crate) async fn root(&self, sql: &str) {
        let run = self.root.lock().await.query_drop(sql).await;
        run.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
    }

    pub(crate) async fn ask<T: FromRow + Send + 'static>(&self, sql: &str) -> Vec<T> {
        self.root.lock().await.query(sql).await.expect(sql)
    }

    /// Rights as the server shows them, under one name for both users.
    async fn rights(&self, user: &str) -> String {
        let name = literal(user);
        let show = format!("SHOW GRANTS FOR {name}");
        let mut grants: Vec<String> = self.ask(&show).await;
        for grant in &mut grants {
            // What follows in `MariaDB` is the hash of the password.
            let end = grant.find(" IDENTIFIED BY").unwrap_or(grant.len());
            grant.truncate(end);
        }
        grants.sort();
        let options = if is_mysql::<E>() {
            "SELECT max_user_connections, password_lifetime, account_locked, ssl_type, default_role_user \
             FROM mysql.user AS u LEFT JOIN mysql.default_roles AS d USING (user, host) WHERE u.user = "
        } else {
            "SELECT JSON_VALUE(priv, '$.max_user_connections'), JSON_VALUE(priv, '$.password_lifetime'), \
             JSON_VALUE(priv, '$.default_role') FROM mysql.global_priv WHERE user = "
        };
        let options: Vec<Row> = self.ask(&format!("{options}{name}")).await;
        let rights = format!("{}\n{}", grants.join("\n"), shown(options));
        rights.replace(&format!("`{}`@", user.replace('`', "``")), "`the user`@")
    }

    /// Whether the password is right; past the proxy, and asked of the server once for what it stores.
    async fn logs_in(&self, user: &str, password: &str) -> bool {
        let stored = if is_mysql::<E>() {
            "SELECT HEX(authentication_string) FROM mysql.user WHERE user = "
        } else {
            "SELECT priv FROM mysql.global_priv WHERE user = "
        };
        let stored: Vec<String> = self.ask(&format!("{stored}{}", literal(user))).await;
        let Some(stored) = stored.into_iter().next() else {
            return false;
        };
        let key = [user.to_owned(), stored, password.to_owned()];
        let mut logins = self.logins.lock().await;
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let before = self.all_refused_logins().await;
        let works = match self.pair.log_in(user, password).await {
            Ok(()) => true,
            Err(code) => {
                assert_eq!(code, 1045);
                self.own_refusals.fetch_add(1, Ordering::Relaxed);
                let deadline = tokio::time::Instant::now() + PATIENCE;
                while self.all_refused_logins().await == before {
                    assert!(tokio::time::Instant::now() < deadline, "it was not counted");
                }
                false
            }
        };
        logins.insert(key, works);
        works
    }

    /// What the server behind this port says of a login, in TLS; None if there is no answer.
    pub(crate) async fn proxied_login(
        &self,
        port: u16,
        user: &str,
        password: &str,
    ) -> Option<bool> {
        let ca = self.pair.server.ca_pem().into_bytes();
        let options = OptsBuilder::default()
            .ip_or_hostname(self.proxy.host())
            .tcp_port(port)
            .user(Some(user))
            .pass(Some(password))
            .prefer_socket(false)
            .ssl_opts(SslOpts::default().with_root_certs(vec![ca.into()]));
        match Conn::new(options).await {
            Ok(conn) => {
                conn.disconnect().await.expect("the end of a session");
                Some(true)
            }
            // MySQL asks those whom it does not know for any of its ways to log in.
            Err(Error::Server(_) | Error::Driver(DriverError::UnknownAuthPlugin { .. })) => {
                Some(false)
            }
            Err(_) => None,
        }
    }

    /// Every connection that did not become a session; here all of these are refused logins.
    async fn all_refused_logins(&self) -> usize {
        let counter = "Aborted_connects";
        let status =
            format!("SHOW GLOBAL STATUS WHERE variable_name IN ('{counter}', 'Threads_connected')");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            // It counts when the client knows already: once nobody is left but the one that asks.
            let status: HashMap<String, usize> = self.ask(&status).await.into_iter().collect();
            if status["Threads_connected"] == 1 || tokio::time::Instant::now() > deadline {
                return status[counter];
            }
            tokio::task::yield_now().await;
        }
    }

    /// A trial of what `make` makes.
    pub(crate) async fn trial<R: Rotator>(
        self: Arc<Self>,
        world: &World,
        make: impl Fn() -> R + 'static,
    ) -> Trial<R, Two<E>> {
        let user = format!("u`{}", self.users.fetch_add(1, Ordering::Relaxed));
        let name = literal(&user);
        let create = format!("CREATE USER {name} IDENTIFIED BY {}", literal(FIRST));
        self.root(&create).await;
        for right in RIGHTS_OF_A_SHOPPER.get::<E>() {
            self.root(&right.replace('$', &name)).await;
        }
        let admin =
            json!({"host": "127.0.0.1", "username": "admin", "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"1".into(), &admin);
        put.expect("a new version");
        let secret = json!({
            "engine": if is_mysql::<E>() { "mysql" } else { "mariadb" },
            "host": self.proxy.host(), "port": self.proxy.port(),
            "username": user, "password": FIRST, "masterarn": "arn:admin",
            "ca_certificate": self.pair.server.ca_pem(), "note": 1.50,
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        let rights = self.rights(&user).await;
        let bench = self;
        Trial::new(
            Two {
                bench,
                user,
                rights,
            },
            secret,
            make,
        )
    }
}

impl<E: Edition> Target for Two<E> {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text").expose_secret().to_owned();
        let user = text("username");
        self.bench.logs_in(&user, &text("password")).await
            && self.bench.rights(&user).await == self.rights
    }

    async fn live(&self) -> Option<usize> {
        let live = "SELECT COUNT(DISTINCT user) FROM mysql.user WHERE user IN ";
        let (one, two) = (
            literal(&self.user),
            literal(&format!("{}_clone", self.user)),
        );
        let live: Vec<usize> = self.bench.ask(&format!("{live}({one}, {two})")).await;
        live.first().copied()
    }

    async fn refused_logins(&self) -> Option<usize> {
        let bench = &self.bench;
        Some(bench.all_refused_logins().await - bench.own_refusals.load(Ordering::Relaxed))
    }

    async fn outage(&self, on: bool) -> bool {
        let mode = if on {
            TcpMode::Refuse
        } else {
            TcpMode::Forward
        };
        self.bench.proxy.set_mode(mode).await;
        true
    }
}

async fn proves<E: Edition>(faults: &[Fault]) {
    let bench = Bench::<E>::start().await;
    let settings = bench.pair.settings();
    let fresh = async |world: World| {
        let (store, settings) = (world.store().clone(), settings.clone());
        let make =
            move || AlternatingUsers::new(store.clone(), settings.clone(), PairSettings::default());
        Arc::clone(&bench).trial(&world, make).await
    };
    let prover = with_faults(Prover::new(fresh), faults, Duration::from_millis(2500));
    match prover.run().await {
        Ok(proof) => {
            assert_eq!(proof.gap, 0, "{proof}");
            println!("two users on {}: {proof}", bench.pair.server.version());
        }
        Err(violation) => panic!("{violation}\n{}", bench.pair.server.log()),
    }
}

/// A crash after a call is one before the next.
#[tokio::test]
async fn crashes_and_errors_on_mysql_heal() {
    proves::<MySql>(&[Fault::CrashAfter, Fault::ErrorAfter]).await;
}

#[tokio::test]
async fn crashes_and_errors_on_mariadb_heal() {
    proves::<MariaDb>(&[Fault::CrashBefore, Fault::ErrorBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_on_mariadb_heal() {
    proves::<MariaDb>(&[Fault::HangAfter]).await;
}
