//! What the steps read, and what they check before they act on it.

use std::time::{Duration, SystemTime};

use super::{Plan, PlanError, Reason, Rotation, plan};
use crate::document::SecretDocument;
use crate::event::VersionId;
use crate::rotator::{Context, Overlap, Rotates, Rotator};
use crate::store::{Label, SecretState, SecretStore, SecretVersion, StoreErrorKind, Version};

/// Reads may lag behind writes between two steps: how long to wait before each further look.
pub(super) const SETTLE: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// Rotations closer than this are warned about where readers rely on an overlap. The shortest
/// schedule that the service allows is four hours, so only rotations by hand come closer.
const USUAL_OVERLAP: Duration = Duration::from_hours(1);

/// A document as what the rotator reads out of it.
pub(super) fn credential<R: Rotator>(
    document: &SecretDocument,
    label: Label,
) -> Result<R::Credential, Reason> {
    R::Credential::try_from(document).map_err(|fault| Reason::document(label, fault))
}

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// Where the labels are, and what follows from that.
    pub(super) async fn look(&self, cx: &Context) -> Result<(Plan, SecretState), Reason> {
        let mut waits = SETTLE.iter();
        loop {
            let state = self.store.describe(cx.secret()).await?;
            match (plan(cx.version(), &state), waits.next()) {
                (Ok(plan), _) => return Ok((plan, state)),
                (Err(PlanError::UnknownVersion), Some(wait)) => tokio::time::sleep(*wait).await,
                (Err(fault), _) => return Err(fault.into()),
            }
        }
    }

    /// The pending value of this rotation, if it is there: the placeholder has none.
    pub(super) async fn pending(&self, cx: &Context) -> Result<Option<SecretVersion>, Reason> {
        let pending = Version::Exactly(cx.version().clone(), Label::Pending);
        let pending = self.find(cx, pending).await?;
        if let Some(pending) = &pending {
            cx.seen().pending(pending.created);
        }
        Ok(pending)
    }

    /// The pending value, which an earlier step has stored; waits for a read that lags behind.
    pub(super) async fn settled_pending(&self, cx: &Context) -> Result<SecretVersion, Reason> {
        let mut waits = SETTLE.iter();
        loop {
            match (self.pending(cx).await?, waits.next()) {
                (Some(pending), _) => return Ok(pending),
                (None, Some(wait)) => tokio::time::sleep(*wait).await,
                (None, None) => return Err(Reason::NoPendingValue),
            }
        }
    }

    /// A version that must still hold the label under which it was found.
    pub(super) async fn version(
        &self,
        cx: &Context,
        version: &VersionId,
        label: Label,
    ) -> Result<SecretVersion, Reason> {
        let wanted = Version::Exactly(version.clone(), label.clone());
        let version = self.store.get(cx.secret(), &wanted).await?;
        if label == Label::Current {
            cx.seen().current(version.created);
        }
        Ok(version)
    }

    /// A version whatever its labels, if it is there.
    pub(super) async fn value(
        &self,
        cx: &Context,
        version: &VersionId,
    ) -> Result<Option<SecretVersion>, Reason> {
        self.find(cx, Version::Id(version.clone())).await
    }

    async fn find(&self, cx: &Context, version: Version) -> Result<Option<SecretVersion>, Reason> {
        match self.store.get(cx.secret(), &version).await {
            Ok(version) => Ok(Some(version)),
            // A label that sits elsewhere is one or the other, depending on who answers.
            Err(fault)
                if matches!(
                    fault.kind,
                    StoreErrorKind::NotFound | StoreErrorKind::Invalid
                ) =>
            {
                Ok(None)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// A new value changes what the profile names, and nothing else.
    pub(super) fn check_change(
        &self,
        current: &SecretDocument,
        next: &SecretDocument,
    ) -> Result<(), Reason> {
        let changed = next.differing_keys(current);
        match self.forbidden(&changed).next() {
            Some(key) => Err(Reason::ForbiddenChange { key: key.clone() }),
            None if changed.is_empty() => Err(Reason::Unchanged),
            None => Ok(()),
        }
    }

    /// The one check against a confused deputy: whoever may write a pending value must not be able to
    /// send the current password to another host, or another user's name to the target.
    pub(super) fn check_unaltered(
        &self,
        pending: &SecretDocument,
        current: &SecretDocument,
    ) -> Result<(), Reason> {
        let differing = pending.differing_keys(current);
        let keys: Vec<_> = self.forbidden(&differing).cloned().collect();
        if keys.is_empty() {
            Ok(())
        } else {
            Err(Reason::PendingAltered { keys })
        }
    }

    fn forbidden<'k>(&self, changed: &'k [String]) -> impl Iterator<Item = &'k String> {
        let rotates = self.rotator.profile().rotates;
        changed.iter().filter(move |key| match rotates {
            Rotates::Value => false,
            Rotates::Keys(keys) => !keys.contains(&key.as_str()),
        })
    }

    /// Readers may hold the version before the current one for as long as they cache.
    pub(super) fn check_overlap(
        &self,
        cx: &Context,
        current: &SecretVersion,
        state: &SecretState,
    ) -> Result<(), Reason> {
        if let Some(not_before) = self.not_before(current.created, state) {
            return Err(Reason::TooSoon { not_before });
        }
        let Some(age) = self.age(current.created, state) else {
            return Ok(());
        };
        if age < USUAL_OVERLAP && self.rotator.profile().overlap == Overlap::UntilNextRotation {
            tracing::warn!(
                secret = %cx.secret(),
                age_seconds = age.as_secs(),
                "rotating again soon: readers that cache longer than this hold a credential that stops working"
            );
        }
        Ok(())
    }

    /// From when on the current version is old enough, if it is not yet.
    pub(super) fn not_before(
        &self,
        created: Option<SystemTime>,
        state: &SecretState,
    ) -> Option<SystemTime> {
        let min_overlap = self.min_overlap?;
        let young = self.age(created, state)? < min_overlap;
        young.then_some(created.max(state.last_rotated)? + min_overlap)
    }

    /// How old the current version is.
    fn age(&self, created: Option<SystemTime>, state: &SecretState) -> Option<Duration> {
        // Whichever is later: a value put by hand counts as well as a rotation.
        let since = created.max(state.last_rotated)?;
        // A clock that runs behind the service's makes the age negative: that is young, too.
        Some((self.now)().duration_since(since).unwrap_or_default())
    }
}
