//! PostgreSQL users that take turns, as they are rotated when deployed: event, binary, Secrets Manager over
//! the wire, and a real server; and SIGKILL at each message to that server.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::sync::Arc;

use harness::lambda_host::{Invocation, LambdaHost};
use harness::postgres::PostgresServer;
use harness::proxy::{Fault, Hook, TcpAction, TcpProxy};
use harness::secrets_manager::Moto;
use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use support::{FIRST, TIMEOUT, event, function, token};
use tokio_postgres::{Client, NoTls};

const ADMIN: &str = "sentinel-Admin-4711";

struct Stage {
    postgres: PostgresServer,
    admin: Client,
    database: TcpProxy,
    moto: Moto,
    lambda: Arc<LambdaHost>,
    admin_arn: String,
}

/// One pair: its secret, and its first user.
struct Pair<'s> {
    stage: &'s Stage,
    arn: String,
    user: String,
}

impl Stage {
    async fn start(major: u32, layout: &str) -> Self {
        let server = PostgresServer::builder()
            .major(major)
            .allow_plaintext()
            .setting("log_statement", "all");
        let (postgres, moto) = tokio::join!(server.start(), Moto::start());
        let admin = postgres.admin().await;
        let setup = format!(
            "CREATE TABLE shared (id int); \
             SET log_statement = 'none'; CREATE ROLE manager LOGIN CREATEROLE PASSWORD '{ADMIN}'"
        );
        for statement in setup.split("; ") {
            admin.batch_execute(statement).await.expect(statement);
        }
        let database = TcpProxy::start(postgres.host(), postgres.port()).await;
        let value = json!({
            "engine": "postgres", "host": database.host(), "username": "manager", "password": ADMIN,
        });
        let secrets = moto.client();
        let admin_arn = secrets
            .create_secret("Demo/admin", &value.to_string())
            .await;
        let env = [("STRATEGY", "alternating_users"), ("PAIR_LAYOUT", layout)];
        let lambda = Arc::new(function(moto.endpoint(), &env));
        Self {
            postgres,
            admin,
            database,
            moto,
            lambda,
            admin_arn,
        }
    }

    async fn pair(&self, user: &str) -> Pair<'_> {
        let mut rights = format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{}'; GRANT SELECT ON shared TO {user}; \
             CREATE SCHEMA of_{user} AUTHORIZATION {user}; ALTER ROLE {user} SET work_mem = '5MB'",
            FIRST.replace('\'', "''"),
        );
        if self.postgres.major() >= 16 {
            let grant = "GRANT {} TO manager WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
            rights = format!("{rights}; {}", grant.replace("{}", user));
        }
        for statement in rights.split("; ") {
            self.admin.batch_execute(statement).await.expect(statement);
        }
        let value = json!({
            "engine": "postgres", "host": self.database.host(), "port": self.database.port(),
            "dbname": "postgres", "username": user, "password": FIRST, "masterarn": self.admin_arn,
            "ca_certificate": self.postgres.ca_pem(), "note": {"kept": 1.50},
        });
        let name = format!("Demo/{user}");
        let secrets = self.moto.client();
        Pair {
            stage: self,
            arn: secrets.create_secret(&name, &value.to_string()).await,
            user: user.to_owned(),
        }
    }
}

impl Pair<'_> {
    async fn rotate(&self, token: &str) -> Result<(), Invocation> {
        for step in Step::ALL {
            let event = event(step, &self.arn, token);
            let answer = self.stage.lambda.invoke(&event, TIMEOUT).await;
            if !answer.is_response() {
                return Err(answer);
            }
        }
        Ok(())
    }

    async fn begin(&self, n: usize) -> String {
        let token = token(n);
        let secrets = self.stage.moto.client();
        secrets.begin_rotation(&self.arn, &token).await;
        token
    }

    async fn value(&self, label: &str) -> Value {
        let value = self.stage.moto.client().value(&self.arn, label).await;
        serde_json::from_str(&value.expect(label)).expect("JSON")
    }

    /// What the label names logs in past the function, and has the rights of the first user.
    async fn works(&self, label: &str) {
        let value = self.value(label).await;
        let server = &self.stage.postgres;
        let mut config = tokio_postgres::Config::new();
        config
            .host(server.host())
            .port(server.port())
            .user(value["username"].as_str().expect("a user"))
            .password(value["password"].as_str().expect("a password"))
            .dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.expect(label);
        tokio::spawn(connection);
        let work = format!(
            "SELECT * FROM shared; CREATE TABLE of_{}.t (id int); DROP TABLE of_{}.t; \
             SELECT 1 / (current_setting('work_mem') = '5MB')::int",
            self.user, self.user
        );
        client.batch_execute(&work).await.expect(label);
    }
}

async fn users_take_turns(major: u32, layout: &str) {
    let stage = Stage::start(major, layout).await;
    let pair = stage.pair("app").await;
    let mut passwords = vec![FIRST.to_owned(), ADMIN.to_owned()];
    for (n, user) in [(1, "app_clone"), (2, "app"), (3, "app_clone")] {
        let token = pair.begin(n).await;
        pair.rotate(&token).await.expect("four answers");
        let current = pair.value("AWSCURRENT").await;
        assert_eq!(current["username"], user);
        assert_eq!(current["note"], json!({"kept": 1.50}));
        assert_eq!(current["masterarn"], stage.admin_arn);
        pair.works("AWSCURRENT").await;
        pair.works("AWSPREVIOUS").await;
        passwords.push(current["password"].as_str().expect("a password").to_owned());
    }
    for password in passwords {
        assert_eq!(sentinel::found(&password, &stage.lambda.logs()), None);
        assert_eq!(sentinel::found(&password, &stage.postgres.log()), None);
    }
    let events = stage.lambda.logs();
    assert_eq!(support::lines(&events).len(), 12);
}

#[tokio::test]
async fn users_take_turns_with_an_owner_role_on_postgresql_18() {
    users_take_turns(18, "owner").await;
}

#[tokio::test]
async fn users_take_turns_as_awss_do_on_postgresql_15() {
    users_take_turns(15, "member").await;
}

/// A process that is killed leaves nothing behind: what the server was told so far, it takes back.
///
/// Killed after the n-th answer or before the next message is the same to the server.
#[tokio::test]
async fn a_kill_at_any_message_is_survived() {
    let stage = Stage::start(18, "owner").await;
    for chunk in 1.. {
        let pair = stage.pair(&format!("u{chunk}")).await;
        let token = pair.begin(chunk).await;
        stage.database.reset();
        let lambda = Arc::clone(&stage.lambda);
        let action = TcpAction::CallAndDrop(Hook::new(move || lambda.kill()));
        stage.database.fault_at(chunk, Fault::After(action));
        let struck = match pair.rotate(&token).await {
            // The end of a session has no answer after which a killer could come.
            Ok(()) => stage.database.chunks() >= chunk,
            Err(end) => {
                assert!(end.is_crash(), "message {chunk}: {end:?}");
                pair.works("AWSCURRENT").await;
                let again = pair.rotate(&token).await;
                again.expect("the same rotation, tried again");
                true
            }
        };
        stage.database.clear_faults();
        pair.works("AWSCURRENT").await;
        pair.works("AWSPREVIOUS").await;
        assert_eq!(
            pair.value("AWSCURRENT").await["username"],
            format!("u{chunk}_clone")
        );
        if !struck {
            assert!(chunk > 60, "only {chunk} messages");
            break;
        }
    }
}
