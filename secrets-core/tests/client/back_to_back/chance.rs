//! What decides how far rotations have come when a message arrives.

use std::time::Duration;

pub(super) enum Chance {
    /// Each possibility once.
    All(Choices),
    /// Messages take their time, rotations happen beside them.
    Random(Random),
}

impl Chance {
    /// Picks one of so many.
    pub(super) fn choose(&mut self, of: usize) -> usize {
        match self {
            Self::All(choices) => choices.choose(of),
            Self::Random(random) => random.below(of),
        }
    }

    pub(super) fn told(&self) -> String {
        match self {
            Self::All(choices) => format!("choices {:?}", choices.taken),
            Self::Random(_) => String::new(),
        }
    }
}

/// The choices of one run: which was taken, of how many.
#[derive(Clone, Default)]
pub(super) struct Choices {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Choices {
    pub(super) fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (taken, before) = self.taken[self.at];
        assert_eq!(before, of, "a run is repeated exactly");
        self.at += 1;
        taken
    }

    /// Those of the next run, if there is one.
    pub(super) fn next(mut self) -> Option<Self> {
        while let Some((taken, of)) = self.taken.pop() {
            if taken + 1 < of {
                self.taken.push((taken + 1, of));
                self.at = 0;
                return Some(self);
            }
        }
        None
    }
}

/// Numbers that are the same for the same seed (splitmix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("few");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("few")
    }

    /// Mostly short, now and then longer than the client waits for anything but a store that hangs.
    pub(super) fn time(&mut self) -> Duration {
        let longest = [1, 1, 5, 30, 120, 400, 1100][self.below(7)];
        Duration::from_millis(u64::try_from(self.below(longest)).expect("few"))
    }
}
