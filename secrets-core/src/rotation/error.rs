//! Why a step of a rotation did not come to its end, and who must act.

use std::fmt;
use std::time::SystemTime;

use super::catalogue::{self, ErrorType};
use crate::document::DocumentError;
use crate::event::{SecretId, Step, VersionId};
use crate::rotator::{RotatorError, RotatorErrorKind};
use crate::store::{Label, StoreError, StoreErrorKind};

/// Why the labels forbid a step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The secret is scheduled for deletion.
    #[error("the secret is scheduled for deletion; restore it to rotate it")]
    Deleted,
    /// Rotation was cancelled or switched off.
    #[error(
        "rotation of the secret is switched off; switch it on again (RotateSecret) to finish, or remove \
         AWSPENDING from the version"
    )]
    RotationDisabled,
    /// No version holds `AWSCURRENT`.
    #[error("no version of the secret holds AWSCURRENT; put a working value as AWSCURRENT")]
    NoCurrent,
    /// Another rotation is under way.
    #[error(
        "AWSPENDING sits on another version, `{holder}`; finish that rotation (RotateSecret) or remove \
         AWSPENDING from it"
    )]
    ForeignPending {
        /// The version that holds it.
        holder: VersionId,
    },
    /// The version lost `AWSPENDING`, or never had it.
    #[error(
        "the version does not hold AWSPENDING: its rotation was abandoned or is over; start a new one"
    )]
    NotStaged,
    /// The service does not list the version.
    #[error(
        "the secret has no such version; send the event through RotateSecret, which registers it"
    )]
    UnknownVersion,
}

/// What stood in the way of a step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The labels forbid it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Secrets Manager did not do what was asked.
    #[error("secrets manager did not answer as needed")]
    Store(#[from] StoreError),
    /// The value of a version is not what the rotator needs.
    #[error("the value of {label} cannot be used")]
    Document {
        /// Which version.
        label: Label,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// The target could not be asked or changed.
    #[error("the target did not answer as needed")]
    Rotator(#[from] RotatorError),
    /// Too soon after the last rotation.
    #[error("the current version is too young: readers may still hold the one before; try again after {}", unix(*.not_before))]
    TooSoon {
        /// From then on it may run.
        not_before: SystemTime,
    },
    /// The rotator wants to change a key that its profile does not name.
    #[error(
        "the rotator changed `{key}`, which its profile does not name; report this to its author"
    )]
    ForbiddenChange {
        /// The key; empty for a whole value.
        key: String,
    },
    /// The rotator made the value that is current already.
    #[error("the new value is the same as the current one; report this to the rotator's author")]
    Unchanged,
    /// Another invocation has begun to make a value, and may still be at it.
    #[error(
        "another invocation has begun to make a value; the target was not asked; try again after {}",
        unix(*.until)
    )]
    AnotherInvocation {
        /// From then on it is over, one way or another.
        until: SystemTime,
    },
    /// Making a value was begun and did not come to its end, and the profile forbids another try.
    #[error(
        "making a value was begun at {} and not finished, which may have used up the credential of \
         AWSCURRENT; a second try may end the grant, so a person must act: obtain a new credential at the \
         target (authorise again) and put it as AWSCURRENT, which ends this rotation",
        unix(*.since)
    )]
    Unrepeatable {
        /// When the first try began.
        since: SystemTime,
    },
    /// `createSecret` left no value.
    #[error("AWSPENDING holds no value; start the rotation again, so that createSecret makes one")]
    NoPendingValue,
    /// Pending and current value differ where they must not.
    #[error(
        "AWSPENDING and AWSCURRENT differ in {}, which a rotation must not change; remove AWSPENDING from \
         the version and rotate again", names(.keys)
    )]
    PendingAltered {
        /// Those keys.
        keys: Vec<String>,
    },
    /// The target refuses pending, current and previous value alike.
    #[error(
        "the target refuses the credentials of AWSPENDING, AWSCURRENT and AWSPREVIOUS; set AWSCURRENT to a \
         working credential (or the target's to the one in AWSCURRENT), then rotate again"
    )]
    NoneAccepted,
    /// The target accepted the pending value before, and now it does not.
    #[error(
        "the target refuses the credential of AWSPENDING; AWSCURRENT was left as it is; start the rotation \
         again, so that setSecret sets it anew"
    )]
    PendingRefused,
    /// The target will never take the new value.
    #[error(
        "the target refuses the new value by its own rules; {}", if *.discarded {
            "AWSPENDING was discarded, AWSCURRENT still works; fit the generator to those rules, then rotate again"
        } else {
            "fit the generator to those rules, remove AWSPENDING from the version, then rotate again"
        }
    )]
    ValueRefused {
        /// Whether the next rotation starts fresh.
        discarded: bool,
        /// What the target said.
        source: RotatorError,
    },
    /// The invocation ran out of time.
    #[error(
        "the function's time is up; nothing is lost, the next try goes on from here; if it happens again, \
         raise the function's timeout or find out why the target is slow"
    )]
    OutOfTime,
}

/// An error and all its causes, outermost first, joined by `: `.
///
/// ```
/// use secrets_core::rotation::{PlanError, Reason, with_causes};
///
/// let reason = Reason::from(PlanError::Deleted);
/// assert_eq!(with_causes(&reason), "the secret is scheduled for deletion; restore it to rotate it");
/// ```
pub fn with_causes(fault: &dyn std::error::Error) -> String {
    let mut message = fault.to_string();
    let mut cause = fault.source();
    while let Some(fault) = cause {
        message.push_str(": ");
        message.push_str(&fault.to_string());
        cause = fault.source();
    }
    message
}

