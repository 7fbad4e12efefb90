//! createSecret, and the note that it leaves where the rotator may not be called again at will.
//!
//! Where it may ([`Repeat::Free`]), nothing of the note is done. Else, between reading `AWSCURRENT` and
//! [`Rotator::create`]:
//!
//! 1. the notes on `AWSCURRENT` decide ([`mark::decide`]);
//! 2. a note of its own is put there;
//! 3. the labels are read again. A note that was not there before is another invocation's: then the own one
//!    is taken off, and this invocation stops. Of two that start at once, the later one to put its note sees
//!    the other's; so at most one goes on. Both may stop, which trying again heals;
//! 4. older notes are taken off, from other versions and from this one: the own note says since when.
//!
//! When the rotator's call fails and nothing was changed, the note goes. When something may have been
//! changed, it stays and says that its invocation is over. A crash leaves it, too: that is what it is for.

use std::time::Duration;

use tokio::time::timeout;

use super::mark::{Decision, Mark, decide, marks, marks_on};
use super::read::{SETTLE, credential};
use super::{Outcome, Plan, Reason, Rotation};
use crate::document::SecretDocument;
use crate::event::{RotationEvent, VersionId};
use crate::rotator::{Context, Repeat, Rotator};
use crate::store::{Label, SecretState, SecretStore, StoreError, StoreErrorKind};

/// The longest that tidying up may hold up the report of what went wrong.
const TIDYING: Duration = Duration::from_secs(5);

/// This invocation's note.
struct Claim {
    mark: Mark,
    /// The version that it sits on.
    on: VersionId,
    /// Whether an earlier try did not come to its end.
    repeats: bool,
}

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    pub(super) async fn create(
        &self,
        event: &RotationEvent,
        cx: &Context,
    ) -> Result<Outcome, Reason> {
        let (Plan::Act { current, .. }, state) = self.look(cx).await? else {
            return Ok(Outcome::AlreadyCurrent);
        };
        if self.pending(cx).await?.is_some() {
            return Ok(Outcome::Kept);
        }
        let current = self.version(cx, &current, Label::Current).await?;
        self.check_overlap(cx, &current, &state)?;
        let login = credential::<R>(&current.document, Label::Current)?;
        let repeat = self.rotator.profile().repeat;
        if repeat == Repeat::Free {
            return self.make(event, cx, &current.document, &login).await;
        }

        let now = (self.now)();
        let before = marks_on(&state, &current.id);
        let since = match decide(&before, repeat, now) {
            Decision::Go => None,
            Decision::Repeat { since } => Some(since),
            Decision::Wait { until } => return Err(Reason::AnotherInvocation { until }),
            Decision::Stop { since } => return Err(Reason::Unrepeatable { since }),
        };
        let claim = Claim {
            mark: Mark::new(cx.version(), since, now, cx.remaining()),
            on: current.id,
            repeats: since.is_some(),
        };
        let state = match self.claim(cx, &claim, &before).await {
            Ok(state) => state,
            Err(fault) => {
                // The notes of earlier tries, if there are any, are where they were.
                self.tidy(cx, self.unmark(cx, &claim.on, &claim.mark)).await;
                return Err(fault);
            }
        };
        if let Err(fault) = self.clear(cx, &claim, &state).await {
            self.release(cx, &claim, true).await;
            return Err(fault.into());
        }
        let told = cx.clone().with_tried_since(since);
        let made = self.make(event, &told, &current.document, &login).await;
        if let Err(fault) = &made {
            let unchanged = matches!(fault, Reason::Rotator(fault) if fault.changed_nothing());
            self.release(cx, &claim, unchanged).await;
        }
        made
    }

    /// Has the rotator make a value, and stores it.
    async fn make(
        &self,
        event: &RotationEvent,
        cx: &Context,
        current: &SecretDocument,
        login: &R::Credential,
    ) -> Result<Outcome, Reason> {
        let patch = self.rotator.create(login, cx).await?;
        let next = current
            .patched(&patch)
            .map_err(|fault| Reason::document(Label::Pending, fault))?;
        self.check_change(current, &next)?;
        // A value that the rotator itself cannot read must not be stored: it would be retried for ever.
        credential::<R>(&next, Label::Pending)?;
        let stored = self
            .store
            .put_pending(
                cx.secret(),
                cx.version(),
                &next,
                event.rotation_token.as_ref(),
            )
            .await;
        match stored {
            Ok(()) => Ok(Outcome::Created),
            // Another invocation of the same event stored its value first, or our read lagged: then
            // that value is the one.
            Err(fault)
                if fault.kind == StoreErrorKind::Conflict && self.pending(cx).await?.is_some() =>
            {
                Ok(Outcome::Kept)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Puts the note, and sees that no other invocation did the same. Gives the labels as they are then.
    async fn claim(
        &self,
        cx: &Context,
        claim: &Claim,
        before: &[Mark],
    ) -> Result<SecretState, Reason> {
        let own = claim.mark.label();
        self.store.mark(cx.secret(), &claim.on, &own).await?;
        let mut waits = SETTLE.iter();
        let state = loop {
            let (plan, state) = self.look(cx).await?;
            let still = matches!(plan, Plan::Act { current, .. } if current == claim.on);
            match (still, waits.next()) {
                (true, _) if state.holds(&claim.on, &own) => break state,
                // A read that lags behind our own write may lag behind another's.
                (true, Some(wait)) => tokio::time::sleep(*wait).await,
                _ => {
                    let until = claim.mark.until();
                    return Err(Reason::AnotherInvocation { until });
                }
            }
        };
        let another = marks_on(&state, &claim.on)
            .into_iter()
            .filter(|mark| *mark != claim.mark && !before.contains(mark));
        match another.map(|mark| mark.until()).max() {
            Some(until) => Err(Reason::AnotherInvocation { until }),
            None => Ok(state),
        }
    }

    /// Takes off the notes that the own one replaces, and those on versions that are no longer current.
    async fn clear(
        &self,
        cx: &Context,
        claim: &Claim,
        state: &SecretState,
    ) -> Result<(), StoreError> {
        for (version, mark) in marks(state) {
            if mark != claim.mark {
                self.unmark(cx, version, &mark).await?;
            }
        }
        Ok(())
    }

    /// This invocation is over, and has stored nothing. Where nothing was changed either, in this try or one
    /// before it, the note goes; else another takes its place that says so.
    async fn release(&self, cx: &Context, claim: &Claim, unchanged: bool) {
        let over = claim.mark.over((self.now)());
        let tidied = async {
            if !unchanged || claim.repeats {
                if over == claim.mark {
                    return Ok(());
                }
                self.store
                    .mark(cx.secret(), &claim.on, &over.label())
                    .await?;
            }
            self.unmark(cx, &claim.on, &claim.mark).await
        };
        self.tidy(cx, tidied).await;
    }

    async fn unmark(
        &self,
        cx: &Context,
        version: &VersionId,
        mark: &Mark,
    ) -> Result<(), StoreError> {
        self.store.unmark(cx.secret(), version, &mark.label()).await
    }

    /// As well as it goes, and not for long: what went wrong before is what has to be reported. A note that
    /// stays costs time, or a person's attention, and breaks nothing.
    async fn tidy(&self, cx: &Context, work: impl Future<Output = Result<(), StoreError>>) {
        let patience = TIDYING.min(cx.remaining() / 2);
        if !matches!(timeout(patience, work).await, Ok(Ok(()))) {
            tracing::warn!(secret = %cx.secret(), "a label CREATE-BEGAN-... of this invocation could not be removed");
        }
    }
}
