//! How the two users of a pair come to have the same rights.

use secrets_core::rotator::RotatorError;

use super::pair::PairLayout;
use super::portrait::{Portrait, Step};
use super::twin::Twin;

/// What there is, or is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The second user is not there yet.
    New(PairLayout),
    /// One user is a member of the other: AWS's pairs, and ours of [`PairLayout::Member`].
    Member,
    /// Both have what they have from the same other roles: pairs with an owner role, and pairs that an
    /// administrator has made.
    Alike,
}

/// Finds out, or says why there is no telling.
pub(super) fn of(
    first: &Portrait,
    second: Option<&Portrait>,
    twin: &Twin<'_>,
) -> Result<Layout, RotatorError> {
    let (one, two) = (&twin.partner.name, &twin.wanted.username);
    let Some(second) = second else {
        return match first.acts_as() {
            _ if twin.partner.named => Err(RotatorError::misconfigured(format!(
                "{} has no role of the name of the other user in `usernames`; create it with the same \
                 rights, since users that the secret names are never made",
                twin.peer()
            ))),
            // It has an owner role already.
            Some(role) if role != two => Ok(Layout::Alike),
            _ => Ok(Layout::New(twin.pair.layout)),
        };
    };
    if first.memberships.contains_key(two) || second.memberships.contains_key(one) {
        return Ok(Layout::Member);
    }
    let alike = first.acts_as().is_some() && first.acts_as() == second.acts_as();
    if alike || twin.partner.named {
        return Ok(Layout::Alike);
    }
    Err(RotatorError::misconfigured(format!(
        "{} has a role of the second user's name that does not belong to the first: neither is a member of \
         the other, and they do not act as one owner role; remove it, or choose another suffix, or name both \
         in the secret (`usernames`) to let them take turns",
        twin.peer()
    )))
}

impl Layout {
    /// Whether memberships of the first are given to the second; a member has them anyway.
    pub(super) fn copies_memberships(self) -> bool {
        matches!(self, Self::Alike | Self::New(PairLayout::Owner))
    }

    /// What ties the second user to the first.
    pub(super) fn steps(self, first: &Portrait, second: &Portrait, twin: &Twin<'_>) -> Vec<Step> {
        let (one, two) = (&twin.partner.name, &twin.wanted.username);
        match self {
            Self::New(PairLayout::Member) => twin.join(one, two).into(),
            // AWS's function leaves out the second part: then tables that the member makes are its own.
            Self::Member
                if second.memberships.contains_key(one)
                    && first.acts_as().is_none()
                    && second.acts_as().is_none() =>
            {
                let [_, act] = twin.join(one, two);
                vec![act]
            }
            _ => Vec::new(),
        }
    }
}
