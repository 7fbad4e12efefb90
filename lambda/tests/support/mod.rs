//! The whole path: the built binary on a local Lambda host, a Secrets Manager emulator and a real
//! PostgreSQL server, each behind a proxy that can be told to fail.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "support of several tests, none of which uses all of it"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::lambda_host::{Invocation, LambdaHost};
use harness::postgres::PostgresServer;
use harness::proxy::{HttpProxy, TcpProxy};
use harness::secrets_manager::{Moto, SecretsManager};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{PostgresCredential, PostgresSettings, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The name of the secret. Events carry its ARN, as the service's do.
pub const SECRET: &str = "Demo/postgres";

/// As AWS's functions have it.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The password that the role starts with; every later one is generated.
pub const FIRST: &str = "sentinel: fir'st\"\\ %41";

pub struct Stage {
    pub postgres: PostgresServer,
    pub database: Arc<TcpProxy>,
    pub moto: Moto,
    pub store: Arc<HttpProxy>,
    pub lambda: Arc<LambdaHost>,
    pub arn: String,
    pub role: String,
}

impl Stage {
    /// A role `role` on a new server, and a secret that holds its password.
    pub async fn start(major: u32, role: &str) -> Self {
        Self::start_with(major, role, &[]).await
    }

    /// The same with more environment variables for the function.
    pub async fn start_with(major: u32, role: &str, env: &[(&str, &str)]) -> Self {
        let (postgres, moto) = tokio::join!(
            PostgresServer::builder()
                .major(major)
                .setting("log_statement", "all")
                .setting("log_min_duration_statement", "0")
                .setting("shared_preload_libraries", "pg_stat_statements")
                .start(),
            Moto::start(),
        );
        let create = format!(
            "CREATE ROLE \"{}\" LOGIN PASSWORD '{}'",
            role.replace('"', "\"\""),
            FIRST.replace('\'', "''"),
        );
        // Of our own doing, so that the log holds only what a rotation wrote there. On its own: a server
        // logs a whole batch before it runs the first statement of it.
        let admin = postgres.admin().await;
        let quiet = "SET log_statement = 'none'; SET log_min_duration_statement = -1";
        admin.batch_execute(quiet).await.expect("settings");
        admin.batch_execute(&create).await.expect("a new role");
        let extension =
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset()";
        admin
            .batch_execute(extension)
            .await
            .expect("statement statistics");

        let database = Arc::new(TcpProxy::start(postgres.host(), postgres.port()).await);
        let store = Arc::new(HttpProxy::start(moto.endpoint()).await);
        let value = json!({
            "engine": "postgres", "host": database.host(), "port": database.port(),
            "dbname": "postgres", "username": role, "password": FIRST,
            "ca_certificate": postgres.ca_pem(), "note": {"kept": 1.50},
        });
        let arn = moto
            .client()
            .create_secret(SECRET, &value.to_string())
            .await;
        let lambda = Arc::new(function(&store.endpoint(), env));
        Self {
            postgres,
            database,
            moto,
            store,
            lambda,
            arn,
            role: role.to_owned(),
        }
    }

    pub fn secrets(&self) -> SecretsManager {
        self.moto.client()
    }

    /// Registers the empty pending version.
    pub async fn begin(&self, n: usize) -> String {
        let token = token(n);
        self.secrets().begin_rotation(&self.arn, &token).await;
        token
    }

    pub async fn send(&self, step: Step, token: &str) -> Invocation {
        self.lambda
            .invoke(&event(step, &self.arn, token), TIMEOUT)
            .await
    }

    /// The four events in order, up to the first that does not succeed.
    pub async fn send_all(&self, token: &str) -> Result<(), Invocation> {
        for step in Step::ALL {
            let answer = self.send(step, token).await;
            if !answer.is_response() {
                return Err(answer);
            }
        }
        Ok(())
    }

    pub async fn value(&self, label: &str) -> Option<String> {
        self.secrets().value(&self.arn, label).await
    }

    /// The password under a label.
    pub async fn password(&self, label: &str) -> Option<String> {
        let value: Value = serde_json::from_str(&self.value(label).await?).ok()?;
        Some(value["password"].as_str()?.to_owned())
    }

    /// Whether what the label names logs in at the server.
    pub async fn logs_in(&self, label: &str) -> bool {
        let Some(value) = self.value(label).await else {
            return false;
        };
        let document = SecretDocument::from_text(&value);
        let credential = PostgresCredential::try_from(&document).expect("a whole secret");
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("rules");
        let rotator = SingleUser::new(MemoryStore::new(), PostgresSettings::new(policy));
        let cx = Context::new(SECRET.into(), "probe".into(), Instant::now() + TIMEOUT);
        rotator.test(&credential, &cx).await.expect("an answer") == Verdict::Accepted
    }

    /// Where the labels are: `AWSCURRENT=2 AWSPENDING=2 AWSPREVIOUS=1` by number of the rotation.
    pub async fn labels(&self) -> String {
        let stages = self.secrets().stages(&self.arn).await;
        let mut labels = Vec::new();
        for (version, held) in stages.as_object().expect("versions") {
            let number = version.trim_start_matches(['0', '-']);
            let number = if number.len() > 8 { "first" } else { number };
            for label in held.as_array().expect("labels") {
                labels.push(format!("{}={number}", label.as_str().expect("a label")));
            }
        }
        labels.sort();
        labels.join(" ")
    }
}

/// The binary under test, with an emulator or a proxy as its Secrets Manager.
pub fn function(endpoint: &str, env: &[(&str, &str)]) -> LambdaHost {
    let mut all = vec![("SECRETS_MANAGER_ENDPOINT", endpoint)];
    all.extend(env);
    LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_postgres")), &all)
}

/// A version id for the `n`th rotation.
pub fn token(n: usize) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

pub fn event(step: Step, secret: &str, token: &str) -> Value {
    json!({"Step": step.as_str(), "SecretId": secret, "ClientRequestToken": token})
}

/// The step lines of a log.
pub fn lines(logs: &str) -> Vec<Value> {
    logs.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["message"] == "step")
        .collect()
}

/// The actions that the policies of `template.yaml` may allow, as its own tests read them.
pub fn allowed(kind: &str) -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy-tests/actions.json");
    let lists = std::fs::read_to_string(file).expect(file);
    let lists: Value = serde_json::from_str(&lists).expect("JSON");
    serde_json::from_value(lists[kind].clone()).expect(kind)
}
