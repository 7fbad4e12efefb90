//! Which versions the target has refused of late: so that none is presented again and again until the
//! account is locked.

use std::time::Duration;

use tokio::time::Instant;

use super::pace::back_off;
use crate::event::VersionId;

/// A refused version is not presented again for that long after the first refusal,
const FIRST: Duration = Duration::from_secs(1);
/// and, doubled with each further one, never longer than that.
const LONGEST: Duration = Duration::from_secs(30);
/// More versions than that are not in use at one time.
const KEPT: usize = 4;

/// The refused versions of one secret, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Refusal>);

#[derive(Debug)]
struct Refusal {
    version: VersionId,
    until: Instant,
    times: u32,
}

impl Refusals {
    /// Notes a refusal. Several at once, of logins that set out together, count as one.
    pub(super) fn note(&mut self, version: &VersionId, now: Instant) {
        let known = self.0.iter_mut().find(|known| known.version == *version);
        if let Some(known) = known {
            if now >= known.until {
                known.times = known.times.saturating_add(1);
                known.until = now + back_off(known.times, FIRST, LONGEST);
            }
            return;
        }
        if self.0.len() >= KEPT {
            self.0.remove(0);
        }
        self.0.push(Refusal {
            version: version.clone(),
            until: now + FIRST,
            times: 1,
        });
    }

    /// Whether the version was refused a moment ago.
    pub(super) fn hold(&self, version: &VersionId, now: Instant) -> bool {
        self.0
            .iter()
            .any(|known| known.version == *version && now < known.until)
    }

    /// The target accepts it.
    pub(super) fn forget(&mut self, version: &VersionId) {
        self.0.retain(|known| known.version != *version);
    }
}
