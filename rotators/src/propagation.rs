//! Credentials that work a while after they were made.

use std::time::Duration;

use secrets_core::rotator::{Context, RotatorError, Verdict};
use tokio::time::{Instant, sleep};

#[cfg(feature = "http")]
use crate::configuration::Fields;

/// How long a provider takes until a new credential works everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Propagation(pub(crate) Duration);

impl Propagation {
    /// The field `propagation_seconds`.
    #[cfg(feature = "http")]
    pub(crate) fn read(fields: &mut Fields) -> Self {
        Self(Duration::from_secs(fields.number(
            "propagation_seconds",
            0,
            0..=600,
        )))
    }

    /// Asks until the answer is yes, with growing pauses, for as long as that takes at most.
    ///
    /// # Errors
    /// The step's time was up first: then nothing is decided.
    pub(crate) async fn settles<F>(
        self,
        cx: &Context,
        ask: impl Fn() -> F,
    ) -> Result<bool, RotatorError>
    where
        F: Future<Output = Result<Verdict, RotatorError>>,
    {
        let end = Instant::now() + self.0;
        let mut pause = Duration::from_millis(250);
        while Instant::now() < end {
            let next = (Instant::now() + pause).min(end);
            if next >= cx.deadline() {
                return Err(RotatorError::unreachable(
                    "the new value does not work yet, and the time of this step is up; try again, or raise the \
                     function's time-out above the time that the provider takes (`propagation_seconds`)",
                ));
            }
            sleep(next - Instant::now()).await;
            if ask().await? == Verdict::Accepted {
                return Ok(true);
            }
            pause = (pause * 2).min(Duration::from_secs(4));
        }
        Ok(false)
    }
}