/// Seconds since 1970, as every tool understands them.
pub(super) fn unix(at: SystemTime) -> String {
    let seconds = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    format!("unix time {seconds}")
}

fn names(keys: &[String]) -> String {
    if keys.iter().any(String::is_empty) {
        return "form".to_owned();
    }
    keys.iter()
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Nobody: trying again may do.
    Retry,
    /// Whoever keeps the secret's value or its rotation.
    FixSecret,
    /// Whoever keeps the target.
    FixTarget,
    /// Whoever keeps the function's role and keys.
    FixPermissions,
    /// Whoever keeps the function's settings.
    FixConfiguration,
    /// The author of the rotator.
    Report,
}

impl Advice {
    /// A word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::FixSecret => "fix_secret",
            Self::FixTarget => "fix_target",
            Self::FixPermissions => "fix_permissions",
            Self::FixConfiguration => "fix_configuration",
            Self::Report => "report",
        }
    }
}

impl Reason {
    pub(super) fn document(label: Label, source: DocumentError) -> Self {
        Self::Document { label, source }
    }

    /// What this is called, who must act, and how.
    pub fn error_type(&self) -> &'static ErrorType {
        match self {
            Self::Plan(PlanError::Deleted) => &catalogue::SECRET_DELETED,
            Self::Plan(PlanError::RotationDisabled) => &catalogue::ROTATION_DISABLED,
            Self::Plan(PlanError::NoCurrent) => &catalogue::NO_CURRENT,
            Self::Plan(PlanError::ForeignPending { .. }) => &catalogue::FOREIGN_PENDING,
            Self::Plan(PlanError::NotStaged) => &catalogue::NOT_STAGED,
            Self::Plan(PlanError::UnknownVersion) => &catalogue::UNKNOWN_VERSION,
            Self::Store(fault) => match fault.kind {
                StoreErrorKind::NotFound => &catalogue::STORE_NOT_FOUND,
                StoreErrorKind::Conflict => &catalogue::STORE_CONFLICT,
                StoreErrorKind::Throttled => &catalogue::STORE_THROTTLED,
                StoreErrorKind::Denied => &catalogue::STORE_DENIED,
                StoreErrorKind::Unavailable => &catalogue::STORE_UNAVAILABLE,
                StoreErrorKind::Invalid => &catalogue::STORE_REFUSED,
                StoreErrorKind::Key => &catalogue::STORE_KEY,
            },
            Self::Document { .. } => &catalogue::INVALID_SECRET,
            Self::Rotator(fault) => match fault.kind() {
                RotatorErrorKind::Unreachable => &catalogue::TARGET_UNREACHABLE,
                RotatorErrorKind::Tls => &catalogue::TARGET_TLS,
                RotatorErrorKind::Refused => &catalogue::TARGET_REFUSED,
                RotatorErrorKind::RejectedByTarget => &catalogue::TARGET_REJECTED_VALUE,
                RotatorErrorKind::Misconfigured => &catalogue::MISCONFIGURED,
            },
            Self::TooSoon { .. } => &catalogue::TOO_SOON,
            Self::ForbiddenChange { .. } => &catalogue::FORBIDDEN_CHANGE,
            Self::Unchanged => &catalogue::UNCHANGED,
            Self::AnotherInvocation { .. } => &catalogue::ANOTHER_INVOCATION,
            Self::Unrepeatable { .. } => &catalogue::UNREPEATABLE,
            Self::NoPendingValue => &catalogue::NO_PENDING_VALUE,
            Self::PendingAltered { .. } => &catalogue::PENDING_ALTERED,
            Self::NoneAccepted => &catalogue::NONE_ACCEPTED,
            Self::PendingRefused => &catalogue::PENDING_REFUSED,
            Self::ValueRefused { .. } => &catalogue::TARGET_REJECTED_VALUE,
            Self::OutOfTime => &catalogue::OUT_OF_TIME,
        }
    }

    /// A stable name: alarms and tools may rely on it.
    pub fn code(&self) -> &'static str {
        self.error_type().code
    }

    /// Who must act.
    pub fn advice(&self) -> Advice {
        self.error_type().advice
    }
}

/// A step that did not come to its end. Trying again is always safe.
///
/// Display names the step and what stood in the way; the cause behind it is its `source()`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RotationError {
    /// The step.
    pub step: Step,
    /// The secret.
    pub secret: SecretId,
    /// The version that was to be published.
    pub version: VersionId,
    /// What stood in the way.
    pub reason: Reason,
}

impl RotationError {
    /// What stood in the way of that step.
    pub fn new(step: Step, secret: SecretId, version: VersionId, reason: Reason) -> Self {
        Self {
            step,
            secret,
            version,
            reason,
        }
    }

    /// A stable name; becomes the error type that Lambda reports.
    pub fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// Who must act.
    pub fn advice(&self) -> Advice {
        self.reason.advice()
    }
}

impl fmt::Display for RotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}`: {}", self.step, self.secret, self.reason)
    }
}

impl std::error::Error for RotationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The reason is part of the text above; what follows is its cause.
        std::error::Error::source(&self.reason)
    }
}
