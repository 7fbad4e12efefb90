//! What a step has to do, given where the labels are. Pure: no async, no I/O.
//!
//! | the event's version | what a step does |
//! |---|---|
//! | holds `AWSCURRENT` | nothing but what `finishSecret` may have left undone |
//! | holds `AWSPENDING` | its work |
//! | neither, and another version waits in `AWSPENDING` | error: that one is never overwritten |
//! | listed with other labels | error: not staged |
//! | not listed | error: unknown, though a read may lag behind, so it is asked again |
//!
//! Before all that: a deleted secret, a rotation that is switched off, and a secret without
//! `AWSCURRENT` are errors. It is the same table for all four steps.

use super::error::PlanError;
use crate::event::VersionId;
use crate::store::{Label, SecretState};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The version is published already: a late or repeated event.
    Published {
        /// What held `AWSCURRENT` before.
        previous: Option<VersionId>,
    },
    /// Go on with the step.
    Act {
        /// What holds `AWSCURRENT`: what the rotation replaces.
        current: VersionId,
        /// What holds `AWSPREVIOUS`: what loses it when this rotation ends.
        previous: Option<VersionId>,
    },
}

/// Decides what a step has to do for `version`.
///
/// # Errors
/// [`PlanError`]: the step cannot run, now or ever; it says who must act.
pub fn plan(version: &VersionId, state: &SecretState) -> Result<Plan, PlanError> {
    if state.deleted {
        return Err(PlanError::Deleted);
    }
    // Absent means that rotation was never configured: then somebody drives the steps by hand.
    if state.rotation_enabled == Some(false) {
        return Err(PlanError::RotationDisabled);
    }
    let Some(current) = state.holder(&Label::Current) else {
        return Err(PlanError::NoCurrent);
    };
    let previous = state.holder(&Label::Previous).cloned();
    if current == version {
        return Ok(Plan::Published { previous });
    }
    match (state.versions.get(version), state.holder(&Label::Pending)) {
        (Some(labels), _) if labels.contains(&Label::Pending) => Ok(Plan::Act {
            current: current.clone(),
            previous,
        }),
        (_, Some(holder)) if holder != current => Err(PlanError::ForeignPending {
            holder: holder.clone(),
        }),
        (Some(_), _) => Err(PlanError::NotStaged),
        (None, _) => Err(PlanError::UnknownVersion),
    }
}
