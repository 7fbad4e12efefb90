//! Admins whose secrets RDS manages, as they are used when deployed: event, binary, a real PostgreSQL server,
//! and Secrets Manager and RDS over the wire.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use harness::lambda_host::{Invocation, LambdaHost};
use harness::postgres::PostgresServer;
use harness::proxy::{Fault, HttpAction, HttpProxy, TcpMode, TcpProxy};
use harness::rds::{ADMIN, MotoRds};
use harness::secrets_manager::Moto;
use secrets_core::event::Step;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use support::{FIRST, TIMEOUT, event, function, token};
use tokio_postgres::{Client, NoTls};

/// A server with two addresses: its own, and one that only the admin has to reach.
struct Stage {
    postgres: PostgresServer,
    admin: Client,
    /// The primary, or the writer of a cluster.
    writer: TcpProxy,
    moto: Moto,
    rds: MotoRds,
    /// Secrets Manager and RDS.
    aws: HttpProxy,
    lambda: LambdaHost,
}

impl Stage {
    async fn start(strategy: &str) -> Self {
        let server = PostgresServer::builder()
            .major(18)
            // Its replica's certificate holds another name.
            .server_names(&["localhost"])
            .allow_plaintext()
            .setting("log_statement", "all");
        let databases = [
            ("orders", "localhost"),
            ("shop", "localhost"),
            ("orders-r", "127.0.0.1"),
        ];
        let databases = [&databases[..], &[("shop-1", "localhost")]].concat();
        let (postgres, moto) = tokio::join!(server.start(), Moto::start_with_databases(&databases));
        let admin = postgres.admin().await;
        for statement in [
            "CREATE TABLE shared (id int)",
            "SET log_statement = 'none'",
            &format!(
                "CREATE ROLE {} LOGIN CREATEROLE PASSWORD '{}'",
                ADMIN.0, ADMIN.1
            ),
            &format!(
                "CREATE ROLE app LOGIN PASSWORD '{}'",
                FIRST.replace('\'', "''")
            ),
            "GRANT SELECT ON shared TO app",
            "GRANT app TO admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        ] {
            admin.batch_execute(statement).await.expect(statement);
        }
        let aws = HttpProxy::start(moto.endpoint()).await;
        let url = aws.endpoint();
        let env = [("STRATEGY", strategy), ("AWS_ENDPOINT_URL_RDS", &url)];
        Self {
            writer: TcpProxy::start(postgres.host(), postgres.port()).await,
            rds: MotoRds::at(moto.endpoint()),
            lambda: function(&url, &env),
            aws,
            admin,
            moto,
            postgres,
        }
    }

    /// Runs statements at the primary, in a session of their own.
    async fn set(&self, statements: &str) {
        let admin = self.postgres.admin().await;
        for statement in statements.split("; ") {
            admin.batch_execute(statement).await.expect(statement);
        }
    }

    /// The secret to rotate, which names a server and an admin.
    async fn secret(&self, admin: &str, host: &str, port: u16) -> Secret<'_> {
        let value = json!({
            "engine": "postgres", "host": host, "port": port, "dbname": "postgres", "username": "app",
            "password": FIRST, "masterarn": admin, "ca_certificate": self.postgres.ca_pem(),
        });
        let name = format!("app of {admin} at {host}:{port}");
        let secrets = self.moto.client();
        Secret {
            stage: self,
            arn: secrets.create_secret(&name, &value.to_string()).await,
        }
    }
}

struct Secret<'s> {
    stage: &'s Stage,
    arn: String,
}

impl Secret<'_> {
    /// A rotation; gives the calls to Secrets Manager and RDS.
    async fn rotates(&self, n: usize) -> String {
        let ended = self.rotate(n).await;
        ended.unwrap_or_else(|end| panic!("{end:?}"));
        self.stage.aws.operations().join(" ")
    }

    async fn rotate(&self, n: usize) -> Result<(), Invocation> {
        let token = token(n);
        let secrets = self.stage.moto.client();
        secrets.begin_rotation(&self.arn, &token).await;
        self.stage.aws.reset();
        self.go_on(n).await
    }

    async fn go_on(&self, n: usize) -> Result<(), Invocation> {
        for step in Step::ALL {
            let event = event(step, &self.arn, &token(n));
            let answer = self.stage.lambda.invoke(&event, TIMEOUT).await;
            if !answer.is_response() {
                return Err(answer);
            }
        }
        Ok(())
    }

    /// What the label names logs in past the function and reads the table: its user and password.
    async fn works(&self, label: &str) -> (String, String) {
        let value = self.stage.moto.client().value(&self.arn, label).await;
        let value: Value = serde_json::from_str(&value.expect(label)).expect("JSON");
        let text = |key: &str| value[key].as_str().expect(key).to_owned();
        let (user, password) = (text("username"), text("password"));
        let mut config = tokio_postgres::Config::new();
        config
            .host(self.stage.postgres.host())
            .port(self.stage.postgres.port())
            .user(&user)
            .password(&password)
            .dbname("postgres");
        let (client, connection) = config.connect(NoTls).await.expect(label);
        tokio::spawn(connection);
        client
            .batch_execute("SELECT * FROM shared")
            .await
            .expect(label);
        (user, password)
    }
}

