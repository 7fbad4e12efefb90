//! Which versions are older than the current one. Their ids do not tell; the order in which a pool met them does.

use secrets_core::event::VersionId;

/// More versions than that are not in use at one time.
const KEPT: usize = 8;

/// Numbers for the versions that a pool has met: greater is newer.
#[derive(Debug, Default)]
pub(crate) struct Order {
    known: Vec<(VersionId, u64)>,
    last: u64,
    current: Option<VersionId>,
}

impl Order {
    /// The number of a version that a connection was made with.
    pub(crate) fn number(&mut self, version: &VersionId) -> u64 {
        let known = self.known.iter().find(|(known, _)| known == version);
        match known {
            Some((_, number)) => *number,
            None => self.renumber(version),
        }
    }

    /// The number of the version that is current now. One that has become so again is newer than what it replaces.
    pub(crate) fn current(&mut self, version: &VersionId) -> u64 {
        if self.current.as_ref() == Some(version) {
            return self.number(version);
        }
        let before = self.current.replace(version.clone());
        let before = before.map(|before| self.number(&before));
        let number = self.number(version);
        if before.is_some_and(|before| number < before) {
            return self.renumber(version);
        }
        number
    }

    fn renumber(&mut self, version: &VersionId) -> u64 {
        self.known.retain(|(known, _)| known != version);
        if self.known.len() >= KEPT {
            self.known.remove(0);
        }
        self.last += 1;
        self.known.push((version.clone(), self.last));
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(version: &str) -> VersionId {
        version.into()
    }

    #[test]
    fn what_is_pending_is_not_older_than_what_is_current() {
        let mut order = Order::default();
        let one = order.number(&id("1"));
        assert_eq!(order.current(&id("1")), one);
        let two = order.number(&id("2"));
        assert!(two > order.current(&id("1")), "pending");
        assert_eq!(order.current(&id("2")), two, "published");
        assert!(one < order.current(&id("2")), "the one before is older");
    }

    #[test]
    fn a_version_that_is_current_again_is_newer_than_the_one_it_replaces() {
        let mut order = Order::default();
        let one = order.current(&id("1"));
        let two = order.current(&id("2"));
        let again = order.current(&id("1"));
        assert!(one < two && two < again);
        assert_eq!(order.number(&id("1")), again);
    }

    #[test]
    fn versions_of_long_ago_are_forgotten() {
        let mut order = Order::default();
        let numbers: Vec<u64> = (0..100)
            .map(|n| order.current(&id(&n.to_string())))
            .collect();
        assert!(numbers.is_sorted());
        assert_eq!(order.known.len(), KEPT);
    }
}
