//! The kit, against real servers: faults at every call, two invocations side by side, and what is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::proxy::{TcpMode, TcpProxy};
use harness::redis::{RedisBuilder, RedisServer};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::redis::{RedisSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;

use crate::faults::with_faults;
use crate::support::{ADMIN, ADMIN_RIGHTS, Client, FIRST, sha256};

/// A password of every user that no secret holds.
const FOREIGN: &str = "of somebody else";

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Server {
    redis: Arc<RedisServer>,
    proxy: TcpProxy,
    admin: Mutex<Client>,
    users: AtomicU32,
    tls: bool,
    /// What a login said, by the user's hashes and the password: that changes only with the hashes.
    logins: Mutex<HashMap<(Vec<String>, String), bool>>,
}

/// The truth about one user.
pub(crate) struct User {
    server: Arc<Server>,
    name: String,
    /// Logins that were refused to the test itself.
    own: AtomicU32,
}

impl Server {
    pub(crate) async fn start(builder: RedisBuilder, tls: bool) -> Arc<Self> {
        let builder = builder.setting("acllog-max-len", "16");
        let redis = if tls { builder } else { builder.without_tls() }
            .start()
            .await;
        let mut admin = Client::admin(&redis).await;
        let password = format!("#{}", sha256(ADMIN));
        let rules = [&["on", &password][..], &ADMIN_RIGHTS].concat();
        admin.set_user("rotator", &rules).await;
        Arc::new(Self {
            proxy: TcpProxy::start(redis.host(), redis.port()).await,
            admin: Mutex::new(admin),
            redis: Arc::new(redis),
            users: AtomicU32::new(0),
            tls,
            logins: Mutex::default(),
        })
    }

    /// A new user and its secret, in the store of this trial.
    pub(crate) async fn user(self: Arc<Self>, world: &World) -> (User, SecretDocument) {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let name = format!("user\"{number}");
        {
            let mut admin = self.admin.lock().await;
            if number > 0 {
                let last = format!("user\"{}", number - 1);
                admin.call(&["ACL", "DELUSER", &last]).await;
            }
            assert_eq!(admin.call(&["ACL", "LOG", "RESET"]).await, "+OK");
            let (first, foreign) = (format!(">{FIRST}"), format!(">{FOREIGN}"));
            admin.set_user(&name, &["on", &first, &foreign]).await;
        }
        self.logins.lock().await.clear();
        let manager = json!({"username": "rotator", "password": ADMIN}).to_string();
        let manager = SecretDocument::from_text(&manager);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"first".into(), &manager);
        put.expect("a new secret");
        let secret = json!({
            "host": self.proxy.host(), "port": self.proxy.port(), "username": name, "password": FIRST,
            "masterarn": "arn:admin", "ca_certificate": self.redis.ca_pem(), "ssl": self.tls, "note": 1.50,
        });
        let user = User {
            server: self,
            name,
            own: AtomicU32::new(0),
        };
        (user, SecretDocument::from_text(&secret.to_string()))
    }

    async fn trial(self: Arc<Self>, world: World) -> Trial<SingleUser<MemoryStore>, User> {
        let (user, secret) = self.user(&world).await;
        Trial::new(user, secret, move || rotator(world.store()))
    }
}

pub(crate) fn rotator(store: &MemoryStore) -> SingleUser<MemoryStore> {
    let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
    SingleUser::new(store.clone(), RedisSettings::new(policy))
}

impl User {
    pub(crate) fn redis(&self) -> Arc<RedisServer> {
        Arc::clone(&self.server.redis)
    }
}

impl Target for User {
    /// A login past the proxy and without the code under test; asked of the server once a set of hashes.
    async fn works(&self, secret: &SecretDocument) -> bool {
        let hashes = self.server.admin.lock().await.hashes(&self.name).await;
        let password = secret.text("password").expect("a password");
        let password = password.expose_secret().to_owned();
        let mut logins = self.server.logins.lock().await;
        let key = (hashes, password);
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let mut client = if self.server.tls {
            Client::connect(&self.server.redis).await
        } else {
            Client::plaintext(&self.server.redis).await
        };
        let answer = client.call(&["AUTH", &self.name, &key.1]).await;
        let works = answer == "+OK";
        if !works {
            assert!(answer.starts_with("-WRONGPASS"), "{answer}");
            self.own.fetch_add(1, Ordering::SeqCst);
        }
        logins.insert(key, works);
        works
    }

    async fn live(&self) -> Option<usize> {
        let hashes = self.server.admin.lock().await.hashes(&self.name).await;
        let foreign = hashes.contains(&sha256(FOREIGN));
        // A password that is nobody's business is worth as much as one too many.
        Some(if foreign { hashes.len() - 1 } else { 99 })
    }

    async fn refused_logins(&self) -> Option<usize> {
        let refused = self
            .server
            .admin
            .lock()
            .await
            .refused_logins(&self.name)
            .await;
        Some(refused - self.own.load(Ordering::SeqCst) as usize)
    }

    async fn outage(&self, on: bool) -> bool {
        let mode = if on {
            TcpMode::Refuse
        } else {
            TcpMode::Forward
        };
        self.server.proxy.set_mode(mode).await;
        true
    }
}

/// With these faults; without any, two invocations side by side.
async fn proves(name: &str, server: Arc<Server>, faults: &[Fault]) {
    let prover = Prover::new(async |world| Arc::clone(&server).trial(world).await);
    let prover = with_faults(prover, faults, Duration::from_secs(1));
    match prover.run().await {
        Ok(proof) => println!("single user on {name}: {proof}"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

// Both servers take the same commands: each meets half of the kinds. A crash after a call is one before the
// next call; to a rotator, a call that is throttled is one that fails before its effect.

#[tokio::test]
async fn crashes_on_redis_heal() {
    let server = Server::start(RedisServer::builder().acl_file(), true).await;
    proves("Redis", server, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn crashes_on_valkey_heal() {
    let server = Server::start(RedisServer::builder().valkey().acl_file(), true).await;
    proves("Valkey", server, &[Fault::CrashBefore]).await;
}

#[tokio::test]
async fn errors_on_redis_heal() {
    let server = Server::start(RedisServer::builder(), false).await;
    let errors = [Fault::ErrorAfter, Fault::Stale];
    proves("Redis", server, &errors).await;
}

#[tokio::test]
async fn errors_on_valkey_heal() {
    let server = Server::start(RedisServer::builder().valkey(), false).await;
    proves("Valkey", server, &[Fault::ErrorBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_on_redis_heal() {
    let server = Server::start(RedisServer::builder(), false).await;
    proves("Redis", server, &[Fault::HangBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_on_valkey_heal() {
    let server = Server::start(RedisServer::builder().valkey(), false).await;
    proves("Valkey", server, &[Fault::HangAfter]).await;
}

/// Thousands of rotations: on one of the two.
#[tokio::test]
async fn two_invocations_agree() {
    let server = Server::start(RedisServer::builder(), false).await;
    proves("Redis", server, &[]).await;
}
