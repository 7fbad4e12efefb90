//! The kit, with pairs on real servers; and rotators that are wrong on purpose.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::proxy::{TcpMode, TcpProxy};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{AlternatingUsers, PairLayout, PairSettings, PostgresSettings};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Prover, Target, Trial, World};
use serde_json::json;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

use crate::faults::with_faults;
use crate::pair::{ADMIN, quoted};

/// A server for all trials; each trial has a user of its own.
pub(crate) struct Server {
    pub(crate) postgres: PostgresServer,
    pub(crate) proxy: TcpProxy,
    pub(crate) admin: Client,
    users: AtomicU32,
    /// What a login said, by user, verifier and password.
    logins: Mutex<HashMap<[String; 3], bool>>,
}

/// The truth about one pair.
pub(crate) struct Users {
    server: Arc<Server>,
    user: String,
}

impl Server {
    pub(crate) async fn start(major: u32) -> Arc<Self> {
        let postgres = PostgresServer::builder()
            .major(major)
            .allow_plaintext()
            .start()
            .await;
        let server = Self {
            proxy: TcpProxy::start(postgres.host(), postgres.port()).await,
            admin: postgres.admin().await,
            postgres,
            users: AtomicU32::new(0),
            logins: Mutex::default(),
        };
        let shared = format!(
            "CREATE TABLE shared (id int, note text); \
             CREATE ROLE readers; CREATE ROLE manager LOGIN CREATEROLE PASSWORD '{ADMIN}'"
        );
        server.run(&shared).await;
        Arc::new(server)
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect(sql);
    }

    /// A trial of what `make` makes, of the world and the secret's user.
    pub(crate) async fn trial<R: Rotator>(
        self: Arc<Self>,
        world: &World,
        make: impl Fn() -> R + 'static,
    ) -> Trial<R, Users> {
        let user = format!("user \"{}\"", self.users.fetch_add(1, Ordering::Relaxed));
        let mut rights = String::from(
            "CREATE ROLE {} LOGIN CONNECTION LIMIT 9 PASSWORD 'sentinel-first'; GRANT readers TO {}; \
             GRANT SELECT ON shared TO {}; GRANT UPDATE (note) ON shared TO {}; \
             CREATE SCHEMA AUTHORIZATION {}; ALTER ROLE {} SET work_mem = '5MB'; \
             ALTER ROLE {} SET search_path = public; ",
        );
        if self.postgres.major() >= 16 {
            rights += "GRANT {} TO manager WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
        }
        self.run(&rights.replace("{}", &quoted(&user))).await;
        let admin = json!({"username": "manager", "password": ADMIN, "host": self.proxy.host()});
        let admin = SecretDocument::from_text(&admin.to_string());
        let put = world
            .store()
            .put_current(&"arn:admin".into(), &"first".into(), &admin);
        put.expect("a new secret");
        let secret = json!({
            "engine": "postgres", "host": self.proxy.host(), "port": self.proxy.port(),
            "username": user, "password": "sentinel-first", "dbname": "postgres",
            "masterarn": "arn:admin", "ca_certificate": self.postgres.ca_pem(), "note": 1.50,
        });
        let secret = SecretDocument::from_text(&secret.to_string());
        Trial::new(Users { server: self, user }, secret, make)
    }
}

/// All that the application needs of the user: what it was given, also where it comes from another role.
const RIGHTS: &str = "
    SELECT has_table_privilege(r.oid, 'shared', 'SELECT')
        AND has_column_privilege(r.oid, 'shared', 'note', 'UPDATE')
        AND pg_has_role(r.oid, 'readers', 'USAGE')
        AND has_schema_privilege(r.oid, $2, 'CREATE')
        AND pg_has_role(r.oid, (SELECT nspowner FROM pg_namespace WHERE nspname = $2), 'USAGE')
        AND r.rolconnlimit = 9
        AND (SELECT setconfig @> ARRAY['work_mem=5MB', 'search_path=public']
             FROM pg_db_role_setting WHERE setrole = r.oid)
    FROM pg_roles AS r WHERE rolname = $1";

