//! Waiting for a value to be known everywhere at the provider.

use std::time::Duration;

use secrets_core::rotator::{Context, RotatorError, Verdict};
use tokio::time::{Instant, sleep};

/// The first pause; each one is twice as long as the one before, up to the longest.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Asks until the value is accepted, for at most this long. A first time at once, and not at all where no
/// time is given.
///
/// # Errors
/// The probe's, and [`RotatorErrorKind::Unreachable`](secrets_core::rotator::RotatorErrorKind::Unreachable)
/// where the step's own time ends first: nothing is known then.
pub(super) async fn settled<F>(
    within: Duration,
    cx: &Context,
    probe: impl Fn() -> F,
) -> Result<Verdict, RotatorError>
where
    F: Future<Output = Result<Verdict, RotatorError>>,
{
    if within.is_zero() {
        return Ok(Verdict::Rejected);
    }
    let end = Instant::now() + within;
    let mut pause = SHORTEST;
    loop {
        if probe().await? == Verdict::Accepted {
            return Ok(Verdict::Accepted);
        }
        let next = Instant::now() + pause;
        if next >= cx.deadline() {
            return Err(RotatorError::unreachable(
                "the provider does not know the new value yet, and the time of this step is over; try again, \
                 and give the function more time than `propagation_seconds`",
            ));
        }
        if next > end {
            return Ok(Verdict::Rejected);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}
