//! `verify`, `plan` and `run` on users of other databases than PostgreSQL: each server is a real one.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::process::Stdio;

use harness::mariadb::MariaDb;
use harness::mysql::{Edition, MySql, Server};
use harness::secrets_manager::Moto;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use tokio::process::Command;

const SECRET: &str = "Demo/mysql";
const FIRST: &str = "sentinel-of-the-first-value";

struct Stage<E> {
    server: Server<E>,
    moto: Moto,
    settings: Vec<(&'static str, &'static str)>,
}

impl<E: Edition> Stage<E> {
    async fn start(
        engine: &str,
        statements: &[&str],
        settings: &[(&'static str, &'static str)],
    ) -> Self {
        let server = Server::<E>::builder().start();
        let (server, moto) = tokio::join!(server, Moto::start());
        let value = json!({
            "engine": engine, "host": server.host(), "port": server.port(), "username": "app",
            "password": FIRST, "ca_certificate": server.ca_pem(),
        });
        moto.client()
            .create_secret(SECRET, &value.to_string())
            .await;
        let stage = Self {
            server,
            moto,
            settings: settings.to_vec(),
        };
        let mut root = stage
            .connect("root", stage.server.root_password())
            .await
            .expect("root");
        let create = format!("CREATE USER app IDENTIFIED BY '{FIRST}'");
        for statement in [create.as_str()].iter().chain(statements) {
            root.query_drop(*statement).await.expect(statement);
        }
        root.disconnect().await.expect("the end of a session");
        stage
    }

    /// A login past the code under test.
    async fn connect(&self, user: &str, password: &str) -> Result<Conn, mysql_async::Error> {
        let socket = self.server.socket();
        let options = OptsBuilder::default()
            .socket(socket.to_str())
            .user(Some(user))
            .pass(Some(password));
        Conn::new(options).await
    }

    /// The exit code, and what was printed, which holds no password.
    async fn command(&self, name: &str) -> (Option<i32>, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secrets-rotation"));
        command
            .args([name, SECRET, "--json"])
            .env_clear()
            .envs([
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "AKID"),
                ("AWS_SECRET_ACCESS_KEY", "sentinel-access-key"),
                ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.moto.endpoint()),
            ])
            .envs(self.settings.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.expect("the binary runs");
        let printed = String::from_utf8(output.stdout).expect("text");
        let faults = String::from_utf8(output.stderr).expect("text");
        for password in [FIRST, &self.password().await] {
            assert_eq!(sentinel::found(password, &printed), None);
            assert_eq!(sentinel::found(password, &faults), None);
        }
        let json = serde_json::from_str(&printed);
        (
            output.status.code(),
            json.unwrap_or_else(|_| panic!("{printed} {faults}")),
        )
    }

    async fn password(&self) -> String {
        let value = self.moto.client().value(SECRET, "AWSCURRENT").await;
        let value: Value = serde_json::from_str(&value.expect("a value")).expect("JSON");
        value["password"].as_str().expect("a password").to_owned()
    }

    /// One rotation by hand; gives whether the first password still logs in.
    async fn rotates(&self) -> bool {
        for (command, code) in [("verify", 0), ("plan", 0)] {
            let (ended, json) = self.command(command).await;
            assert_eq!(ended, Some(code), "{command}: {json}");
        }
        assert_eq!(self.password().await, FIRST, "neither writes");
        let (ended, json) = self.command("run").await;
        assert_eq!(
            (ended, &json["rotator"]),
            (Some(0), &json!("mysql")),
            "{json}"
        );
        assert_eq!(self.command("verify").await.0, Some(0));
        let password = self.password().await;
        assert_ne!(password, FIRST);
        self.connect("app", &password)
            .await
            .expect("the new password");
        self.connect("app", FIRST).await.is_ok()
    }
}

#[tokio::test]
async fn a_user_of_mysql_keeps_its_old_password_for_one_rotation() {
    let grant = ["GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app"];
    let stage = Stage::<MySql>::start("mysql", &grant, &[]).await;
    assert!(stage.rotates().await);
}

#[tokio::test]
async fn a_user_of_mariadb_is_rotated_as_its_settings_say() {
    let stage = Stage::<MariaDb>::start("mariadb", &[], &[("OLD_PASSWORD_KEPT", "never")]).await;
    assert!(!stage.rotates().await);
}
