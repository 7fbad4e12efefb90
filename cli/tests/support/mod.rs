//! The built binary against an emulator of Secrets Manager and a real PostgreSQL server, each behind a proxy
//! that can be told to fail.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "support of several tests, none of which uses all of it"
)]

pub mod terminal;

use std::path::Path;
use std::process::Stdio;

use harness::postgres::PostgresServer;
use harness::proxy::{HttpProxy, TcpProxy};
use harness::secrets_manager::{Moto, SecretsManager};
use secrets_core::testing::sentinel;
use serde_json::{Value, json};
use tokio::process::Command;

pub const BINARY: &str = env!("CARGO_BIN_EXE_secrets-rotation");

pub const SECRET: &str = "Demo/postgres";

/// The passwords that the tests themselves put somewhere; all others are generated.
pub const FIRST: &str = "sentinel: fir'st\"\\ %41";
pub const SECOND: &str = "sentinel-of-the-second-value";
pub const OTHER: &str = "sentinel-that-nobody-knows";
const OWN: [&str; 4] = [FIRST, SECOND, OTHER, "sentinel-access-key"];

pub struct Stage {
    pub postgres: PostgresServer,
    pub database: TcpProxy,
    pub moto: Moto,
    pub store: HttpProxy,
    pub arn: String,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|fault| panic!("{fault}: {:?} {}", self.stdout, self.stderr))
    }

    /// The codes of what `doctor` and its like found.
    pub fn codes(&self) -> Vec<String> {
        let json = self.json();
        let findings = json["findings"].as_array().expect("findings");
        let code = |it: &Value| it["code"].as_str().expect("a code").to_owned();
        findings.iter().map(code).collect()
    }
}

impl Stage {
    /// A role `app` on a server, and a secret that holds its password.
    pub async fn start() -> Self {
        let (postgres, moto) = tokio::join!(PostgresServer::builder().start(), Moto::start());
        let database = TcpProxy::start(postgres.host(), postgres.port()).await;
        let store = HttpProxy::start(moto.endpoint()).await;
        let stage = Self {
            postgres,
            database,
            moto,
            store,
            arn: String::new(),
        };
        stage
            .sql(&format!("CREATE ROLE app LOGIN PASSWORD {}", quoted(FIRST)))
            .await;
        let value = stage.value(FIRST).to_string();
        let arn = stage.secrets().create_secret(SECRET, &value).await;
        Self { arn, ..stage }
    }

    /// A whole secret with that password.
    pub fn value(&self, password: &str) -> Value {
        json!({
            "engine": "postgres", "host": self.database.host(), "port": self.database.port(),
            "dbname": "postgres", "username": "app", "password": password,
            "ca_certificate": self.postgres.ca_pem(),
        })
    }

    pub fn secrets(&self) -> SecretsManager {
        self.moto.client()
    }

    pub async fn sql(&self, statement: &str) {
        let admin = self.postgres.admin().await;
        admin.batch_execute(statement).await.expect(statement);
    }

    /// Gives the role another password, behind everybody's back.
    pub async fn set_password(&self, password: &str) {
        let statement = format!("ALTER ROLE app PASSWORD {}", quoted(password));
        self.sql(&statement).await;
    }

    /// A version with that text under that label.
    pub async fn put(&self, n: usize, label: &str, text: &str) {
        let put = json!({
            "SecretId": SECRET, "ClientRequestToken": token(n), "SecretString": text,
            "VersionStages": [label],
        });
        self.secrets().ok("PutSecretValue", put).await;
    }

    /// A pending version with that password.
    pub async fn put_pending(&self, n: usize, password: &str) {
        let value = self.value(password).to_string();
        self.put(n, "AWSPENDING", &value).await;
    }

    /// The binary, with this stage as its surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(args).env_clear().envs(self.env());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    pub fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKID".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "sentinel-access-key".to_owned()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.store.endpoint()),
        ]
    }

    /// Runs the binary, and looks for secrets in all that it says.
    pub async fn run(&self, args: &[&str]) -> Ended {
        self.end(self.command(args)).await
    }

    pub async fn end(&self, mut command: Command) -> Ended {
        let output = command.output().await.expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let ended = Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        self.holds_no_secret(&ended.stdout).await;
        self.holds_no_secret(&ended.stderr).await;
        ended
    }

    /// `--json`, and nothing beside it on standard output.
    pub async fn json(&self, args: &[&str]) -> Ended {
        let mut all = args.to_vec();
        all.push("--json");
        let ended = self.run(&all).await;
        let json = ended.json();
        assert_eq!(json["command"], args[0]);
        assert_eq!(json["ok"], ended.code == 0, "{json}");
        ended
    }

    /// Every password that is, or was, in the secret or in a test's own hands.
    pub async fn holds_no_secret(&self, text: &str) {
        let mut secrets: Vec<String> = OWN.map(str::to_owned).into();
        for label in ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"] {
            secrets.extend(self.password(label).await);
        }
        for secret in secrets {
            assert_eq!(sentinel::found(&secret, text), None, "in {text}");
        }
    }

    /// The password under a label, if there is one.
    pub async fn password(&self, label: &str) -> Option<String> {
        let get = json!({"SecretId": SECRET, "VersionStage": label});
        let (_, answer) = self.secrets().call("GetSecretValue", get).await;
        let value: Value = serde_json::from_str(answer["SecretString"].as_str()?).ok()?;
        Some(value["password"].as_str()?.to_owned())
    }

    /// Whether the version under a label is let in, as the binary's `verify` has it for `AWSCURRENT`.
    pub async fn current_works(&self) -> bool {
        let ended = self.run(&["verify", SECRET]).await;
        assert!(matches!(ended.code, 0 | 3), "{ended:?}");
        ended.code == 0
    }

    /// The labels of each version that has some, without the label of values put by hand.
    pub async fn labels(&self) -> Value {
        let mut stages = self.secrets().stages(SECRET).await;
        for (_, labels) in stages.as_object_mut().expect("versions") {
            let labels = labels.as_array_mut().expect("labels");
            labels.retain(|label| label != "PUT-BY-HAND");
            labels.sort_by_key(ToString::to_string);
        }
        stages
    }

    /// The calls that write, since the proxy was last reset.
    pub fn writes(&self) -> Vec<String> {
        let mut calls = self.store.operations();
        calls.retain(|call| call != "DescribeSecret" && call != "GetSecretValue");
        calls
    }
}

/// A version id for the `n`th rotation.
pub fn token(n: usize) -> String {
    format!("00000000-0000-0000-0000-{n:012}")
}

pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A file of the harness' own tests: a function that does what an event says.
pub fn fake_function() -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fake = here.join("../harness/tests/fake_function.py");
    fake.to_str().expect("UTF-8").to_owned()
}
