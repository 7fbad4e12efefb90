//! What the tests of all pools share.

pub mod load;
pub mod mysql_pools;
pub mod postgres_pools;
pub mod static_pool;

use std::fmt::Debug;
use std::time::Duration;

use secrets_core::client::{ClientError, ConnectError, SecretHandle, SecretsClient};
use secrets_core::document::SecretDocument;
use secrets_core::event::SecretId;
use secrets_core::store::memory::MemoryStore;
use secrets_pools::DbLogin;
use serde_json::json;

/// Where the server is.
#[derive(Clone, Debug)]
pub struct Place {
    pub port: u16,
    pub ca_pem: String,
}

/// Whether a pool hands out a connection more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    Yes,
    /// Each checkout logs in.
    Never,
}

/// One of the adapters, to be used the same way as the others.
pub trait TestPool: Send + Sync + Sized + 'static {
    type Held: Send;

    async fn make(handle: SecretHandle<DbLogin>, place: &Place, size: u32, reuse: Reuse) -> Self;

    fn check_out(&self) -> impl Future<Output = Result<Self::Held, Failure>> + Send;

    /// The user that is logged in, and the number of the session at the server.
    fn session(
        &self,
        held: &mut Self::Held,
    ) -> impl Future<Output = Result<(String, u64), String>> + Send;

    /// Back into the pool; or closed, if each checkout is to log in.
    fn give_back(&self, held: Self::Held) -> impl Future<Output = ()> + Send;
}

/// Why there was no connection.
#[derive(Debug)]
pub enum Failure {
    Secret(ClientError),
    /// With the target's last refusal.
    Refused(String, ClientError),
    /// What the target or the pool said.
    Target(#[allow(dead_code, reason = "shown by a test that fails")] String),
}

impl<E: Debug> From<ConnectError<E>> for Failure {
    fn from(fault: ConnectError<E>) -> Self {
        match fault {
            ConnectError::Secret(fault) => Self::Secret(fault),
            ConnectError::Refused { last, why } => Self::Refused(format!("{last:?}"), why),
            ConnectError::Target(fault) => Self::Target(format!("{fault:?}")),
        }
    }
}

/// A secret in a store, and an application that reads it.
pub struct Secret {
    pub store: MemoryStore,
    pub id: SecretId,
    pub client: SecretsClient,
}

impl Secret {
    pub fn new() -> Self {
        let store = MemoryStore::new();
        let client = SecretsClient::builder(store.clone())
            .try_pending()
            .refresh_interval(Duration::from_millis(20))
            .build();
        Self {
            store,
            id: "app/db".into(),
            client,
        }
    }

    /// A new current version, as its owner would put it.
    pub fn put(&self, version: &str, username: &str, password: &str) {
        let value = json!({ "username": username, "password": password }).to_string();
        self.put_document(version, &SecretDocument::from_text(&value));
    }

    pub fn put_document(&self, version: &str, value: &SecretDocument) {
        let put = self.store.put_current(&self.id, &version.into(), value);
        put.expect("a new version");
    }

    pub async fn handle(&self) -> SecretHandle<DbLogin> {
        self.client.secret(self.id.as_str()).await.expect("a login")
    }
}

/// A checkout that goes well.
pub async fn check_out<P: TestPool>(pool: &P) -> P::Held {
    pool.check_out().await.expect("a connection")
}

pub async fn session<P: TestPool>(pool: &P, held: &mut P::Held) -> (String, u64) {
    pool.session(held).await.expect("a session that works")
}

/// Checks out, asks who it is, gives back.
pub async fn visit<P: TestPool>(pool: &P) -> (String, u64) {
    let mut held = check_out(pool).await;
    let session = session(pool, &mut held).await;
    pool.give_back(held).await;
    session
}

/// A server with a user `app`, its secret at version `v0`, and what tests do to both.
pub trait World: Send + Sync + Sized + 'static {
    async fn start() -> Self;

    fn place(&self) -> &Place;

    fn secret(&self) -> &Secret;

    async fn add_user(&self, name: &str, password: &str);

    async fn set_password(&self, name: &str, password: &str);

    /// The logins that the server has refused so far.
    async fn refusals(&self) -> usize;

    async fn pool<P: TestPool>(&self, size: u32, reuse: Reuse) -> std::sync::Arc<P> {
        let handle = self.secret().handle().await;
        std::sync::Arc::new(P::make(handle, self.place(), size, reuse).await)
    }
}
