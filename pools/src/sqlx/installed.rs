//! Which version a pool of sqlx logs in with, and which of its connections were made with an older one.

use std::sync::Weak;
use std::time::{Duration, Instant};

use secrets_core::event::VersionId;

/// sqlx tells how old a connection is, and the time of its making is worked out from that. A connection that is
/// younger than the newest options by less than this is taken for older.
const TOLERANCE: Duration = Duration::from_millis(50);

/// What a pool logs in with, since when.
///
/// sqlx holds the options for as long as it logs in with them. So a connection that was made while older options
/// were held by anybody may be one of theirs, and is retired as if it were.
#[derive(Debug)]
pub(super) struct Installed<O> {
    pub(super) version: VersionId,
    /// The version that was current when this one was installed, or that has become so since.
    pub(super) current: VersionId,
    /// Counts the changes: whoever finds it as it was knows that nothing was installed meanwhile.
    pub(super) epoch: u64,
    /// The target has refused all that may be in use.
    pub(super) refused: bool,
    since: Instant,
    older: Vec<Weak<O>>,
}

impl<O> Installed<O> {
    pub(super) fn new(version: VersionId, now: Instant) -> Self {
        Self {
            current: version.clone(),
            version,
            epoch: 0,
            refused: false,
            since: now,
            older: Vec::new(),
        }
    }

    /// Other options were installed just now, in place of these.
    pub(super) fn replace(&mut self, version: VersionId, before: Weak<O>, now: Instant) {
        self.version = version;
        self.epoch += 1;
        self.refused = false;
        self.since = now;
        self.older.push(before);
        self.forget_released();
    }

    /// Whether a connection of that age was certainly made with what is installed now.
    pub(super) fn made(&mut self, age: Duration, now: Instant) -> bool {
        if !self.older.is_empty() {
            // All that were made until now are in doubt; from now on only if somebody still holds older options.
            self.since = now;
            self.forget_released();
        }
        let made = now.checked_sub(age);
        self.epoch == 0 || made.is_some_and(|made| made > self.since + TOLERANCE)
    }

    fn forget_released(&mut self) {
        self.older.retain(|options| options.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn installed(now: Instant) -> Installed<()> {
        Installed::new("1".into(), now)
    }

    #[test]
    fn before_any_change_every_connection_is_good() {
        let now = Instant::now();
        let mut installed = installed(now);
        assert!(installed.made(Duration::ZERO, now));
        assert!(installed.made(10 * SECOND, now));
    }

    #[test]
    fn what_was_made_before_a_change_is_retired() {
        let now = Instant::now();
        let mut installed = installed(now);
        installed.replace("2".into(), Weak::new(), now + 10 * SECOND);
        let later = now + 20 * SECOND;
        assert!(!installed.made(11 * SECOND, later), "made before");
        assert!(!installed.made(10 * SECOND, later), "made at that moment");
        assert!(installed.made(9 * SECOND, later), "made since");
    }

    #[test]
    fn while_a_login_with_older_options_is_under_way_connections_are_in_doubt() {
        let (now, login) = (Instant::now(), Arc::new(()));
        let mut installed = installed(now);
        installed.replace("2".into(), Arc::downgrade(&login), now + SECOND);
        assert!(
            !installed.made(SECOND, now + 3 * SECOND),
            "which one is it?"
        );
        drop(login);
        assert!(
            !installed.made(2 * SECOND, now + 5 * SECOND),
            "made during the doubt"
        );
        assert!(
            !installed.made(SECOND, now + 5 * SECOND),
            "the end of it was not seen"
        );
        assert!(installed.made(SECOND, now + 8 * SECOND), "made after it");
    }
}
