//! What can be done about a stuck rotation besides sending its steps again.

use tokio::time::{Instant, timeout_at};

use super::super::mark::marks_on;
use super::super::read::credential;
use super::super::{Reason, Rotation};
use super::{Examination, Standing};
use crate::event::{SecretId, VersionId};
use crate::rotator::{Context, Rotator, Verdict};
use crate::store::{Label, SecretStore, Version};

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// Whether the target accepts what `AWSCURRENT` holds. It is presented once.
    ///
    /// # Errors
    /// [`Reason`]: the value could not be read or presented.
    pub async fn verify(&self, secret: &SecretId, deadline: Instant) -> Result<Verdict, Reason> {
        let verify = async {
            let current = self.store.get(secret, &Version::CURRENT).await?;
            let login = credential::<R>(&current.document, Label::Current)?;
            let cx = Context::new(secret.clone(), current.id, deadline);
            Ok(self.rotator.test(&login, &cx).await?)
        };
        timeout_at(deadline, verify)
            .await
            .unwrap_or(Err(Reason::OutOfTime))
    }

    /// Takes `AWSPENDING` off the pending version, if that provably locks nobody out.
    ///
    /// # Behavior
    /// - Looks anew, and discards only what [`Examination::discardable`] allows then.
    /// - Presents the current credential once more afterwards. If the target refuses it now, another
    ///   invocation has set the pending value in the meantime: the label is put back, and the answer is
    ///   [`Reason::AnotherInvocation`].
    ///
    /// Gives what was seen before, and the version that was discarded: `None` where nothing may be. An
    /// invocation that read the pending value before and sets it later still can do harm: see that none is
    /// under way, and that the version is older than the function's time-out.
    ///
    /// # Errors
    /// [`Reason`]: the label could not be moved.
    pub async fn discard_if_safe(
        &self,
        secret: &SecretId,
        deadline: Instant,
    ) -> Result<(Examination, Option<VersionId>), Reason> {
        let seen = self.examine(secret, None, deadline).await;
        let Some(version) = seen.discardable().cloned() else {
            return Ok((seen, None));
        };
        self.store.discard_pending(secret, &version).await?;
        let had_value = seen
            .candidate(&Label::Pending)
            .is_some_and(|it| it.standing != Standing::Empty);
        if had_value && self.verify(secret, deadline).await == Ok(Verdict::Rejected) {
            // Only a value that a target took meanwhile makes the current one stop working.
            self.store.mark(secret, &version, &Label::Pending).await?;
            let until = (self.now)();
            return Err(Reason::AnotherInvocation { until });
        }
        Ok((seen, Some(version)))
    }

    /// Takes the notes of createSecret off the version that holds `AWSCURRENT`: how many there were.
    ///
    /// # Errors
    /// [`Reason`]: the labels could not be read or moved.
    pub async fn remove_notes(&self, secret: &SecretId) -> Result<usize, Reason> {
        let state = self.store.describe(secret).await?;
        let Some(current) = state.holder(&Label::Current) else {
            return Ok(0);
        };
        let notes = marks_on(&state, current);
        for note in &notes {
            self.store.unmark(secret, current, &note.label()).await?;
        }
        Ok(notes.len())
    }
}
