//! The kit, on a real broker: faults at every call, and what is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use harness::proxy::{TcpMode, TcpProxy};
use rotators::rabbitmq::{AlternatingUsers, PairSettings, RabbitMqSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::faults::with_faults;
use crate::support::{ADMIN, FIRST, Fixture, SHOP, give_rights, listing};

/// A broker for all trials; each trial has a user of its own.
pub(crate) struct Bench {
    pub(crate) fixture: Fixture,
    pub(crate) amqp: TcpProxy,
    pub(crate) management: TcpProxy,
    tls: bool,
    users: AtomicU64,
    /// Logins that were refused to the tests themselves.
    own_refusals: AtomicU64,
    /// Changes that do not go through the proxies.
    pub(crate) touched: AtomicU64,
    /// Whether a user and a password work, by how much had gone to the API by then.
    works: Mutex<HashMap<[String; 2], Seen>>,
    /// What a login said, by what the broker stores and the password.
    logins: Mutex<HashMap<[String; 2], bool>>,
}

/// How much had gone to the API by then, and whether a login worked.
type Seen = ([u64; 2], bool);

/// The truth about one pair.
pub(crate) struct Two {
    bench: Arc<Bench>,
    user: String,
    /// What the first user may do.
    rights: Vec<String>,
}

impl Bench {
    pub(crate) async fn start(tls: bool) -> Arc<Self> {
        let fixture = Fixture::start().await;
        let server = &fixture.server;
        let (amqp, management) = if tls {
            (server.amqps_port(), server.https_port())
        } else {
            (server.amqp_port(), server.http_port())
        };
        Arc::new(Self {
            amqp: TcpProxy::start(server.host(), amqp).await,
            management: TcpProxy::start(server.host(), management).await,
            fixture,
            tls,
            users: AtomicU64::new(0),
            own_refusals: AtomicU64::new(0),
            touched: AtomicU64::new(0),
            works: Mutex::default(),
            logins: Mutex::default(),
        })
    }

    /// Whether the proxies let connections through.
    pub(crate) async fn is_up(&self) -> bool {
        let address = (self.amqp.host(), self.amqp.port());
        tokio::net::TcpStream::connect(address).await.is_ok()
    }

    /// All logins by AMQP that were refused since the broker started.
    async fn all_refused_logins(&self) -> u64 {
        let attempts = ["auth", "attempts", "rabbit@localhost"];
        let attempts = self.fixture.server.get(&attempts).await;
        let attempts = attempts.as_array().expect("a list");
        let amqp = attempts.iter().find(|it| it["protocol"] == "amqp091");
        amqp.map_or(0, |it| {
            it["auth_attempts_failed"].as_u64().expect("a number")
        })
    }

    /// Whether the password is right; asked of the broker once for what it stores.
    async fn logs_in(&self, user: &str, password: &str) -> bool {
        let server = &self.fixture.server;
        let (status, stored) = server.api("GET", &["users", user], &Value::Null).await;
        if status == 404 {
            return false;
        }
        let key = [stored["password_hash"].to_string(), password.to_owned()];
        let mut logins = self.logins.lock().await;
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let works = match server.log_in(user, password, SHOP).await {
            Ok(_) => true,
            Err(code) => {
                assert!(matches!(code, 403 | 530), "{code}");
                self.own_refusals
                    .fetch_add(u64::from(code == 403), Ordering::SeqCst);
                false
            }
        };
        logins.insert(key, works);
        works
    }

    /// A trial of what `make` makes.
    pub(crate) async fn trial<R: Rotator + 'static>(
        self: Arc<Self>,
        world: &World,
        make: impl Fn() -> R + 'static,
    ) -> Trial<R, Two> {
        let number = self.users.fetch_add(1, Ordering::SeqCst);
        let server = &self.fixture.server;
        self.touched.fetch_add(1, Ordering::SeqCst);
        for old in [
            format!("u%{}", number.wrapping_sub(1)),
            format!("u%{}_clone", number.wrapping_sub(1)),
        ] {
            server.api("DELETE", &["users", &old], &Value::Null).await;
        }
        let user = format!("u%{number}");
        give_rights(server, &user, SHOP).await;
        let admin = json!({"username": "rotator", "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"1".into(), &admin);
        put.expect("a new version");
        let secret = json!({
            "host": self.amqp.host(), "port": self.amqp.port(),
            "management_port": self.management.port(), "username": user, "password": FIRST,
            "masterarn": "arn:admin", "ca_certificate": server.ca_pem(), "ssl": self.tls, "note": 1.50,
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        let rights = listing(server, &user).await.expect("the user");
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

impl Target for Two {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect("a text").expose_secret().to_owned();
        let key = [text("username"), text("password")];
        let bench = &self.bench;
        // What nobody has changed need not be asked again: the kit looks after each effect.
        let chunks = u64::try_from(bench.management.chunks()).expect("64 bits");
        let stamp = [chunks, bench.touched.load(Ordering::SeqCst)];
        if let Some((known, works)) = bench.works.lock().await.get(&key)
            && *known == stamp
        {
            return *works;
        }
        let works = bench.logs_in(&key[0], &key[1]).await
            && listing(&bench.fixture.server, &key[0]).await.as_ref() == Some(&self.rights);
        bench.works.lock().await.insert(key, (stamp, works));
        works
    }

    async fn live(&self) -> Option<usize> {
        let clone = format!("{}_clone", self.user);
        let server = &self.bench.fixture.server;
        let (status, _) = server.api("GET", &["users", &clone], &Value::Null).await;
        Some(1 + usize::from(status == 200))
    }

    async fn refused_logins(&self) -> Option<usize> {
        let own = self.bench.own_refusals.load(Ordering::SeqCst);
        let all = self.bench.all_refused_logins().await;
        usize::try_from(all - own).ok()
    }

    async fn outage(&self, on: bool) -> bool {
        let mode = if on {
            TcpMode::Refuse
        } else {
            TcpMode::Forward
        };
        self.bench.amqp.set_mode(mode).await;
        self.bench.management.set_mode(mode).await;
        true
    }
}

pub(crate) fn settings(fixture: &Fixture) -> RabbitMqSettings {
    let mut settings = fixture.settings();
    // The secret names it.
    settings.ca_certificate = None;
    settings
}

/// With these faults; without any, two invocations side by side.
async fn proves<R: Rotator + 'static>(
    tls: bool,
    (name, gap): (&str, usize),
    faults: &[Fault],
    make: fn(MemoryStore, RabbitMqSettings) -> R,
) {
    let bench = Bench::start(tls).await;
    let settings = settings(&bench.fixture);
    let fresh = async |world: World| {
        let (store, settings) = (world.store().clone(), settings.clone());
        let make = move || make(store.clone(), settings.clone());
        Arc::clone(&bench).trial(&world, make).await
    };
    // One of the two is held up once, wherever that is.
    let prover = with_faults(
        Prover::new(fresh).switches(0),
        faults,
        Duration::from_secs(3),
    );
    match prover.run().await {
        Ok(proof) => {
            assert_eq!(proof.gap, gap, "{proof}");
            println!(
                "{name} on RabbitMQ {}: {proof}",
                bench.fixture.server.version()
            );
        }
        Err(violation) => panic!("{name}: {violation}"),
    }
}

fn two_users(store: MemoryStore, settings: RabbitMqSettings) -> AlternatingUsers<MemoryStore> {
    AlternatingUsers::new(store, settings, PairSettings::default())
}

/// A crash after a call is one before the next.
#[tokio::test]
async fn two_users_survive_crashes_with_tls() {
    proves(true, ("two users", 0), &[Fault::CrashAfter], two_users).await;
}

#[tokio::test]
async fn two_users_survive_errors() {
    let faults = [Fault::ErrorBefore, Fault::ErrorAfter];
    proves(false, ("two users", 0), &faults, two_users).await;
}

#[tokio::test]
async fn one_user_survives_crashes() {
    let make = SingleUser::new;
    proves(false, ("one user", 6), &[Fault::CrashAfter], make).await;
}

#[tokio::test]
async fn two_invocations_agree_on_two_users() {
    proves(false, ("two users", 0), &[], two_users).await;
}
