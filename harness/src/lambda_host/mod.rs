//! A local AWS Lambda: runs a built function and sends it events.
//!
//! [`LambdaHost`] speaks the [Lambda Runtime API] to a child process, as the service does: one
//! event at a time, a cold start for the first, and another one after the process has died.
//!
//! [Lambda Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

mod invocation;
mod runtime_api;
mod sandbox;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

pub use invocation::Invocation;
use sandbox::{Program, Sandbox};

/// A function and its current process; killed on drop.
#[derive(Debug)]
pub struct LambdaHost {
    program: Program,
    /// The process, once there was an event; taken out when it is known to be dying.
    sandbox: Mutex<Option<Arc<Sandbox>>>,
    /// The output of the processes before.
    past_logs: Mutex<String>,
    cold_starts: Mutex<u32>,
    /// Held during an invocation: one environment handles one event at a time.
    turn: tokio::sync::Mutex<()>,
}

impl LambdaHost {
    /// A host for a built function. The process gets the environment variables that the service
    /// sets, dummy credentials, and `env`; nothing else of this process' environment. It starts
    /// with the first event.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn start(binary: &Path, env: &[(&str, &str)]) -> Self {
        assert!(
            binary.is_file(),
            "{} is not built: run `cargo build` for it first",
            binary.display()
        );
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let binary: PathBuf = binary.canonicalize().expect("the file exists");
        Self {
            program: Program {
                binary,
                env: env.iter().map(owned).collect(),
            },
            sandbox: Mutex::default(),
            past_logs: Mutex::default(),
            cold_starts: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Sends an event and waits for its end. `timeout` is the function's: the event carries the
    /// deadline, and a process that exceeds it is killed. A process has 10 s more to initialise.
    pub async fn invoke(&self, event: &Value, timeout: Duration) -> Invocation {
        self.invoke_bytes(event.to_string(), timeout).await
    }

    /// As [`invoke`](Self::invoke), with an event that need not be JSON.
    pub async fn invoke_bytes(&self, event: impl Into<Bytes>, timeout: Duration) -> Invocation {
        let _turn = self.turn.lock().await;
        let sandbox = self.warm_or_cold().await;
        let invocation = sandbox.invoke(event.into(), timeout).await;
        if invocation.ends_process() || sandbox.failed_to_initialise() {
            sandbox.kill();
            self.retire(&sandbox);
        }
        invocation
    }

    /// Kills the process (SIGKILL), also in the middle of an invocation, which then ends as
    /// [`Invocation::Crashed`]. The next event gets a new process.
    pub fn kill(&self) {
        let sandbox = lock(&self.sandbox).clone();
        if let Some(sandbox) = sandbox {
            sandbox.kill();
            self.retire(&sandbox);
        }
    }

    /// All that the function has written to its standard output and standard error so far, over
    /// all its processes.
    pub fn logs(&self) -> String {
        let current = lock(&self.sandbox);
        let mut logs = lock(&self.past_logs).clone();
        if let Some(sandbox) = current.as_ref() {
            logs.push_str(&sandbox.output());
        }
        logs
    }

    /// How many processes were started.
    pub fn cold_starts(&self) -> u32 {
        *lock(&self.cold_starts)
    }

    async fn warm_or_cold(&self) -> Arc<Sandbox> {
        let warm = lock(&self.sandbox).clone();
        if let Some(warm) = warm {
            if warm.is_running() {
                return warm;
            }
            self.retire(&warm);
        }
        let cold = Arc::new(Sandbox::start(&self.program).await);
        *lock(&self.sandbox) = Some(Arc::clone(&cold));
        *lock(&self.cold_starts) += 1;
        cold
    }

    /// Lets the next event start a new process. Does nothing if that has been done.
    fn retire(&self, sandbox: &Arc<Sandbox>) {
        let mut current = lock(&self.sandbox);
        if current.as_ref().is_some_and(|it| Arc::ptr_eq(it, sandbox)) {
            sandbox.wait_for_death();
            lock(&self.past_logs).push_str(&sandbox.output());
            *current = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
