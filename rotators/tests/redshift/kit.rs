//! The kit, with one user of the fake.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::proxy::{TcpMode, TcpProxy};
use harness::redshift::{RedshiftFake, StoredAs};
use rotators::redshift::SingleUser;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;

use crate::faults::with_faults;
use crate::support::{ADMIN, FIRST, settings};

/// A fake for all trials; each trial has a user of its own.
pub(crate) struct Server {
    pub(crate) fake: RedshiftFake,
    proxy: TcpProxy,
    users: AtomicU32,
}

/// The truth about one user, or about a pair.
pub(crate) struct Users {
    server: Arc<Server>,
    user: String,
    before: usize,
}

impl Server {
    pub(crate) async fn start() -> Arc<Self> {
        let fake = RedshiftFake::start().await;
        fake.put_user("manager", ADMIN, StoredAs::Md5);
        fake.run("ALTER USER manager CREATEUSER");
        Arc::new(Self {
            proxy: TcpProxy::start(fake.host(), fake.port()).await,
            fake,
            users: AtomicU32::new(0),
        })
    }

    /// A new user and its secret, in the store of this trial; the last one goes.
    pub(crate) fn user(
        self: Arc<Self>,
        world: &World,
        stored: StoredAs,
    ) -> (Users, SecretDocument) {
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        if number > 0 {
            let last = format!("user \"{}\"", number - 1);
            self.fake.drop_user(&last);
            self.fake.drop_user(&format!("{last}_clone"));
        }
        let user = format!("user \"{number}\"");
        self.fake.put_user(&user, FIRST, stored);
        let admin = json!({"username": "manager", "password": ADMIN}).to_string();
        let admin = SecretDocument::from_text(&admin);
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"first".into(), &admin);
        put.expect("a new secret");
        let secret = json!({
            "engine": "redshift", "host": self.proxy.host(), "port": self.proxy.port(),
            "username": user, "password": FIRST, "masterarn": "arn:admin",
            // Handshakes of debug builds would be most of the time; logins with TLS are tested by themselves.
            "ssl": false, "note": 1.50,
        });
        let before = self.fake.refused_logins();
        let users = Users {
            server: self,
            user,
            before,
        };
        (users, SecretDocument::from_text(&secret.to_string()))
    }
}

impl Users {
    pub(crate) fn name(&self) -> &str {
        &self.user
    }
}

impl Target for Users {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect(key).expose_secret().to_owned();
        let (user, password) = (text("username"), text("password"));
        let fake = &self.server.fake;
        fake.takes(&user, &password) && fake.portrait(&user) == fake.portrait(&self.user)
    }

    async fn live(&self) -> Option<usize> {
        let clone = format!("{}_clone", self.user);
        Some(self.server.fake.with_password(&[&self.user, &clone]))
    }

    async fn refused_logins(&self) -> Option<usize> {
        Some(self.server.fake.refused_logins() - self.before)
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
async fn proves(stored: StoredAs, faults: &[Fault]) {
    let server = Server::start().await;
    let fresh = async |world: World| {
        let (users, secret) = Arc::clone(&server).user(&world, stored);
        let store = world.store().clone();
        Trial::new(users, secret, move || {
            SingleUser::new(store.clone(), settings())
        })
    };
    let prover = with_faults(
        Prover::new(fresh).switches(1),
        faults,
        Duration::from_secs(1),
    );
    match prover.run().await {
        Ok(proof) => {
            assert!(proof.gap > 0, "one password a user: {proof}");
            println!("Redshift, {stored:?}: {proof}");
        }
        Err(violation) => panic!("{stored:?}: {violation}"),
    }
}

/// A crash after a call is one before the next; to a rotator, a call that is throttled is one that fails before
/// its effect.
#[tokio::test]
async fn crashes_and_errors_of_a_single_user_heal() {
    let faults = [
        Fault::CrashAfter,
        Fault::ErrorBefore,
        Fault::ErrorAfter,
        Fault::Stale,
    ];
    proves(StoredAs::Md5, &faults).await;
}

#[tokio::test]
async fn crashes_of_a_single_user_with_a_digest_heal() {
    let faults = [Fault::CrashAfter];
    proves(StoredAs::Sha256, &faults).await;
}

#[tokio::test]
async fn calls_of_a_single_user_that_hang_heal() {
    let faults = [Fault::HangAfter];
    proves(StoredAs::Md5, &faults).await;
}

#[tokio::test]
async fn two_invocations_agree_on_a_single_user() {
    proves(StoredAs::Md5, &[]).await;
}
