//! The kit: faults at every call, two invocations side by side, and what is left.

use std::sync::Arc;
use std::time::Duration;

use harness::proxy::{TcpMode, TcpProxy};
use harness::sqlserver::{Condition, Encryption, SqlServer};
use rotators::sqlserver::{AlternatingUsers, PairSettings, SingleUser, SqlServerSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Proof, Prover, Target, Trial, World};
use serde_json::json;

use crate::faults::{CRASHES_AND_ERRORS, with_faults};
use crate::support::{ADMIN, FIRST, Fixture};

/// The truth about one user, or two, of a server of their own.
pub(crate) struct Users {
    fixture: Arc<Fixture>,
    proxy: TcpProxy,
    /// What the first user may do.
    rights: Vec<String>,
    pub(crate) outage: Outage,
}

/// What keeps everybody out for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    Network,
    /// The server has locked the login.
    Lock,
}

/// Who changes the user.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Itself,
    Admin,
}

impl Users {
    /// A server with a user, and its secret, in the store of this trial.
    pub(crate) async fn start(
        world: &World,
        encryption: Encryption,
        by: By,
    ) -> (Self, SecretDocument) {
        let fixture = Fixture::on(SqlServer::start_with(encryption).await);
        let server = &fixture.server;
        let proxy = TcpProxy::start(server.host(), server.port()).await;
        let admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN});
        let admin = SecretDocument::from_text(&admin.to_string());
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"1".into(), &admin);
        put.expect("a new version");
        let mut secret = json!({
            "engine": "sqlserver", "host": proxy.host(), "port": proxy.port(), "dbname": "shop",
            "username": "app", "password": FIRST, "ca_certificate": server.ca_pem(), "note": 1.50,
            "ssl": encryption != Encryption::NotSupported,
        });
        if by == By::Admin {
            secret["masterarn"] = "arn:admin".into();
        }
        let users = Self {
            rights: server.rights("app"),
            fixture: Arc::new(fixture),
            proxy,
            outage: Outage::Network,
        };
        (users, SecretDocument::from_text(&secret.to_string()))
    }

    fn lock(&self, condition: Condition) {
        self.fixture.server.set_condition("app", condition);
    }

    pub(crate) fn fixture(&self) -> Arc<Fixture> {
        Arc::clone(&self.fixture)
    }
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
        match (self.outage, on) {
            (Outage::Network, true) => self.proxy.set_mode(TcpMode::Refuse).await,
            (Outage::Network, false) => self.proxy.set_mode(TcpMode::Forward).await,
            (Outage::Lock, true) => self.lock(Condition::Locked),
            (Outage::Lock, false) => self.lock(Condition::Fine),
        }
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

/// With these faults; without any, two invocations side by side.
async fn proves<R: Rotator + 'static>(
    name: &str,
    by: By,
    make: fn(&MemoryStore, SqlServerSettings) -> R,
    faults: &[Fault],
) -> Proof {
    // Another server's authority is what the function trusts: the secret's goes first.
    let settings = Fixture::start().await.settings();
    // Handshakes of debug builds would be most of the time of thousands of rotations.
    let encryption = if faults.is_empty() {
        Encryption::NotSupported
    } else {
        Encryption::Offered
    };
    let fresh = async |world: World| {
        let (users, secret) = Users::start(&world, encryption, by).await;
        let (store, settings) = (world.store().clone(), settings.clone());
        Trial::new(users, secret, move || make(&store, settings.clone()))
    };
    let prover = with_faults(
        Prover::new(fresh).switches(1),
        faults,
        Duration::from_millis(2500),
    );
    let proof = prover.run().await;
    let proof = proof.unwrap_or_else(|violation| panic!("{name}: {violation}"));
    println!("{name}: {proof}");
    proof
}

pub(crate) fn single(store: &MemoryStore, settings: SqlServerSettings) -> SingleUser<MemoryStore> {
    SingleUser::new(store.clone(), settings)
}

fn pair(store: &MemoryStore, settings: SqlServerSettings) -> AlternatingUsers<MemoryStore> {
    AlternatingUsers::new(store.clone(), settings, PairSettings::default())
}

#[tokio::test]
async fn faults_of_a_login_by_itself_heal() {
    proves("single user", By::Itself, single, &CRASHES_AND_ERRORS).await;
}

/// A crash after a call is one before the next.
#[tokio::test]
async fn crashes_and_errors_of_a_login_by_an_admin_heal() {
    let faults = [Fault::CrashAfter, Fault::ErrorAfter];
    proves("single user, by an admin", By::Admin, single, &faults).await;
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
    proves("two users", By::Admin, pair, &faults).await;
}

#[tokio::test]
async fn calls_that_hang_heal() {
    proves("single user", By::Itself, single, &[Fault::HangAfter]).await;
}

#[tokio::test]
async fn two_invocations_agree_on_one_user() {
    proves("single user", By::Itself, single, &[]).await;
}

#[tokio::test]
async fn two_invocations_agree_on_a_pair() {
    proves("two users", By::Admin, pair, &[]).await;
}