/// Two tags and one answer of RDS more than with an admin's secret that has a host.
const CALLS: &str = "DescribeSecret GetSecretValue GetSecretValue PutSecretValue \
     DescribeSecret GetSecretValue GetSecretValue GetSecretValue DescribeSecret";

const TEST_AND_FINISH: &str =
    "GetSecretValue DescribeSecret GetSecretValue UpdateSecretVersionStage";

#[tokio::test]
async fn users_of_an_instance_take_turns() {
    let stage = Stage::start("alternating_users").await;
    let port = stage.postgres.port();
    let admin = stage.rds.create_instance("orders", "postgres", port).await;
    let secret = stage.secret(&admin, "localhost", port).await;
    let mut passwords = vec![FIRST.to_owned(), ADMIN.1.to_owned()];
    for (n, user) in [(1, "app_clone"), (2, "app"), (3, "app_clone")] {
        let calls = secret.rotates(n).await;
        let expected = format!("{CALLS} DescribeDBInstances {TEST_AND_FINISH}");
        assert_eq!(calls, expected);
        let (current, password) = secret.works("AWSCURRENT").await;
        assert_eq!(current, user);
        secret.works("AWSPREVIOUS").await;
        passwords.push(password);
    }
    for password in passwords {
        assert_eq!(sentinel::found(&password, &stage.lambda.logs()), None);
        assert_eq!(sentinel::found(&password, &stage.postgres.log()), None);
    }
}

/// A replica whose changes are the primary's once a statement there has ended.
async fn with_a_replica(stage: &Stage) -> PostgresServer {
    let replica = stage.postgres.standby(&["127.0.0.1"]).await;
    stage
        .set(
            "ALTER SYSTEM SET synchronous_standby_names = '*'; \
         ALTER SYSTEM SET synchronous_commit = 'remote_apply'; SELECT pg_reload_conf()",
        )
        .await;
    replica
}

/// The user is tested at the replica, changes are made at the primary.
#[tokio::test]
async fn the_admin_of_a_replica_logs_in_at_the_primary() {
    let stage = Stage::start("alternating_users").await;
    let replica = with_a_replica(&stage).await;
    let (own, writer) = (replica.port(), stage.writer.port());
    let admin = stage
        .rds
        .create_instance("orders", "postgres", writer)
        .await;
    stage.rds.create_replica("orders-r", "orders", own).await;
    let secret = stage.secret(&admin, "127.0.0.1", own).await;

    let expected = format!("{CALLS} DescribeDBInstances DescribeDBInstances {TEST_AND_FINISH}");
    assert_eq!(secret.rotates(1).await, expected);
    assert_eq!(secret.works("AWSCURRENT").await.0, "app_clone");

    // A primary that is gone stops it, with the replica up.
    stage.writer.set_mode(TcpMode::Refuse).await;
    let end = secret.rotate(2).await.expect_err("no primary");
    let words = format!("localhost:{writer} (as the admin of `masterarn`)");
    assert!(end.error().1.contains(&words), "{end:?}");
    stage.writer.set_mode(TcpMode::Forward).await;
    secret
        .go_on(2)
        .await
        .expect("the same rotation, tried again");
    assert_eq!(secret.works("AWSCURRENT").await.0, "app");
}

#[tokio::test]
async fn a_replica_that_lags_behind_is_waited_for_by_the_next_try() {
    let stage = Stage::start("alternating_users").await;
    let replica = with_a_replica(&stage).await;
    let (own, writer) = (replica.port(), stage.writer.port());
    let admin = stage
        .rds
        .create_instance("orders", "postgres", writer)
        .await;
    stage.rds.create_replica("orders-r", "orders", own).await;
    let secret = stage.secret(&admin, "127.0.0.1", own).await;

    stage
        .set("ALTER SYSTEM SET synchronous_commit = 'local'; SELECT pg_reload_conf()")
        .await;
    let standby = replica.admin().await;
    let pause = "SELECT pg_wal_replay_pause()";
    standby.batch_execute(pause).await.expect(pause);
    let end = secret
        .rotate(1)
        .await
        .expect_err("the replica does not know the user");
    assert_eq!(end.error().0, "PendingRefused", "{end:?}");
    assert_eq!(secret.works("AWSCURRENT").await.0, "app");

    let resume = "SELECT pg_wal_replay_resume()";
    standby.batch_execute(resume).await.expect(resume);
    stage
        .set("ALTER SYSTEM SET synchronous_commit = 'remote_apply'; SELECT pg_reload_conf()")
        .await;
    stage.set("CREATE TABLE applied ()").await;
    secret
        .go_on(1)
        .await
        .expect("the same rotation, tried again");
    assert_eq!(secret.works("AWSCURRENT").await.0, "app_clone");
}

