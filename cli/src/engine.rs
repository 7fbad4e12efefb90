//! The engine over any rotator, behind one face: which one it is, is known when the program runs.

use std::pin::Pin;

use secrets_core::event::{RotationEvent, SecretId, VersionId};
use secrets_core::rotation::examine::Examination;
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::rotator::{Rotator, Verdict};
use tokio::time::Instant;

use crate::store::Store;

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What the commands need of [`Rotation`]; see there.
pub(crate) trait Engine {
    fn step<'a>(
        &'a self,
        event: &'a RotationEvent,
        deadline: Instant,
    ) -> Work<'a, Result<Outcome, RotationError>>;

    fn examine<'a>(
        &'a self,
        secret: &'a SecretId,
        asked: Option<&'a VersionId>,
        deadline: Instant,
    ) -> Work<'a, Examination>;

    fn verify<'a>(
        &'a self,
        secret: &'a SecretId,
        deadline: Instant,
    ) -> Work<'a, Result<Verdict, Reason>>;

    fn discard_if_safe<'a>(
        &'a self,
        secret: &'a SecretId,
        deadline: Instant,
    ) -> Work<'a, Result<(Examination, Option<VersionId>), Reason>>;

    fn remove_notes<'a>(&'a self, secret: &'a SecretId) -> Work<'a, Result<usize, Reason>>;
}

impl<R: Rotator> Engine for Rotation<Store, R> {
    fn step<'a>(
        &'a self,
        event: &'a RotationEvent,
        deadline: Instant,
    ) -> Work<'a, Result<Outcome, RotationError>> {
        Box::pin(self.handle(event, deadline))
    }

    fn examine<'a>(
        &'a self,
        secret: &'a SecretId,
        asked: Option<&'a VersionId>,
        deadline: Instant,
    ) -> Work<'a, Examination> {
        Box::pin(self.examine(secret, asked, deadline))
    }

    fn verify<'a>(
        &'a self,
        secret: &'a SecretId,
        deadline: Instant,
    ) -> Work<'a, Result<Verdict, Reason>> {
        Box::pin(self.verify(secret, deadline))
    }

    fn discard_if_safe<'a>(
        &'a self,
        secret: &'a SecretId,
        deadline: Instant,
    ) -> Work<'a, Result<(Examination, Option<VersionId>), Reason>> {
        Box::pin(self.discard_if_safe(secret, deadline))
    }

    fn remove_notes<'a>(&'a self, secret: &'a SecretId) -> Work<'a, Result<usize, Reason>> {
        Box::pin(self.remove_notes(secret))
    }
}
