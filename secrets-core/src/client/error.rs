//! Why a secret could not be read, and whether waiting helps.

use std::sync::Arc;
use std::time::Duration;

use crate::document::DocumentError;
use crate::event::SecretId;
use crate::store::{StoreError, StoreErrorKind};

/// What the store said: operation, secret, code, request id; never a request or a reply.
pub type Fault = Arc<StoreError>;

/// Why a secret could not be read. It never holds a value, and is cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No such secret or version.
    #[error(transparent)]
    ResourceNotFound(Fault),
    /// Refused as things stand: above all, the secret is scheduled for deletion.
    #[error(transparent)]
    InvalidRequest(Fault),
    /// The request makes no sense to the service, such as an id that cannot be one.
    #[error(transparent)]
    InvalidParameter(Fault),
    /// The caller may not read it.
    #[error(transparent)]
    AccessDenied(Fault),
    /// The caller's credentials have expired, or its clock is wrong: they can be renewed.
    #[error(transparent)]
    CredentialsExpired(Fault),
    /// The KMS key of the secret cannot be used.
    #[error(transparent)]
    DecryptionFailure(Fault),
    /// Asked too often.
    #[error(transparent)]
    Throttled(Fault),
    /// The service failed, or gave no usable answer.
    #[error(transparent)]
    Unavailable(Fault),
    /// There was no answer in time.
    #[error(
        "no answer about `{secret}` within {after:?}; in a VPC, check that it has an endpoint for Secrets Manager"
    )]
    TimedOut {
        /// The secret that was asked for.
        secret: SecretId,
        /// How long was waited.
        after: Duration,
    },
    /// There is a value, but nobody could confirm it for longer than `max_stale` allows.
    #[error(
        "the value of `{secret}` was last confirmed {} s ago, which is more than max_stale allows; its source says what is wrong",
        age.as_secs()
    )]
    Stale {
        /// The secret.
        secret: SecretId,
        /// When it was last confirmed.
        age: Duration,
        /// The last failure to confirm it; none while the first try is under way.
        #[source]
        cause: Option<Arc<ClientError>>,
    },
    /// The value is not what the caller needs.
    #[error("{}{fault}", of(secret.as_ref()))]
    Document {
        /// The secret; none where `?` has made this of a [`DocumentError`], which knows of none.
        secret: Option<SecretId>,
        /// What is wrong with its value.
        fault: DocumentError,
    },
    /// A secret that the configuration did not ask for.
    #[error("`{secret}` is not among the secrets that were loaded; name it in the call of `load`")]
    NotLoaded {
        /// The secret.
        secret: SecretId,
    },
    /// The target has refused every version that may be in use.
    #[error(
        "the target refused every version of `{secret}` that may be in use; compare the secret with the target"
    )]
    Refused {
        /// The secret.
        secret: SecretId,
    },
    /// The runtime that was to ask is gone, or there never was one.
    #[error("nobody could ask for `{secret}`: call within a tokio runtime that has time enabled")]
    Interrupted {
        /// The secret.
        secret: SecretId,
    },
}

impl ClientError {
    /// Whether the same call may succeed later without anybody acting.
    ///
    /// The client goes on serving a value that it holds through such a failure, and drops it on any other.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::CredentialsExpired(_)
            | Self::Throttled(_)
            | Self::Unavailable(_)
            | Self::TimedOut { .. }
            | Self::Stale { .. }
            | Self::Refused { .. }
            | Self::Interrupted { .. } => true,
            Self::ResourceNotFound(_)
            | Self::InvalidRequest(_)
            | Self::InvalidParameter(_)
            | Self::AccessDenied(_)
            | Self::DecryptionFailure(_)
            | Self::NotLoaded { .. }
            | Self::Document { .. } => false,
        }
    }

    /// What the store said, where it said something.
    pub fn fault(&self) -> Option<&StoreError> {
        match self {
            Self::ResourceNotFound(fault)
            | Self::InvalidRequest(fault)
            | Self::InvalidParameter(fault)
            | Self::AccessDenied(fault)
            | Self::CredentialsExpired(fault)
            | Self::DecryptionFailure(fault)
            | Self::Throttled(fault)
            | Self::Unavailable(fault) => Some(fault),
            Self::Stale { cause, .. } => cause.as_ref().and_then(|cause| cause.fault()),
            _ => None,
        }
    }

    /// The value of this secret does not fit.
    pub(super) fn unfit(secret: &SecretId) -> impl Fn(DocumentError) -> Self {
        move |fault| Self::Document {
            secret: Some(secret.clone()),
            fault,
        }
    }
}

/// How a message begins that is about this secret.
fn of(secret: Option<&SecretId>) -> String {
    secret.map_or_else(String::new, |secret| format!("value of `{secret}`: "))
}

impl From<DocumentError> for ClientError {
    fn from(fault: DocumentError) -> Self {
        Self::Document {
            secret: None,
            fault,
        }
    }
}

impl From<StoreError> for ClientError {
    fn from(fault: StoreError) -> Self {
        let code = fault.code.as_deref().unwrap_or_default();
        // Signatures that are too old or do not fit: new credentials or a right clock mend that.
        let expired = code.contains("Expired") || code.contains("Signature");
        let kind = match fault.kind {
            StoreErrorKind::NotFound => Self::ResourceNotFound,
            StoreErrorKind::Invalid if code == "InvalidParameterException" => {
                Self::InvalidParameter
            }
            StoreErrorKind::Invalid => Self::InvalidRequest,
            StoreErrorKind::Denied if expired => Self::CredentialsExpired,
            StoreErrorKind::Denied => Self::AccessDenied,
            StoreErrorKind::Key => Self::DecryptionFailure,
            StoreErrorKind::Throttled => Self::Throttled,
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => Self::Unavailable,
        };
        kind(Arc::new(fault))
    }
}
