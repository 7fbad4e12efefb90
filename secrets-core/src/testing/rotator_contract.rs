//! What [`Rotator`] says under `# Behavior`, one function a sentence. Here the rotator is on its own,
//! without the engine that would keep it from most mistakes.

use std::future::Future;

use tokio::time::{Instant, timeout_at};

use crate::document::SecretDocument;
use crate::rotator::{Context, Proven, Repeat, Retirement, Rotator, RotatorError, Verdict};
use crate::store::Label;

use super::run::{Run, version};
use super::target::Target;
use super::violation::Invariant;

/// A rotator, its target, and the first secret as the rotator reads it.
struct Case<'r, R: Rotator, T> {
    run: &'r Run<R, T>,
    rotator: R,
    document: SecretDocument,
    first: R::Credential,
}

/// Goes through all sentences; what is broken is noted with the run's witness.
pub(super) async fn check<R: Rotator, T: Target>(run: &Run<R, T>) {
    let Some(document) = run.witness.at(&Label::Current).await else {
        return run
            .witness
            .convict(Invariant::NobodyLockedOut, "the trial has no first secret");
    };
    match R::Credential::try_from(&document) {
        Err(fault) => {
            let seen = format!("the rotator cannot read the first secret: {fault}");
            run.witness.convict(Invariant::CrashesHeal, seen);
        }
        Ok(first) => {
            let case = Case {
                run,
                rotator: run.rotator(),
                document,
                first,
            };
            case.test_accepts_what_the_target_accepts().await;
            case.test_of_a_target_out_of_reach_is_an_error().await;
            case.test_changes_nothing().await;
            if let Some(pending) = case.create_changes_what_the_profile_names().await {
                let again = case
                    .create_for_the_same_version_leaves_no_second_credential()
                    .await;
                // It may have replaced what the first call made.
                let pending = again.unwrap_or(pending);
                case.set_repeated_ends_in_the_same_state(&pending).await;
                case.retire_of_what_is_gone_is_success(&pending).await;
                case.test_refuses_what_the_target_refuses().await;
            }
        }
    }
    run.witness.listen().await;
}

