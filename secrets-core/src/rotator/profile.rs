//! What a rotator promises.

use std::fmt;
use std::time::Duration;

use crate::document::SecretDocument;

/// The part of a secret that a rotation may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotates {
    /// These keys of a JSON object; all others must stay as they are.
    Keys(&'static [&'static str]),
    /// The whole value: a secret that is plain text or bytes.
    Value,
}

impl Rotates {
    /// The keys; none where the whole value rotates.
    pub fn keys(&self) -> &'static [&'static str] {
        match self {
            Self::Keys(keys) => keys,
            Self::Value => &[],
        }
    }

    /// Whether two documents hold the same credential, whatever else they hold.
    pub(crate) fn same_credential(&self, one: &SecretDocument, two: &SecretDocument) -> bool {
        match self {
            Self::Value => one.differing_keys(two).is_empty(),
            Self::Keys(keys) => one.with_keys_from(two, keys).differing_keys(one).is_empty(),
        }
    }
}

/// What readers of `AWSCURRENT` notice of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// One identity with one credential: from `setSecret` to `finishSecret` the target refuses what
    /// `AWSCURRENT` holds. Clients bridge that by trying `AWSPENDING`.
    ReplaceInPlace,
    /// One identity whose target makes the new credential only once the old one is gone: from
    /// `createSecret` to `finishSecret` the target refuses what `AWSCURRENT` holds. Between the making
    /// and the storing of the new credential no label names one that works, and clients have nothing to
    /// bridge that with; from then on they can try `AWSPENDING`.
    MintedInPlace,
    /// Old and new credential work side by side until the next rotation: no gap.
    UntilNextRotation,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReplaceInPlace => "replaced in place",
            Self::MintedInPlace => "minted in place",
            Self::UntilNextRotation => "valid until the next rotation",
        })
    }
}

/// When the engine calls [`Rotator::retire`](super::Rotator::retire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retirement {
    /// Never: the target forgets old credentials by itself.
    Never,
    /// In `finishSecret`, the version that is about to lose `AWSPREVIOUS`. Both `AWSCURRENT` and
    /// `AWSPREVIOUS` stay usable for readers with an older cached value.
    WhenSuperseded,
    /// In `finishSecret`, right after the promotion, the version that was `AWSCURRENT`.
    AfterPromotion,
}

/// What a second call of [`Rotator::create`](super::Rotator::create) may do at the target, after one that
/// did not come to its end.
///
/// All but [`Free`](Self::Free) make the engine leave a note first, a label on the version that holds
/// `AWSCURRENT`; it outlives a crash, and later rotations find it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Anything: passwords, and credentials that are found again under their name.
    Free,
    /// It may run, once the earlier invocation is over, and learns from
    /// [`Context::tried_since`](super::Context::tried_since) that there was one: for targets that show a
    /// new credential once and hold few of them, where the orphan has to go first.
    Told,
    /// It may run for so long after the first try: the time for which the target forgives that a credential
    /// is used up twice. Choose it shorter than the target's by as much as clocks may differ. Two tries may
    /// overlap. Later a person must act.
    Within(Duration),
    /// It never runs: the current credential may be used up, and using it again may end the whole grant. A
    /// person must act.
    Never,
}

/// How many credentials of one secret a target holds, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Between two rotations.
    pub rest: usize,
    /// While one is under way.
    pub peak: usize,
}

/// What a rotator promises. The engine enforces `rotates`, and the rest is checked by tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// What a rotation may change.
    pub rotates: Rotates,
    /// What readers notice.
    pub overlap: Overlap,
    /// When old credentials are removed at the target.
    pub retires: Retirement,
    /// How many credentials there may be.
    pub live: Live,
    /// What creating again may do.
    pub repeat: Repeat,
}

impl Profile {
    /// A profile that retires nothing and may create again at will. Live at most: one credential where it
    /// is replaced or minted in place, else two between rotations and three while one is under way.
    pub const fn new(rotates: Rotates, overlap: Overlap) -> Self {
        let live = match overlap {
            Overlap::ReplaceInPlace | Overlap::MintedInPlace => Live { rest: 1, peak: 1 },
            Overlap::UntilNextRotation => Live { rest: 2, peak: 3 },
        };
        Self {
            rotates,
            overlap,
            retires: Retirement::Never,
            live,
            repeat: Repeat::Free,
        }
    }

    /// The same with other limits for live credentials.
    #[must_use]
    pub const fn holding(mut self, live: Live) -> Self {
        self.live = live;
        self
    }

    /// The same, but creating again is limited.
    #[must_use]
    pub const fn repeating(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// The same, but old credentials are removed at that time.
    #[must_use]
    pub const fn retiring(mut self, retires: Retirement) -> Self {
        self.retires = retires;
        self
    }
}
