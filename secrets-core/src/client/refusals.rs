//! Which versions the target has refused and accepted of late: so that none is presented again and again until the
//! account is locked, and none is left out that works by now.
//!
//! A target that holds one password accepts each version for one time: it refuses a pending one before that, and an
//! old one after it. So a refusal of a version that was never accepted means nothing once another one is published, and
//! one of a version that had been accepted stays. Logins take their time, and what one tells is about the time in which
//! it set out: that is what the numbers are for.

use std::time::Duration;

use tokio::time::Instant;

use super::pace::back_off;
use crate::event::VersionId;

/// A refused version is not presented again for that long after the first refusal,
const FIRST: Duration = Duration::from_secs(1);
/// and, doubled with each further one, never longer than that.
const LONGEST: Duration = Duration::from_secs(30);
/// More versions than that are not in use at one time.
const KEPT: usize = 8;

/// A place in the order of what happened: later is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(u64);

/// What the target said about the versions of one secret.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The oldest first.
    noted: Vec<Refusal>,
    /// The last that was accepted, and since when.
    accepted: Option<(VersionId, Stamp)>,
    /// The version that holds AWSCURRENT as far as is known, and since when.
    published: Option<(VersionId, Stamp)>,
    /// The pending version that was last handed out, and when.
    pending: Option<(VersionId, Stamp)>,
    last: Stamp,
}

#[derive(Debug)]
struct Refusal {
    version: VersionId,
    until: Instant,
    times: u32,
    noted: Stamp,
    /// It had been accepted before.
    spent: bool,
}

impl Refusals {
    /// What happens from here on is greater.
    pub(super) fn stamp(&mut self) -> Stamp {
        self.last.0 += 1;
        self.last
    }

    /// Notes that a login was refused. Several at once, of logins that set out together, count as one.
    pub(super) fn note(&mut self, version: &VersionId, set_out: Stamp, now: Instant) {
        let spent = match &self.accepted {
            Some((accepted, since)) if accepted == version => {
                if set_out < *since {
                    return;
                }
                true
            }
            _ if self.published_since(set_out) => return,
            _ => false,
        };
        let noted = self.stamp();
        let known = self
            .noted
            .iter_mut()
            .find(|known| known.version == *version);
        if let Some(known) = known {
            known.noted = noted;
            known.spent |= spent;
            if now >= known.until {
                known.times = known.times.saturating_add(1);
                known.until = now + back_off(known.times, FIRST, LONGEST);
            }
            return;
        }
        if self.noted.len() >= KEPT {
            self.noted.remove(0);
        }
        self.noted.push(Refusal {
            version: version.clone(),
            until: now + FIRST,
            times: 1,
            noted,
            spent,
        });
    }

    /// The target has let a login in.
    pub(super) fn accept(&mut self, version: &VersionId, set_out: Stamp) {
        let overtaken = |known: &Refusal| known.spent && set_out < known.noted;
        if self.known(version).is_some_and(overtaken) {
            return;
        }
        self.noted.retain(|known| known.version != *version);
        let newer = match &self.accepted {
            Some((accepted, since)) => accepted != version && *since < set_out,
            None => true,
        };
        if newer {
            let since = self.stamp();
            self.accepted = Some((version.clone(), since));
        }
    }

    /// This version holds AWSCURRENT.
    pub(super) fn publish(&mut self, version: &VersionId) {
        if !self.is_published(version) {
            let since = self.stamp();
            self.published = Some((version.clone(), since));
            self.noted.retain(|known| known.spent);
        }
    }

    /// This version is about to be tried while it is pending.
    pub(super) fn hand_out_pending(&mut self, version: &VersionId, set_out: Stamp) {
        self.pending = Some((version.clone(), set_out));
    }

    /// When a login with this version set out, as far as that is known: it ends now.
    pub(super) fn set_out(&mut self, version: &VersionId) -> Stamp {
        match &self.pending {
            Some((pending, set_out)) if pending == version && !self.is_published(version) => {
                *set_out
            }
            _ => self.stamp(),
        }
    }

    fn is_published(&self, version: &VersionId) -> bool {
        let published = self.published.as_ref();
        published.is_some_and(|(published, _)| published == version)
    }

    /// Whether another version has become current since.
    pub(super) fn published_since(&self, then: Stamp) -> bool {
        self.published
            .as_ref()
            .is_some_and(|(_, since)| *since > then)
    }

    /// Whether it is the one that was last accepted.
    pub(super) fn is_accepted(&self, version: &VersionId) -> bool {
        let accepted = self.accepted.as_ref();
        accepted.is_some_and(|(accepted, _)| accepted == version)
    }

    /// Whether the version was refused, and nothing has happened since that would change this.
    pub(super) fn hold(&self, version: &VersionId) -> bool {
        self.known(version).is_some()
    }

    /// Whether that was a moment ago.
    pub(super) fn rest(&self, version: &VersionId, now: Instant) -> bool {
        self.known(version).is_some_and(|known| now < known.until)
    }

    fn known(&self, version: &VersionId) -> Option<&Refusal> {
        self.noted.iter().find(|known| known.version == *version)
    }
}
