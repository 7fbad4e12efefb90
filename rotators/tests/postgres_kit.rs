//! The kit, against real servers: faults at every call of a rotation, and what is left of it.
#![cfg(feature = "postgres")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::proxy::{TcpMode, TcpProxy};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{PostgresSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

use crate::faults::with_faults;

/// A server for all trials; each trial has a role of its own.
struct Server {
    postgres: PostgresServer,
    proxy: TcpProxy,
    admin: Client,
    roles: AtomicU32,
    /// What a login said, by verifier and password: that changes only with the verifier.
    logins: Mutex<HashMap<(String, String), bool>>,
}

/// The truth about one role.
struct Role {
    server: Arc<Server>,
    name: String,
}

impl Server {
    async fn start(major: u32) -> Arc<Self> {
        let postgres = PostgresServer::builder()
            .major(major)
            .allow_plaintext()
            .start()
            .await;
        Arc::new(Self {
            proxy: TcpProxy::start(postgres.host(), postgres.port()).await,
            admin: postgres.admin().await,
            postgres,
            roles: AtomicU32::new(0),
            logins: Mutex::default(),
        })
    }

    async fn trial(self: Arc<Self>, world: World) -> Trial<SingleUser<MemoryStore>, Role> {
        let name = format!("role \"{}\"", self.roles.fetch_add(1, Ordering::Relaxed));
        let create =
            "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, 'sentinel-first')";
        let create: String = self
            .admin
            .query_one(create, &[&name])
            .await
            .expect("a statement")
            .get(0);
        self.admin.batch_execute(&create).await.expect("a role");
        let secret = json!({
            "engine": "postgres", "host": self.proxy.host(), "port": self.proxy.port(),
            "username": name, "password": "sentinel-first", "dbname": "postgres",
            "ca_certificate": self.postgres.ca_pem(), "note": 1.50,
        });
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let role = Role { server: self, name };
        Trial::new(
            role,
            SecretDocument::from_text(&secret.to_string()),
            move || SingleUser::new(world.store().clone(), PostgresSettings::new(policy.clone())),
        )
    }
}

impl Target for Role {
    /// A login past the proxy and without the code under test; asked of the server once a verifier.
    async fn works(&self, secret: &SecretDocument) -> bool {
        let verifier = "SELECT rolpassword FROM pg_authid WHERE rolname = $1";
        let verifier = self.server.admin.query_one(verifier, &[&self.name]).await;
        let verifier: String = verifier.expect("a role").get(0);
        let password = secret.text("password").expect("a password");
        let password = password.expose_secret().to_owned();

        let mut logins = self.server.logins.lock().await;
        if let Some(known) = logins.get(&(verifier.clone(), password.clone())) {
            return *known;
        }
        let mut config = tokio_postgres::Config::new();
        config
            .host(self.server.postgres.host())
            .port(self.server.postgres.port())
            .user(&self.name)
            .password(&password)
            .dbname("postgres");
        let works = match config.connect(NoTls).await {
            Ok(_) => true,
            Err(fault) => {
                let code = fault.code().expect("the server answers").code();
                assert_eq!(code, "28P01", "{fault}");
                false
            }
        };
        logins.insert((verifier, password), works);
        works
    }

    async fn live(&self) -> Option<usize> {
        Some(1)
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

async fn proves(major: u32, faults: &[Fault]) {
    let server = Server::start(major).await;
    let prover = Prover::new(async |world| Arc::clone(&server).trial(world).await);
    let prover = with_faults(prover, faults, Duration::from_secs(2));
    match prover.run().await {
        Ok(proof) => println!("single user on PostgreSQL {major}: {proof}"),
        Err(violation) => panic!("PostgreSQL {major}: {violation}"),
    }
}

// A crash after a call is one before the next call: each version meets one kind.

#[tokio::test]
async fn crashes_on_postgresql_15_heal() {
    proves(15, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn crashes_on_postgresql_18_heal() {
    proves(18, &[Fault::CrashBefore]).await;
}

#[tokio::test]
async fn errors_on_postgresql_15_heal() {
    proves(15, &[Fault::ErrorAfter]).await;
}

#[tokio::test]
async fn errors_on_postgresql_18_heal() {
    proves(18, &[Fault::ErrorBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_on_postgresql_15_heal() {
    proves(15, &[Fault::HangBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_on_postgresql_18_heal() {
    proves(18, &[Fault::HangAfter]).await;
}
