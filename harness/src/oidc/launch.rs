//! Starting the server's process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Settings;
use crate::process::{self, Process};
use crate::user::Account;
use crate::{port, workspace};

/// How long the server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Starts a server: its process, its port, and where it takes what tests ask of it.
pub(super) async fn launch(settings: Settings) -> (Process, u16, SocketAddr) {
    let tools = workspace::tools().join("oidc-provider");
    let node = node(&tools);
    let script = workspace::root().join("harness/oidc/server.mjs");
    let mut settings = settings.values;
    // Another process may take the port between the choice and the start.
    for _ in 0..10 {
        let port = port::free();
        settings["port"] = port.into();
        let mut command = process::command(&node, Account::own(), "KILL");
        command.arg(&script).arg(&tools).arg(settings.to_string());
        // The reason of each refusal goes to the log.
        command.env("DEBUG", "oidc-provider:error");
        command.env_remove("NODE_OPTIONS");
        let process = Process::spawn(command);
        match listening(&process).await {
            Ok(control) => return (process, port, control),
            Err(log) if log.contains("EADDRINUSE") => {}
            Err(log) => panic!("oidc-provider ended:\n{log}"),
        }
    }
    panic!("ten ports tried, each was taken by another process")
}

/// Waits until the server listens: its control port; the log if it ends instead.
async fn listening(process: &Process) -> Result<SocketAddr, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // The end is looked at first: what it wrote before is then in the log.
        let ended = process.status().is_some();
        let log = process.output();
        if ended {
            return Err(log);
        }
        if let Some(port) = control_port(&log) {
            return Ok(port::local(port));
        }
        assert!(
            Instant::now() < deadline,
            "oidc-provider does not start:\n{log}"
        );
        // Its log is a file, and nobody tells when a file grows.
        sleep(Duration::from_millis(20)).await;
    }
}

fn control_port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("control port ")?;
    let (port, _) = rest.split_once('\n')?;
    port.parse().ok()
}

/// The Node program that is installed with the server.
fn node(tools: &Path) -> PathBuf {
    let programs = ["x64", "arm64"]
        .map(|machine| tools.join(format!("node_modules/node-linux-{machine}/bin/node")));
    // The stamp is written last: without it the installation is a broken one.
    let found = programs.into_iter().find(|program| program.exists());
    found
        .filter(|_| tools.join(".stamp").exists())
        .unwrap_or_else(|| {
            panic!(
                "the OAuth server oidc-provider is needed and not installed in {}. Install it with \
             `./test --setup`.",
                tools.display()
            )
        })
}
