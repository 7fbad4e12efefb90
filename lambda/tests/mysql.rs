//! Users of MySQL and MariaDB as they are rotated when deployed: event, binary, Secrets Manager over the wire,
//! and a real server with TLS.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;

use harness::lambda_host::LambdaHost;
use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use harness::rds::{ADMIN as RDS_ADMIN, MotoRds};
use harness::secrets_manager::Moto;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder};
use serde_json::json;

use deployed::{Deployed, hides};

const FIRST: &str = "sentinel:first~%41";
const ADMIN: &str = "sentinel-of-the-admin";

struct Stage<E> {
    server: Server<E>,
    function: Deployed,
}

impl<E: Edition> Stage<E> {
    /// A user `app`, an admin with these rights, and the function with these variables besides.
    async fn start(admin: &[&str], variables: &[(&str, &str)]) -> Self {
        let builder = Server::<E>::builder().setting("general_log", "ON");
        let databases = [("shop", "127.0.0.1")];
        let moto = Moto::start_with_databases(&databases);
        let (server, moto) = tokio::join!(builder.start(), moto);
        let mut env = vec![("PASSWORD_LENGTH", "40")];
        env.extend(variables);
        let ca = server.ca_pem();
        env.extend([("CA_CERTIFICATE", ca.as_str())]);
        env.push(("SECRETS_MANAGER_ENDPOINT", moto.endpoint()));
        env.push(("AWS_ENDPOINT_URL_RDS", moto.endpoint()));
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_mysql")), &env);
        let secrets = moto.client();
        let secret =
            json!({"host": server.host(), "username": "manager", "password": ADMIN}).to_string();
        let masterarn = secrets.create_secret("Demo/mysql_admin", &secret).await;
        let mut value = json!({
            "engine": "mysql", "host": server.host(), "port": server.port(), "username": "app",
            "password": FIRST, "kept": 1.50,
        });
        if !admin.is_empty() {
            value["masterarn"] = json!(masterarn);
        }
        let value = value.to_string();
        let arn = secrets.create_secret("Demo/mysql", &value).await;
        let stage = Self {
            server,
            function: Deployed { moto, lambda, arn },
        };
        let create = [
            format!("CREATE USER app IDENTIFIED BY '{FIRST}'"),
            format!("CREATE USER manager IDENTIFIED BY '{ADMIN}'"),
        ];
        let create = create.iter().map(String::as_str);
        stage.root(create.chain(admin.iter().copied())).await;
        stage
    }

    /// Statements of root's, which the server does not log.
    async fn root(&self, statements: impl IntoIterator<Item = &str>) {
        let root = self.connect("root", self.server.root_password()).await;
        let mut root = root.expect("root");
        for statement in ["SET SESSION sql_log_off = ON"]
            .into_iter()
            .chain(statements)
        {
            root.query_drop(statement).await.expect(statement);
        }
        root.disconnect().await.expect("the end of a session");
    }

    /// A login without the code under test; else the server's code.
    async fn connect(&self, user: &str, password: &str) -> Result<Conn, u16> {
        let socket = self.server.socket();
        let options = OptsBuilder::default()
            .socket(socket.to_str())
            .user(Some(user))
            .pass(Some(password));
        match Conn::new(options).await {
            Ok(conn) => Ok(conn),
            Err(Error::Server(fault)) => Err(fault.code),
            Err(fault) => panic!("no answer: {fault}"),
        }
    }

    async fn takes(&self, (user, password): &(String, String)) -> Result<(), u16> {
        let conn = self.connect(user, password).await?;
        conn.disconnect().await.expect("the end of a session");
        Ok(())
    }

