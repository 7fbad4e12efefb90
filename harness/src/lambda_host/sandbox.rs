//! One process of a function, from its cold start to its end.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{sleep, sleep_until};

use super::invocation::Invocation;
use super::runtime_api::{Event, RuntimeApi};
use crate::process::{self, Process};
use crate::user::Account;

pub(super) const FUNCTION_ARN: &str =
    "arn:aws:lambda:us-east-1:123456789012:function:function-under-test";

/// How long a process may take until it asks for its first event, as in the service.
const INITIALISATION: Duration = Duration::from_secs(10);

/// What to run.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) binary: PathBuf,
    pub(super) env: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Sandbox {
    process: Process,
    api: RuntimeApi,
}

impl Sandbox {
    pub(super) async fn start(program: &Program) -> Self {
        let api = RuntimeApi::start().await;
        let folder = program.binary.parent().expect("a file lies in a folder");
        let mut command = process::command(&program.binary, Account::own(), "KILL");
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
            .env("LAMBDA_TASK_ROOT", folder)
            .envs(SERVICE_ENV.iter().copied())
            .envs(program.env.iter().map(|(name, value)| (name, value)));
        Self {
            process: Process::spawn(command),
            api,
        }
    }

    pub(super) async fn invoke(&self, payload: Bytes, timeout: Duration) -> Invocation {
        let (taken, deadline) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        self.api.send(Event {
            payload,
            timeout,
            taken,
            answer,
        });
        let in_time = async {
            tokio::select! {
                // The function's time runs from when it has taken the event.
                Ok(deadline) = deadline => sleep_until(deadline).await,
                () = sleep(INITIALISATION) => {}
            }
        };
        tokio::select! {
            // An answer counts even if the process ended right after it.
            biased;
            Ok(invocation) = answered => invocation,
            report = self.api.init_error() => Invocation::from_error_report(report),
            status = self.process.exited() => Invocation::Crashed { status },
            () = in_time => Invocation::TimedOut,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.process.status().is_none()
    }

    pub(super) fn failed_to_initialise(&self) -> bool {
        self.api.has_init_error()
    }

    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// Blocks for the moment that a killed process takes to end.
    pub(super) fn wait_for_death(&self) {
        self.process.wait_blocking(Duration::from_secs(5));
    }

    pub(super) fn output(&self) -> String {
        self.process.output()
    }
}

/// What the service sets for every function.
const SERVICE_ENV: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "example-secret-access-key"),
    ("AWS_SESSION_TOKEN", "example-session-token"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "function-under-test"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    (
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "/aws/lambda/function-under-test",
    ),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("TZ", ":UTC"),
    ("_HANDLER", "bootstrap"),
];