impl<R: Rotator, T: Target> Case<'_, R, T> {
    /// A context with all of a step's time.
    fn cx(&self) -> Context {
        let deadline = Instant::now() + self.run.step_timeout;
        Context::new("kit/secret".into(), version(1), deadline)
    }

    /// The engine drops a call whose time is up; so it is done here.
    async fn call<V>(
        &self,
        cx: &Context,
        call: impl Future<Output = Result<V, RotatorError>>,
    ) -> Result<V, RotatorError> {
        timeout_at(cx.deadline(), call)
            .await
            .unwrap_or_else(|_| Err(RotatorError::unreachable("the call came to no end")))
    }

    async fn probe(&self) -> Result<Verdict, RotatorError> {
        let cx = self.cx();
        let probe = self.call(&cx, self.rotator.test(&self.first, &cx));
        self.run.witness.around("test", probe).await
    }

    async fn test_accepts_what_the_target_accepts(&self) {
        let probe = self.probe().await;
        if probe != Ok(Verdict::Accepted) {
            let seen = format!("the first secret works, and the rotator's probe says {probe:?}");
            self.run.witness.convict(Invariant::CrashesHeal, seen);
        }
    }

    async fn test_of_a_target_out_of_reach_is_an_error(&self) {
        if self.run.witness.target.outage(true).await {
            let probe = self.probe().await;
            self.run.witness.target.outage(false).await;
            if let Ok(verdict) = probe {
                let seen = format!("the target is out of reach, and the probe says {verdict:?}");
                self.run
                    .witness
                    .convict(Invariant::DoubtChangesNothing, seen);
            }
        }
    }

    async fn test_changes_nothing(&self) {
        let before = self.run.witness.snapshot().await;
        let _ = self.probe().await;
        if self.run.witness.snapshot().await != before {
            let seen = "a probe changed something";
            self.run
                .witness
                .convict(Invariant::RepeatsAreHarmless, seen);
        }
    }

    /// Gives the next secret, which is made but not set.
    async fn create_changes_what_the_profile_names(&self) -> Option<SecretDocument> {
        let cx = self.cx();
        let patch = self.call(&cx, self.rotator.create(&self.first, &cx)).await;
        let pending = match patch.map(|patch| self.document.patched(&patch)) {
            Ok(Ok(pending)) => pending,
            Ok(Err(fault)) => {
                let seen = format!("the patch does not fit the secret: {fault}");
                self.run.witness.convict(Invariant::RestOfSecretStays, seen);
                return None;
            }
            Err(fault) => {
                let seen = format!("create failed: {fault}");
                self.run.witness.convict(Invariant::CrashesHeal, seen);
                return None;
            }
        };
        let changed = pending.differing_keys(&self.document);
        if changed.is_empty() {
            let seen = "the rotator made the current value again";
            self.run.witness.convict(Invariant::ValueChanges, seen);
            return None;
        }
        let named = self.run.witness.profile.rotates.keys();
        let foreign = changed
            .iter()
            .find(|key| !named.is_empty() && !named.contains(&key.as_str()));
        if let Some(key) = foreign {
            let seen = format!("the rotator changed `{key}`, which its profile does not name");
            self.run.witness.convict(Invariant::RestOfSecretStays, seen);
            return None;
        }
        Some(pending)
    }

    /// Gives the secret that the second call makes.
    async fn create_for_the_same_version_leaves_no_second_credential(
        &self,
    ) -> Option<SecretDocument> {
        let tried_since = match self.run.witness.profile.repeat {
            Repeat::Never => return None,
            Repeat::Free => None,
            Repeat::Told | Repeat::Within(_) => Some(self.run.clock.now()),
        };
        let before = self.run.witness.target.live().await;
        let cx = self.cx().with_tried_since(tried_since);
        let patch = self.call(&cx, self.rotator.create(&self.first, &cx)).await;
        let after = self.run.witness.target.live().await;
        if let (Some(before), Some(after)) = (before, after)
            && after > before
        {
            let seen = "create, called again for the same version, made another credential";
            self.run.witness.convict(Invariant::NothingPilesUp, seen);
        }
        self.document.patched(&patch.ok()?).ok()
    }

    async fn set_repeated_ends_in_the_same_state(&self, pending: &SecretDocument) {
        let Ok(wanted) = R::Credential::try_from(pending) else {
            return;
        };
        // A credential that works from the moment it is made is never set.
        let cx = self.cx();
        if self.call(&cx, self.rotator.test(&wanted, &cx)).await != Ok(Verdict::Rejected) {
            return;
        }
        let state = async || {
            let target = &self.run.witness.target;
            (
                target.works(&self.document).await,
                target.works(pending).await,
                target.live().await,
            )
        };
        let cx = self.cx();
        let set = self.rotator.set(Proven::new(&self.first), &wanted, &cx);
        let set = self.call(&cx, set).await;
        let before = state().await;
        if set.is_err() || !before.1 {
            // That is what a rotation will show, with its calls.
            return;
        }
        let cx = self.cx();
        let again = self.rotator.set(Proven::new(&wanted), &wanted, &cx);
        let _ = self.call(&cx, again).await;
        if state().await != before {
            let seen = "set, called again, ends in another state";
            self.run
                .witness
                .convict(Invariant::RepeatsAreHarmless, seen);
        }
    }

    async fn retire_of_what_is_gone_is_success(&self, pending: &SecretDocument) {
        let Ok(kept) = R::Credential::try_from(pending) else {
            return;
        };
        if self.run.witness.profile.retires == Retirement::Never {
            return;
        }
        for again in [false, true] {
            let cx = self.cx();
            let retired = self
                .call(&cx, self.rotator.retire(&self.first, &[&kept], &cx))
                .await;
            if let (Err(fault), true) = (retired, again) {
                let seen = format!("retire of a credential that is gone failed: {fault}");
                self.run.witness.convict(Invariant::CrashesHeal, seen);
            }
        }
    }

    /// By now the first secret was replaced or retired, where the target lets go of it at all.
    async fn test_refuses_what_the_target_refuses(&self) {
        if self.run.witness.target.works(&self.document).await {
            return;
        }
        // Past the witness, for whom this is a lock-out: here nothing was published.
        let before = self.run.witness.target.refused_logins().await;
        let cx = self.cx();
        let probe = self.call(&cx, self.rotator.test(&self.first, &cx)).await;
        if probe != Ok(Verdict::Rejected) {
            let seen =
                format!("the target refuses a secret, and the rotator's probe says {probe:?}");
            self.run
                .witness
                .convict(Invariant::DoubtChangesNothing, seen);
        }
        if let (Some(before), Some(after)) =
            (before, self.run.witness.target.refused_logins().await)
            && after - before > 1
        {
            let seen = format!("a probe had {} logins refused", after - before);
            self.run.witness.convict(Invariant::NoLockout, seen);
        }
    }
}