#[tokio::test]
async fn the_admin_of_a_clusters_instance_logs_in_at_the_writer() {
    let stage = Stage::start("alternating_users").await;
    let (own, writer) = (stage.postgres.port(), stage.writer.port());
    let engine = "aurora-postgresql";
    let admin = stage.rds.create_cluster("shop", engine, writer).await;
    stage.rds.create_member("shop-1", "shop", engine, own).await;
    let secret = stage.secret(&admin, "localhost", own).await;
    let expected = format!("{CALLS} DescribeDBClusters DescribeDBInstances {TEST_AND_FINISH}");
    assert_eq!(secret.rotates(1).await, expected);
    assert_eq!(secret.works("AWSCURRENT").await.0, "app_clone");
    assert!(stage.writer.chunks() > 10, "{}", stage.writer.chunks());
}

/// Where the role may not change itself; and a role that may asks nobody.
#[tokio::test]
async fn the_admin_of_a_single_user_is_asked_for_once_needed() {
    let stage = Stage::start("single_user").await;
    let port = stage.postgres.port();
    let admin = stage.rds.create_instance("orders", "postgres", port).await;
    let secret = stage.secret(&admin, "localhost", port).await;
    let eleven = format!(
        "DescribeSecret GetSecretValue GetSecretValue PutSecretValue \
         DescribeSecret GetSecretValue GetSecretValue {TEST_AND_FINISH}"
    );
    assert_eq!(secret.rotates(1).await, eleven);

    // A date that only an admin can move.
    let soon =
        "DO $$ BEGIN EXECUTE format('ALTER ROLE app VALID UNTIL %L', now() + '5 days'); END $$";
    stage.admin.batch_execute(soon).await.expect(soon);
    let calls = secret.rotates(2).await;
    assert_eq!(
        calls,
        format!("{CALLS} DescribeDBInstances {TEST_AND_FINISH}")
    );
    secret.works("AWSCURRENT").await;
    let days = "SELECT round(extract(epoch FROM rolvaliduntil - now()) / 86400)::int FROM pg_roles \
                WHERE rolname = 'app'";
    let days = stage.admin.query_one(days, &[]).await.expect(days);
    assert_eq!(days.get::<_, i32>(0), 90);
}

#[tokio::test]
async fn what_is_wrong_with_the_admin_changes_nothing() {
    let stage = Stage::start("alternating_users").await;
    let port = stage.postgres.port();
    let admin = stage.rds.create_instance("orders", "postgres", port).await;
    let other = stage.rds.create_instance("other", "postgres", port).await;
    let mysql = stage.rds.create_instance("legacy", "mysql", port).await;
    let ours = json!({"username": ADMIN.0, "password": ADMIN.1}).to_string();
    let ours = stage.moto.client().create_secret("ours", &ours).await;
    for (n, (admin, kind, words)) in [
        (
            &other,
            "Misconfigured",
            "and `host` and `port` are neither that database's",
        ),
        (&mysql, "Misconfigured", "another `engine`"),
        (&ours, "Misconfigured", "add `host` to that secret"),
    ]
    .into_iter()
    .enumerate()
    {
        let secret = stage.secret(admin, "localhost", port).await;
        let end = secret.rotate(n).await.expect_err(words);
        let (error_type, message) = end.error();
        assert!(error_type.contains(kind), "{error_type}: {message}");
        assert!(message.contains(words), "{message}");
        assert_eq!(secret.works("AWSCURRENT").await.0, "app");
    }

    // Without the right; and once it is given, the same rotation goes on.
    let secret = stage.secret(&admin, "localhost", port).await;
    let denied = HttpAction::Status {
        code: 403,
        aws_code: "AccessDenied".to_owned(),
    };
    let token = token(9);
    stage
        .moto
        .client()
        .begin_rotation(&secret.arn, &token)
        .await;
    stage.aws.reset();
    stage.aws.fault_at(10, Fault::Before(denied));
    let end = secret.go_on(9).await.expect_err("no right");
    let (_, message) = end.error();
    assert_eq!(
        stage.aws.operations().last().map(String::as_str),
        Some("DescribeDBInstances")
    );
    assert!(
        message.contains("may not do rds:DescribeDBInstances"),
        "{message}"
    );
    assert!(message.contains(":db:orders"), "{message}");
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'app\\_%'";
    let roles = stage.admin.query_one(roles, &[]).await.expect(roles);
    assert_eq!(roles.get::<_, i64>(0), 0);
    secret
        .go_on(9)
        .await
        .expect("the same rotation, tried again");
    assert_eq!(secret.works("AWSCURRENT").await.0, "app_clone");
    assert_eq!(sentinel::found(ADMIN.1, &stage.lambda.logs()), None);
}
