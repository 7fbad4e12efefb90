//! Users of SQL Server as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a fake
//! of the server with TLS.
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
use harness::rds::{ADMIN as RDS_ADMIN, MotoRds};
use harness::secrets_manager::Moto;
use harness::sqlserver::SqlServer;
use serde_json::json;

use deployed::{Deployed, hides};

const FIRST: &str = "sentinel-First~1;]'%41";
const ADMIN: &str = "sentinel-of-the-Admin-1";

struct Stage {
    server: SqlServer,
    function: Deployed,
}

impl Stage {
    /// The login `app`, an admin, and the function with these variables besides.
    async fn start(variables: &[(&str, &str)], with_admin: bool) -> Self {
        let moto = Moto::start_with_databases(&[("shop", "127.0.0.1")]);
        let (server, moto) = tokio::join!(SqlServer::start(), moto);
        server.add_login("app", FIRST);
        server.add_database("shop");
        server.execute("shop", "CREATE USER [app] FOR LOGIN [app]");
        add_admin(&server, "rotator", ADMIN);
        let secrets = moto.client();
        let admin = json!({"host": server.host(), "username": "rotator", "password": ADMIN});
        let admin = admin.to_string();
        let admin = secrets.create_secret("Demo/sqlserver_admin", &admin).await;
        let mut value = json!({
            "engine": "sqlserver", "host": server.host(), "port": server.port(), "username": "app",
            "password": FIRST, "dbname": "shop", "kept": 1.50,
        });
        if with_admin {
            value["masterarn"] = json!(admin);
        }
        let arn = secrets
            .create_secret("Demo/sqlserver", &value.to_string())
            .await;
        let ca = server.ca_pem();
        let mut env = vec![
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("AWS_ENDPOINT_URL_RDS", moto.endpoint()),
            ("CA_CERTIFICATE", &ca),
            ("PASSWORD_LENGTH", "40"),
        ];
        env.extend(variables);
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_sqlserver")), &env);
        Self {
            server,
            function: Deployed { moto, lambda, arn },
        }
    }

    fn takes(&self, (user, password): &(String, String)) -> bool {
        self.server.has_password("shop", user, password)
    }

    /// Three rotations; gives the users that were current.
    async fn rotates(&self) -> Vec<String> {
        let mut seen = vec![self.function.login("AWSCURRENT").await];
        for n in 1..=3 {
            self.function.rotate(n).await.expect("a rotation");
            let current = self.function.login("AWSCURRENT").await;
            assert_eq!(current.1.len(), 40);
            assert!(self.takes(&current), "{n}");
            seen.push(current);
        }
        assert_eq!(self.server.not_understood(), Vec::<String>::new());
        let logs = self.function.lambda.logs();
        assert!(
            !logs.contains("Login failed"),
            "no word of the server: {logs}"
        );
        hides(
            &logs,
            seen.iter().map(|login| login.1.as_str()).chain([ADMIN]),
        );
        seen.into_iter().map(|login| login.0).collect()
    }
}

fn add_admin(server: &SqlServer, name: &str, password: &str) {
    server.add_login(name, password);
    for (database, statement) in [
        ("master", format!("GRANT ALTER ANY LOGIN TO [{name}]")),
        ("master", format!("GRANT VIEW ANY DEFINITION TO [{name}]")),
        ("shop", format!("CREATE USER [{name}] FOR LOGIN [{name}]")),
        ("shop", format!("ALTER ROLE [db_owner] ADD MEMBER [{name}]")),
    ] {
        server.execute(database, &statement);
    }
}

#[tokio::test]
async fn a_login_rotates_by_itself() {
    let stage = Stage::start(&[], false).await;
    assert_eq!(stage.rotates().await, ["app"; 4]);
}

#[tokio::test]
async fn two_logins_take_turns() {
    let variables = [
        ("STRATEGY", "alternating_users"),
        ("ALTERNATE_SUFFIX", "_b"),
    ];
    let stage = Stage::start(&variables, true).await;
    assert_eq!(stage.rotates().await, ["app", "app_b", "app", "app_b"]);
    assert!(stage.takes(&stage.function.login("AWSPREVIOUS").await));
}

/// RDS manages the admin's secret, and says where the admin logs in.
#[tokio::test]
async fn an_admin_of_rds_changes_a_login() {
    let stage = Stage::start(&[], false).await;
    add_admin(&stage.server, RDS_ADMIN.0, RDS_ADMIN.1);
    let rds = MotoRds::at(stage.function.moto.endpoint());
    let managed = rds
        .create_instance("shop", "sqlserver-se", stage.server.port())
        .await;
    let secrets = stage.function.moto.client();
    let mut value = stage.function.value("AWSCURRENT").await;
    value["masterarn"] = json!(managed);
    let put = json!({"SecretId": stage.function.arn, "SecretString": value.to_string()});
    secrets.ok("PutSecretValue", put).await;
    stage.rotates().await;
    let changes = stage.server.statements();
    assert!(!changes.iter().any(|sql| sql.contains("OLD_PASSWORD")));
}

#[tokio::test]
async fn a_login_that_is_locked_is_told_under_a_stable_type() {
    let stage = Stage::start(&[], false).await;
    let condition = harness::sqlserver::Condition::Locked;
    stage.server.set_condition("app", condition);
    let (kind, message) = stage.function.rotate(1).await.expect_err("locked");
    assert_eq!(kind, "TargetRefused");
    assert!(message.contains("18486"), "{message}");
}
