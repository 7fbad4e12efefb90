//! The kit, against real servers: faults at every call, two invocations side by side, and what is left.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::ldap::{LdapBuilder, LdapServer};
use harness::proxy::{TcpMode, TcpProxy};
use rotators::ldap::{LdapSettings, SingleUser};
use rotators::password::{PasswordPolicy, PasswordRules};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;

use crate::faults::with_faults;
use crate::support::{ADMIN, ADMIN_NAME, Client, FIRST, bare, binds, with_admin};

/// A password of every entry that no secret holds.
const FOREIGN: &str = "of somebody else";

/// Who changes the entry.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum By {
    Admin,
    Itself,
}

/// A server for all trials; each trial has an entry of its own.
pub(crate) struct Server {
    ldap: Arc<LdapServer>,
    proxy: TcpProxy,
    root: Mutex<Client>,
    entries: AtomicU32,
    by: By,
    tls: bool,
    /// What a bind said, by the entry's values and the password: that changes only with the values.
    logins: Mutex<HashMap<(Vec<String>, String), bool>>,
    /// How far the log was read, and how many refused binds of the present entry it held.
    log: Mutex<(usize, usize)>,
}

/// The truth about one entry.
pub(crate) struct User {
    server: Arc<Server>,
    entry: String,
    /// Binds that were refused to the test itself.
    own: AtomicU32,
}

impl Server {
    pub(crate) async fn start(builder: LdapBuilder, by: By, tls: bool) -> Arc<Self> {
        let ldap = builder.start().await;
        let port = if tls { ldap.port() } else { ldap.plain_port() };
        Arc::new(Self {
            proxy: TcpProxy::start(ldap.host(), port).await,
            root: Mutex::new(Client::root(&ldap).await),
            ldap: Arc::new(ldap),
            entries: AtomicU32::new(0),
            by,
            tls,
            logins: Mutex::default(),
            log: Mutex::default(),
        })
    }

    /// A new entry and its secret, in the store of this trial.
    pub(crate) async fn user(self: Arc<Self>, world: &World) -> (User, SecretDocument) {
        let number = self.entries.fetch_add(1, Ordering::Relaxed);
        let entry = |number: u32| format!("uid=user{number},ou=services,dc=example,dc=com");
        {
            let mut root = self.root.lock().await;
            if number > 0 {
                root.delete(&entry(number - 1)).await;
            }
            let (entry, uid) = (entry(number), format!("user{number}"));
            root.add_entry(&entry, &uid, FIRST.as_bytes()).await;
            root.add_value(&entry, "userPassword", FOREIGN).await;
        }
        self.logins.lock().await.clear();
        self.log.lock().await.1 = 0;
        let admin = json!({"username": ADMIN_NAME, "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"first".into(), &admin);
        put.expect("a new secret");
        let mut secret = json!({
            "host": self.proxy.host(), "port": self.proxy.port(), "username": entry(number),
            "password": FIRST, "ca_certificate": self.ldap.ca_pem(), "ssl": self.tls, "note": 1.50,
        });
        if self.by == By::Admin {
            secret["masterarn"] = json!("arn:admin");
        }
        let user = User {
            entry: entry(number),
            server: self,
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
    SingleUser::new(store.clone(), LdapSettings::new(policy))
}

impl User {
    pub(crate) fn ldap(&self) -> Arc<LdapServer> {
        Arc::clone(&self.server.ldap)
    }

    async fn stored(&self) -> Vec<String> {
        self.server.root.lock().await.passwords(&self.entry).await
    }
}

impl Target for User {
    /// A bind past the proxy and without the code under test; asked of the server once a set of values.
    async fn works(&self, secret: &SecretDocument) -> bool {
        let stored = self.stored().await;
        let password = secret.text("password").expect("a password");
        let password = password.expose_secret().to_owned();
        let mut logins = self.server.logins.lock().await;
        let key = (stored, password);
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let mut client = Client::plaintext(&self.server.ldap).await;
        let answer = client.bind(&self.entry, &key.1).await;
        let works = answer == 0;
        if !works {
            assert_eq!(answer, 49);
            self.own.fetch_add(1, Ordering::SeqCst);
        }
        logins.insert(key, works);
        works
    }

    async fn live(&self) -> Option<usize> {
        let stored = self.stored().await;
        let foreign = stored.iter().any(|value| value == FOREIGN);
        // A password that is nobody's business is worth as much as one too many.
        Some(if foreign { stored.len() - 1 } else { 99 })
    }

    async fn refused_logins(&self) -> Option<usize> {
        let mut log = self.server.log.lock().await;
        let new = self.server.ldap.log_from(log.0);
        // Up to the end of a line.
        let end = new
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |n| n + 1);
        log.0 += end;
        // A bind whose two lines are on both sides counts in both looks, once up and once down.
        let text = String::from_utf8_lossy(&new[..end]);
        let (all, accepted) = binds(&text, &self.entry);
        log.1 = log.1 + all - accepted;
        Some(log.1 - self.own.load(Ordering::SeqCst) as usize)
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
    let prover = with_faults(prover, faults, Duration::from_millis(300));
    match prover.run().await {
        Ok(proof) => println!("single user, {name}: {proof}"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

#[tokio::test]
async fn crashes_heal_by_an_admin() {
    let server = Server::start(with_admin(), By::Admin, false).await;
    // A crash after a call is one before the next: that is the other test's kind.
    proves("by an admin", server, &[Fault::CrashBefore]).await;
}

#[tokio::test]
async fn crashes_heal_by_itself() {
    let server = Server::start(bare(), By::Itself, true).await;
    proves("by itself", server, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn errors_heal_by_an_admin() {
    let server = Server::start(with_admin(), By::Admin, false).await;
    let errors = [Fault::ErrorBefore, Fault::ErrorAfter, Fault::Stale];
    proves("by an admin", server, &errors).await;
}

#[tokio::test]
async fn calls_that_hang_heal() {
    let server = Server::start(with_admin(), By::Admin, false).await;
    proves("by an admin", server, &[Fault::HangAfter]).await;
}

#[tokio::test]
async fn two_invocations_agree() {
    let server = Server::start(with_admin(), By::Admin, false).await;
    proves("by an admin", server, &[]).await;
}
