//! One login at a time: where a password has changed, one of them is refused and not all that set out together.
//! Servers count refusals in a row.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// A login that takes longer is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<()>);

impl Turn {
    /// Waits for the logins that set out before; for one that hangs not for ever.
    pub(crate) async fn take(&self) -> Option<MutexGuard<'_, ()>> {
        timeout(PATIENCE, self.0.lock()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_login_that_hangs_does_not_hold_up_the_others_for_ever() {
        let turn = Turn::default();
        let began = Instant::now();
        let hanging = turn.take().await;
        assert!(hanging.is_some() && began.elapsed().is_zero());
        let (one, other) = tokio::join!(turn.take(), turn.take());
        assert!(one.is_none() && other.is_none());
        assert_eq!(began.elapsed(), PATIENCE);
        drop(hanging);
        assert!(turn.take().await.is_some());
        assert_eq!(began.elapsed(), PATIENCE);
    }
}
