//! Ctrl-C and SIGTERM: the first lets the step under way come to its end, the second does not.
//!
//! A step that is dropped is a crash like any other, and the next run goes on from there. But some targets
//! cannot repeat the making of a credential, so a person should mean it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals, from when this was made.
pub(crate) struct Interrupts {
    keyboard: Signal,
    request: Signal,
    seen: bool,
}

/// How work under signals has ended.
pub(crate) enum Ended<T> {
    /// By itself.
    Done(T),
    /// A second signal came.
    Dropped,
}

impl Interrupts {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            keyboard: signal(SignalKind::interrupt())?,
            request: signal(SignalKind::terminate())?,
            seen: false,
        })
    }

    /// Whether a signal has come.
    pub(crate) fn seen(&self) -> bool {
        self.seen
    }

    /// Waits for the work; `on_first` is told of the first signal.
    pub(crate) async fn guard<T>(
        &mut self,
        work: impl Future<Output = T>,
        on_first: impl Fn(),
    ) -> Ended<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                // What is done is done, also where a signal came with it.
                biased;
                done = &mut work => return Ended::Done(done),
                _ = self.keyboard.recv() => {}
                _ = self.request.recv() => {}
            }
            if self.seen {
                return Ended::Dropped;
            }
            self.seen = true;
            on_first();
        }
    }
}