impl Target for Users {
    async fn works(&self, secret: &SecretDocument) -> bool {
        let text = |key| secret.text(key).expect(key).expose_secret().to_owned();
        let (user, password) = (text("username"), text("password"));
        let server = &self.server;
        let verifier = "SELECT rolpassword FROM pg_authid WHERE rolcanlogin AND rolname = $1";
        let row = server.admin.query_opt(verifier, &[&user]).await;
        let verifier = row.expect("an answer").and_then(|row| row.get(0));
        let Some(verifier): Option<String> = verifier else {
            return false;
        };
        let rights = server.admin.query_one(RIGHTS, &[&user, &self.user]).await;
        if rights.expect("a role").get::<_, Option<bool>>(0) != Some(true) {
            return false;
        }
        let mut logins = server.logins.lock().await;
        let key = [user.clone(), verifier, password.clone()];
        if let Some(known) = logins.get(&key) {
            return *known;
        }
        let mut config = tokio_postgres::Config::new();
        config
            .host(server.postgres.host())
            .port(server.postgres.port())
            .user(&user)
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
        logins.insert(key, works);
        works
    }

    async fn live(&self) -> Option<usize> {
        let live = "SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL \
                    AND strpos(rolname, $1) = 1";
        let row = self.server.admin.query_one(live, &[&self.user]).await;
        usize::try_from(row.expect("an answer").get::<_, i64>(0)).ok()
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

fn rotator(world: &World, layout: PairLayout) -> AlternatingUsers<MemoryStore> {
    let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
    let mut pair = PairSettings::default();
    pair.layout = layout;
    AlternatingUsers::new(world.store().clone(), PostgresSettings::new(policy), pair)
}

async fn proves(major: u32, layout: PairLayout, faults: &[Fault]) {
    let server = Server::start(major).await;
    let fresh = async |world: World| {
        let surroundings = world.clone();
        let make = move || rotator(&surroundings, layout);
        Arc::clone(&server).trial(&world, make).await
    };
    let prover = with_faults(Prover::new(fresh), faults, Duration::from_millis(2500));
    match prover.run().await {
        Ok(proof) => {
            assert_eq!(proof.gap, 0, "{proof}");
            println!("{layout:?} on PostgreSQL {major}: {proof}");
        }
        Err(violation) => panic!("{layout:?} on PostgreSQL {major}: {violation}"),
    }
}

// A crash after a call is one before the next call: each layout meets one kind on each version.

#[tokio::test]
async fn crashes_of_a_pair_with_an_owner_role_on_postgresql_15_heal() {
    proves(15, PairLayout::Owner, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn crashes_of_a_pair_with_an_owner_role_on_postgresql_18_heal() {
    proves(18, PairLayout::Owner, &[Fault::CrashBefore]).await;
}

#[tokio::test]
async fn errors_of_a_pair_with_an_owner_role_heal() {
    proves(
        18,
        PairLayout::Owner,
        &[Fault::ErrorBefore, Fault::ErrorAfter],
    )
    .await;
}

#[tokio::test]
async fn crashes_of_a_pair_of_awss_kind_on_postgresql_15_heal() {
    proves(15, PairLayout::Member, &[Fault::CrashBefore]).await;
}

#[tokio::test]
async fn crashes_of_a_pair_of_awss_kind_on_postgresql_18_heal() {
    proves(18, PairLayout::Member, &[Fault::CrashAfter]).await;
}

#[tokio::test]
async fn calls_that_hang_before_their_effect_heal() {
    proves(15, PairLayout::Owner, &[Fault::HangBefore]).await;
}

#[tokio::test]
async fn calls_that_hang_after_their_effect_heal() {
    proves(18, PairLayout::Member, &[Fault::HangAfter]).await;
}

/// To a rotator, a call that is throttled is one that fails before its effect.
#[tokio::test]
async fn stale_reads_of_a_pair_heal() {
    proves(15, PairLayout::Owner, &[Fault::Stale]).await;
}
