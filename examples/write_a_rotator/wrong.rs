//! The same rotator with one line wrong, to see it found out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};

use crate::rotator::{Key, Lamplight};

/// Which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slip {
    /// No answer is taken for a refusal.
    SilenceMeansNo,
    /// A new name at each try: a retry does not find the key that was made before.
    AnotherNameEachTry,
    /// Old keys stay at the service.
    NeverRetires,
}

pub(crate) struct Wrong {
    pub(crate) right: Lamplight,
    pub(crate) slip: Slip,
    /// At the service, as it were: every process counts on.
    pub(crate) tries: Arc<AtomicUsize>,
}

impl Rotator for Wrong {
    type Credential = Key;

    fn profile(&self) -> Profile {
        self.right.profile()
    }

    async fn create(&self, current: &Key, cx: &Context) -> Result<Patch, RotatorError> {
        let mut name = cx.version().clone();
        if self.slip == Slip::AnotherNameEachTry {
            name = format!("{name}-{}", self.tries.fetch_add(1, Ordering::Relaxed)).into();
        }
        let cx = Context::new(cx.secret().clone(), name, cx.deadline());
        self.right.create(current, &cx).await
    }

    async fn set(
        &self,
        login: Proven<'_, Key>,
        new: &Key,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        self.right.set(login, new, cx).await
    }

    async fn test(&self, candidate: &Key, cx: &Context) -> Result<Verdict, RotatorError> {
        let answer = self.right.test(candidate, cx).await;
        if self.slip == Slip::SilenceMeansNo {
            return answer.or(Ok(Verdict::Rejected));
        }
        answer
    }

    async fn retire(&self, old: &Key, kept: &[&Key], cx: &Context) -> Result<(), RotatorError> {
        if self.slip == Slip::NeverRetires {
            return Ok(());
        }
        self.right.retire(old, kept, cx).await
    }
}
