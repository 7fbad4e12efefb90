//! The emulator's process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::SecretsManager;
use crate::process::{self, Process};
use crate::user::Account;
use crate::workspace;

/// How long the emulator may take to start; a busy machine imports Python modules slowly.
const PATIENCE: Duration = Duration::from_mins(1);

/// A moto server with an empty account `123456789012`; killed on drop.
#[derive(Debug)]
pub struct Moto {
    process: Process,
    endpoint: String,
}

impl Moto {
    /// Starts moto as it is published.
    ///
    /// # Panics
    /// If it is not installed; the message holds the command that installs it.
    pub async fn start() -> Self {
        Self::run(command(&program("moto_server"))).await
    }

    /// Starts moto with its call of the rotation function replaced: each step's event goes as a
    /// POST to `hook_url`, with the ARN as `SecretId`, and a step that fails ends the rotation, as
    /// in the service. See [`RotationHook`](super::RotationHook).
    ///
    /// # Panics
    /// If it is not installed; the message holds the command that installs it.
    pub async fn start_with_rotation_hook(hook_url: &str) -> Self {
        let script = workspace::root().join("harness/scripts/moto_with_local_lambda.py");
        let mut command = command(&program("python3"));
        command.arg(script).env("ROTATION_HOOK_URL", hook_url);
        Self::run(command).await
    }

    /// Starts moto with IAM and STS refusing keys that are wrong; see [`MotoIam`](crate::iam::MotoIam).
    ///
    /// # Panics
    /// If it is not installed; the message holds the command that installs it.
    pub async fn start_that_checks_keys() -> Self {
        let script = workspace::root().join("harness/scripts/moto_that_checks_keys.py");
        let mut command = command(&program("python3"));
        command.arg(script);
        Self::run(command).await
    }

    /// Starts moto with databases of RDS that are servers on this machine: the endpoint of the instance or
    /// cluster of that name is that address. See [`MotoRds`](crate::rds::MotoRds).
    ///
    /// # Panics
    /// If it is not installed; the message holds the command that installs it.
    pub async fn start_with_databases(addresses: &[(&str, &str)]) -> Self {
        let script = workspace::root().join("harness/scripts/moto_with_databases.py");
        let mut command = command(&program("python3"));
        let addresses: BTreeMap<_, _> = addresses.iter().copied().collect();
        let addresses = serde_json::json!(addresses).to_string();
        command.arg(script).env("DATABASE_ADDRESSES", addresses);
        Self::run(command).await
    }

    /// Where it listens, such as `http://127.0.0.1:40001`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A caller for this server.
    pub fn client(&self) -> SecretsManager {
        SecretsManager::at(&self.endpoint)
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        self.process.output()
    }

    async fn run(mut command: Command) -> Self {
        // Port 0: the system chooses, so that no other process can have taken it.
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        command.env("PYTHONUNBUFFERED", "1").env("NO_COLOR", "1");
        let process = Process::spawn(command);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = process.output();
            if let Some(endpoint) = endpoint_in(&log) {
                return Self { process, endpoint };
            }
            let status = process.status();
            assert!(status.is_none(), "moto ended: {status:?}\n{log}");
            assert!(Instant::now() < deadline, "moto does not start:\n{log}");
            // Its log is a file, and nobody tells when a file grows.
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The address that the server logs once it listens.
fn endpoint_in(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Running on ")?;
    let (endpoint, _) = rest.split_once('\n')?;
    Some(endpoint.trim().to_owned())
}

fn command(program: &Path) -> Command {
    process::command(program, Account::own(), "KILL")
}

fn program(name: &str) -> PathBuf {
    let program = workspace::tools().join("venv/bin").join(name);
    assert!(
        program.exists(),
        "the emulator moto is needed and {} does not exist. Install it with `./test --setup`.",
        program.display()
    );
    program
}
