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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(version: u32) -> VersionId {
        version.to_string().as_str().into()
    }

    /// Version 1 is current.
    fn refusals() -> Refusals {
        let mut refusals = Refusals::default();
        refusals.publish(&id(1));
        refusals
    }

    #[test]
    fn rests_grow_and_refusals_of_logins_that_set_out_together_are_one() {
        let (mut refusals, mut now) = (refusals(), Instant::now());
        for rest in [1, 2, 4, 8, 16, 30, 30] {
            let set_out = refusals.stamp();
            refusals.note(&id(1), set_out, now);
            refusals.note(&id(1), set_out, now);
            let almost = Duration::from_millis(rest * 1000 - 1);
            assert!(refusals.rest(&id(1), now + almost), "{rest}");
            now += Duration::from_secs(rest);
            assert!(!refusals.rest(&id(1), now), "{rest}");
            assert!(refusals.hold(&id(1)));
        }
    }

    #[test]
    fn what_was_refused_before_it_was_accepted_is_forgotten_when_labels_move() {
        let (mut refusals, now) = (refusals(), Instant::now());
        let early = refusals.stamp();
        refusals.note(&id(3), early, now);
        refusals.publish(&id(2));
        assert!(!refusals.hold(&id(3)));
        // Nor is it noted by who set out before, and hears of it only now.
        refusals.note(&id(3), early, now);
        assert!(!refusals.hold(&id(3)));
        let set_out = refusals.stamp();
        refusals.note(&id(3), set_out, now);
        refusals.publish(&id(2));
        assert!(refusals.hold(&id(3)), "nothing has moved");
    }

    #[test]
    fn what_was_refused_after_it_was_accepted_stays_refused() {
        let (mut refusals, now) = (refusals(), Instant::now());
        let set_out = refusals.stamp();
        refusals.accept(&id(2), set_out);
        let later = refusals.stamp();
        refusals.note(&id(2), later, now);
        refusals.publish(&id(2));
        assert!(refusals.hold(&id(2)));
        // Somebody was let in before that, and tells of it now.
        refusals.accept(&id(2), set_out);
        assert!(refusals.hold(&id(2)));
        // The target has got its old password back.
        let now = refusals.stamp();
        refusals.accept(&id(2), now);
        assert!(!refusals.hold(&id(2)));
    }

    #[test]
    fn a_refusal_of_before_a_version_was_accepted_is_not_noted_afterwards() {
        let (mut refusals, now) = (refusals(), Instant::now());
        let early = refusals.stamp();
        let set_out = refusals.stamp();
        refusals.accept(&id(2), set_out);
        refusals.note(&id(2), early, now);
        assert!(!refusals.hold(&id(2)) && refusals.is_accepted(&id(2)));
    }

    #[test]
    fn whoever_tells_late_does_not_make_an_older_version_the_accepted_one() {
        let mut refusals = refusals();
        let early = refusals.stamp();
        let set_out = refusals.stamp();
        refusals.accept(&id(2), set_out);
        refusals.accept(&id(1), early);
        assert!(refusals.is_accepted(&id(2)));
    }
}
