//! Why the store did not do what was asked.

use std::fmt;

use crate::event::SecretId;

/// What an error of the store means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// No such secret, no such version, or a version without a value.
    NotFound,
    /// A compare-and-swap or an idempotent write met another state than expected.
    Conflict,
    /// Asked too often; the service sends this with HTTP 400.
    Throttled,
    /// Missing right, or credentials that are wrong or have expired.
    Denied,
    /// No usable answer: time-out, network, 5xx, or a reply that cannot be read.
    Unavailable,
    /// The service refuses this request as it stands, now and later.
    Invalid,
    /// The key that protects the secret cannot be used.
    Key,
}

impl StoreErrorKind {
    /// Whether the same call may succeed later without anybody acting.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Conflict)
    }
}

/// The code of a reply that is none of the service's: a proxy's page, a reply cut short.
pub(crate) const UNREADABLE: &str = "UnreadableReply";

/// Why the store did not do what was asked. It never holds a request or a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreError {
    /// What it means.
    pub kind: StoreErrorKind,
    /// The call, in the service's words: `GetSecretValue`.
    pub operation: &'static str,
    /// The secret that was asked for.
    pub secret: SecretId,
    /// The service's error code: `ResourceNotFoundException`.
    pub code: Option<String>,
    /// What AWS support asks for.
    pub request_id: Option<String>,
}

impl StoreError {
    /// An error without code and request id.
    pub fn new(kind: StoreErrorKind, operation: &'static str, secret: &SecretId) -> Self {
        Self {
            kind,
            operation,
            secret: secret.clone(),
            code: None,
            request_id: None,
        }
    }

    /// The same with the service's error code.
    #[must_use]
    pub fn with_code(mut self, code: Option<String>) -> Self {
        self.code = code;
        self
    }

    /// The same with the service's request id.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.request_id = id;
        self
    }

    /// Whether the service itself has answered.
    fn reached(&self) -> bool {
        self.request_id.is_some() || self.code.as_deref().is_some_and(|code| code != UNREADABLE)
    }

    fn expired(&self) -> bool {
        let code = self.code.as_deref();
        code.is_some_and(|code| code.contains("Expired"))
    }

    fn remedy(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::NotFound => "not found; check the name, the region and the version",
            StoreErrorKind::Conflict => "another writer was there first; try again",
            StoreErrorKind::Throttled => "throttled; try again later",
            StoreErrorKind::Denied if self.expired() => {
                "the caller's credentials have expired; try again with new ones"
            }
            StoreErrorKind::Denied => {
                "denied; grant this action on the secret to the caller's role"
            }
            StoreErrorKind::Unavailable if self.reached() => "the service failed; try again later",
            StoreErrorKind::Unavailable => {
                "no usable answer; check the region and the network; in a VPC, that it has an endpoint for \
                 Secrets Manager and that security groups let port 443 through to it"
            }
            StoreErrorKind::Invalid => "refused by the service; the code says why",
            StoreErrorKind::Key => {
                "the KMS key of the secret cannot be used; check that it is enabled and that the \
                 caller's role may use it"
            }
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of `{}`: {}",
            self.operation,
            self.secret,
            self.remedy()
        )?;
        if let Some(code) = &self.code {
            write!(f, " (code {code})")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {}
