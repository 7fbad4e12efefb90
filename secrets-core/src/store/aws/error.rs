//! What the SDK's errors mean.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::RequestId;

use crate::event::SecretId;
use crate::store::{StoreError, StoreErrorKind};

/// Takes code and request id out of the SDK's error, and nothing else: it holds the raw reply.
pub(super) fn error<E: ProvideErrorMetadata>(
    operation: &'static str,
    id: &SecretId,
    fault: &SdkError<E>,
) -> StoreError {
    let code = fault.code().map(str::to_owned);
    let kind = match (fault, fault.code()) {
        (SdkError::ConstructionFailure(_), _) => StoreErrorKind::Denied,
        (SdkError::ServiceError(_), Some(code)) => kind(code),
        // A time-out, a broken connection, or a reply that is none of the service's.
        _ => StoreErrorKind::Unavailable,
    };
    let status = fault.raw_response().map(|reply| reply.status().as_u16());
    let kind = match (kind, status) {
        (StoreErrorKind::Invalid, Some(500..)) => StoreErrorKind::Unavailable,
        (StoreErrorKind::Invalid, Some(429)) => StoreErrorKind::Throttled,
        (kind, _) => kind,
    };
    StoreError::new(kind, operation, id)
        .with_code(code)
        .with_request_id(fault.request_id().map(str::to_owned))
}

/// The service's error codes: API reference, "Errors" of each action, and "Common Errors".
pub(super) fn kind(code: &str) -> StoreErrorKind {
    match code {
        "ResourceNotFoundException" => StoreErrorKind::NotFound,
        "ResourceExistsException" => StoreErrorKind::Conflict,
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded" => StoreErrorKind::Throttled,
        "AccessDeniedException"
        | "AccessDenied"
        | "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "NotAuthorized"
        | "OptInRequired" => StoreErrorKind::Denied,
        "InternalServiceError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => StoreErrorKind::Unavailable,
        "DecryptionFailure" | "EncryptionFailure" => StoreErrorKind::Key,
        _ => StoreErrorKind::Invalid,
    }
}
