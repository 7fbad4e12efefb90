//! set, test and finish; `create` has a file of its own. Where labels sit is decided in
//! [`plan`](super::plan); here things are done.

use super::read::credential;
use super::{Outcome, Plan, Reason, Rotation};
use crate::document::SecretDocument;
use crate::event::VersionId;
use crate::rotator::{
    Context, Proven, Retirement, Rotator, RotatorError, RotatorErrorKind, Verdict,
};
use crate::store::{Label, SecretStore, StoreErrorKind};

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    pub(super) async fn set(&self, cx: &Context) -> Result<Outcome, Reason> {
        let (Plan::Act { current, previous }, _) = self.look(cx).await? else {
            return Ok(Outcome::AlreadyCurrent);
        };
        let pending = self.settled_pending(cx).await?.document;
        let current = self.version(cx, &current, Label::Current).await?.document;
        self.check_unaltered(&pending, &current)?;

        let rotates = self.rotator.profile().rotates;
        let wanted = credential::<R>(&pending, Label::Pending)?;
        if self.rotator.test(&wanted, cx).await? == Verdict::Accepted {
            return Ok(Outcome::AlreadySet);
        }
        // Each credential is presented once: a second refused login may lock the account. So a value
        // that was refused under one label is not tried again under another.
        if !rotates.same_credential(&pending, &current) {
            let login = credential::<R>(&current, Label::Current)?;
            if self.rotator.test(&login, cx).await? == Verdict::Accepted {
                return match self.rotator.set(Proven::new(&login), &wanted, cx).await {
                    Err(fault) if fault.kind() == RotatorErrorKind::RejectedByTarget => {
                        self.rejected(cx, &login, &wanted, fault).await
                    }
                    other => Ok(other.map(|()| Outcome::Set)?),
                };
            }
        }
        if let Some(previous) = previous
            && let Some(previous) = self.value(cx, &previous).await?
        {
            // Only the rotated keys are taken from it: an old host or TLS setting stays dead.
            let previous = current.with_keys_from(&previous.document, rotates.keys());
            if ![&pending, &current]
                .iter()
                .any(|refused| rotates.same_credential(&previous, refused))
            {
                let login = credential::<R>(&previous, Label::Previous)?;
                if self.rotator.test(&login, cx).await? == Verdict::Accepted {
                    self.rotator.set(Proven::new(&login), &wanted, cx).await?;
                    return Ok(Outcome::Set);
                }
            }
        }
        Err(Reason::NoneAccepted)
    }

    pub(super) async fn test(&self, cx: &Context) -> Result<Outcome, Reason> {
        // One read tells the value and that it is still pending; where it does not, the labels are
        // asked why. So this step costs one call, and it changes nothing that a check could protect.
        let pending = match self.pending(cx).await? {
            Some(pending) => pending,
            None => match self.look(cx).await? {
                (Plan::Published { .. }, _) => return Ok(Outcome::AlreadyCurrent),
                (Plan::Act { .. }, _) => self.settled_pending(cx).await?,
            },
        };
        self.must_be_accepted(&pending.document, cx).await?;
        Ok(Outcome::Tested)
    }

    pub(super) async fn finish(&self, cx: &Context) -> Result<Outcome, Reason> {
        let retires = self.rotator.profile().retires;
        let (current, previous) = match self.look(cx).await? {
            (Plan::Act { current, previous }, _) => (current, previous),
            (Plan::Published { previous }, state) => {
                if let (Retirement::AfterPromotion, Some(previous)) = (retires, previous) {
                    let next = state
                        .holder(&Label::Pending)
                        .filter(|next| *next != cx.version());
                    let in_use: Vec<_> = next.into_iter().chain([cx.version()]).collect();
                    self.retire(cx, &previous, &in_use).await?;
                }
                return Ok(Outcome::AlreadyCurrent);
            }
        };
        let pending = self.settled_pending(cx).await?;
        self.must_be_accepted(&pending.document, cx).await?;
        if let (Retirement::WhenSuperseded, Some(previous)) = (retires, &previous) {
            self.retire(cx, previous, &[&current, cx.version()]).await?;
        }
        if let Err(fault) = self
            .store
            .promote(cx.secret(), &current, cx.version())
            .await
        {
            // The swap fails when it was done already: a lost reply, or another invocation.
            let done = fault.kind == StoreErrorKind::Conflict
                && matches!(self.look(cx).await?, (Plan::Published { .. }, _));
            if !done {
                return Err(fault.into());
            }
        }
        if retires == Retirement::AfterPromotion {
            self.retire(cx, &current, &[cx.version()]).await?;
        }
        Ok(Outcome::Promoted)
    }

    async fn must_be_accepted(&self, pending: &SecretDocument, cx: &Context) -> Result<(), Reason> {
        let candidate = credential::<R>(pending, Label::Pending)?;
        match self.rotator.test(&candidate, cx).await? {
            Verdict::Accepted => Ok(()),
            Verdict::Rejected => Err(Reason::PendingRefused),
        }
    }

    /// The target will never take this value: the next rotation has to start with a fresh one, which
    /// it does once `AWSPENDING` is gone. But only while the current credential provably works.
    ///
    /// A target that keeps a history takes no value twice: so it refuses what another invocation has set a moment
    /// ago as well, and only a login tells that from a value that is refused for good.
    async fn rejected(
        &self,
        cx: &Context,
        login: &R::Credential,
        pending: &R::Credential,
        source: RotatorError,
    ) -> Result<Outcome, Reason> {
        match self.rotator.test(pending, cx).await {
            Ok(Verdict::Accepted) => return Ok(Outcome::AlreadySet),
            Ok(Verdict::Rejected) => {}
            Err(_) => {
                let discarded = false;
                return Err(Reason::ValueRefused { discarded, source });
            }
        }
        let works = self.rotator.test(login, cx).await == Ok(Verdict::Accepted);
        let discarded = works
            && self
                .store
                .discard_pending(cx.secret(), cx.version())
                .await
                .is_ok();
        Err(Reason::ValueRefused { discarded, source })
    }

    /// Lets the target forget a version, unless a version in use holds the same credential. The last of
    /// `in_use` was accepted by the target.
    async fn retire(
        &self,
        cx: &Context,
        retired: &VersionId,
        in_use: &[&VersionId],
    ) -> Result<(), Reason> {
        let Some(retired) = self.value(cx, retired).await? else {
            return Ok(());
        };
        let rotates = self.rotator.profile().rotates;
        let mut kept = Vec::with_capacity(in_use.len());
        for version in in_use {
            if let Some(version) = self.value(cx, version).await? {
                if rotates.same_credential(&version.document, &retired.document) {
                    return Ok(());
                }
                kept.push(credential::<R>(&version.document, Label::Current)?);
            }
        }
        let retired = credential::<R>(&retired.document, Label::Previous)?;
        let kept: Vec<_> = kept.iter().collect();
        Ok(self.rotator.retire(&retired, &kept, cx).await?)
    }
}