    /// Three rotations, in which the old password works beside the new one; gives the users that were current.
    async fn rotates(&self) -> Vec<String> {
        let mut seen = vec![self.function.login("AWSCURRENT").await];
        for n in 1..=3 {
            self.function.rotate(n).await.expect("a rotation");
            let current = self.function.login("AWSCURRENT").await;
            assert_eq!(current.1.len(), 40);
            for login in [&current, &self.function.login("AWSPREVIOUS").await] {
                assert_eq!(self.takes(login).await, Ok(()), "{n}");
            }
            seen.push(current);
        }
        assert_eq!(self.takes(&seen[0]).await, Err(1045));

        let (logs, server) = (self.function.lambda.logs(), self.server.log());
        assert!(server.contains("ALTER USER"));
        for log in [logs, server] {
            hides(
                &log,
                seen.iter().map(|login| login.1.as_str()).chain([ADMIN]),
            );
        }
        seen.into_iter().map(|login| login.0).collect()
    }
}

#[tokio::test]
async fn a_user_of_mysql_rotates_by_itself() {
    let stage = Stage::<MySql>::start(&[], &[]).await;
    let grant = "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app";
    stage.root([grant]).await;
    stage.rotates().await;
}

#[tokio::test]
async fn a_user_of_mariadb_rotates_by_an_admin() {
    let admin = [
        "GRANT CREATE USER ON *.* TO manager",
        "GRANT SELECT ON mysql.global_priv TO manager",
    ];
    let stage = Stage::<MariaDb>::start(&admin, &[]).await;
    stage.rotates().await;
}

#[tokio::test]
async fn two_users_of_mariadb_take_turns() {
    let admin = ["GRANT ALL PRIVILEGES ON *.* TO manager WITH GRANT OPTION"];
    let variables = [
        ("STRATEGY", "alternating_users"),
        ("ALTERNATE_SUFFIX", "_b"),
    ];
    let stage = Stage::<MariaDb>::start(&admin, &variables).await;
    let users = stage.rotates().await;
    assert_eq!(users, ["app", "app_b", "app", "app_b"]);
}

/// RDS manages the admin's secret, and says where the admin logs in.
#[tokio::test]
async fn an_admin_of_rds_changes_a_user_of_mysql() {
    let stage = Stage::<MySql>::start(&[], &[]).await;
    let create = format!(
        "CREATE USER {} IDENTIFIED BY '{}'",
        RDS_ADMIN.0, RDS_ADMIN.1
    );
    let grants = [
        "GRANT CREATE USER ON *.* TO admin",
        "GRANT SELECT (user, host, plugin) ON mysql.user TO admin",
    ];
    stage
        .root([create.as_str()].into_iter().chain(grants))
        .await;
    let rds = MotoRds::at(stage.function.moto.endpoint());
    let managed = rds
        .create_instance("shop", "mysql", stage.server.port())
        .await;
    let secrets = stage.function.moto.client();
    let mut value = stage.function.value("AWSCURRENT").await;
    value["masterarn"] = json!(managed);
    let put = json!({"SecretId": stage.function.arn, "SecretString": value.to_string()});
    secrets.ok("PutSecretValue", put).await;
    stage.rotates().await;
}

/// Without an admin MariaDB has no room for two passwords: told under a stable type, unless it is chosen.
#[tokio::test]
async fn a_password_is_replaced_where_that_is_chosen() {
    let stage = Stage::<MariaDb>::start(&[], &[]).await;
    let first = stage.function.login("AWSCURRENT").await;
    let (kind, message) = stage.function.rotate(1).await.expect_err("no room");
    assert_eq!(kind, "RotatorMisconfigured");
    assert!(message.contains("`OLD_PASSWORD_KEPT`"), "{message}");
    assert_eq!(stage.takes(&first).await, Ok(()));

    let chosen = [("OLD_PASSWORD_KEPT", "never")];
    let stage = Stage::<MariaDb>::start(&[], &chosen).await;
    stage.function.rotate(1).await.expect("a rotation");
    assert_eq!(
        stage.takes(&stage.function.login("AWSCURRENT").await).await,
        Ok(())
    );
    assert_eq!(stage.takes(&first).await, Err(1045));
}
