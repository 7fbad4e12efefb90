//! A server process that is stopped and started again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::process::Process;

/// How long a server may take to start or to stop, unless it is known to take longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The process of one server, with the output of all its starts. Killed on drop.
#[derive(Debug)]
pub(crate) struct Daemon {
    /// What the server is called in messages.
    name: &'static str,
    /// The signal that ends it at once, with its own children.
    quit: &'static str,
    patience: Duration,
    process: Mutex<Option<Process>>,
    /// The output of processes that were stopped.
    past_output: Mutex<String>,
}

impl Daemon {
    /// No process yet.
    pub(crate) fn new(name: &'static str, quit: &'static str) -> Self {
        Self {
            name,
            quit,
            patience: PATIENCE,
            process: Mutex::default(),
            past_output: Mutex::default(),
        }
    }

    /// The same for a server that may take this long to start or to stop, instead of 20 s.
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// All that was written to standard output and standard error, over all starts.
    pub(crate) fn output(&self) -> String {
        let mut output = lock(&self.past_output).clone();
        if let Some(process) = lock(&self.process).as_ref() {
            output.push_str(&process.output());
        }
        output
    }

    /// What the present process, if there is one, has written so far.
    pub(crate) fn output_since_start(&self) -> String {
        let process = lock(&self.process);
        process.as_ref().map_or(String::new(), Process::output)
    }

    /// The same, from this byte on.
    pub(crate) fn output_from(&self, start: u64) -> Vec<u8> {
        let process = lock(&self.process);
        process
            .as_ref()
            .map_or(Vec::new(), |it| it.output_from(start))
    }

    /// Starts the process and waits until `is_ready`; its output if it ends instead.
    ///
    /// # Panics
    /// If it is not ready in time.
    pub(crate) async fn launch(
        &self,
        command: Command,
        is_ready: impl AsyncFn() -> bool,
    ) -> Result<(), String> {
        *lock(&self.process) = Some(Process::spawn(command));
        let deadline = Instant::now() + self.patience;
        while !is_ready().await {
            if self.has_ended() {
                let ended = lock(&self.process).take();
                return Err(ended.map_or(String::new(), |it| it.output()));
            }
            assert!(
                Instant::now() < deadline,
                "{} does not answer:\n{}",
                self.name,
                self.output()
            );
            // A server tells nobody that it is ready: it has to be asked.
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends the process, if there is one, with a signal on which it ends in good order.
    ///
    /// # Panics
    /// If it does not end in time.
    pub(crate) async fn stop(&self, signal: &str) {
        let Some(process) = lock(&self.process).take() else {
            return;
        };
        process.signal(signal);
        let stopped = tokio::time::timeout(self.patience, process.exited()).await;
        let mut past = lock(&self.past_output);
        past.push_str(&process.output());
        assert!(stopped.is_ok(), "{} did not stop:\n{past}", self.name);
    }

    fn has_ended(&self) -> bool {
        let process = lock(&self.process);
        process.as_ref().is_none_or(|it| it.status().is_some())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(process) = lock(&self.process).take() {
            process.signal(self.quit);
            process.wait_blocking(self.patience);
        }
    }
}

/// Also called on drop, where a panic elsewhere must not become a second one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
