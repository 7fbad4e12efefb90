//! Why a request to IAM or STS did not succeed, and who must act.

use std::fmt;

use secrets_core::rotator::RotatorError;

use crate::aws::{At, Failure};

/// The user whose keys are rotated, as errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    /// Known where the current key works.
    pub(super) arn: Option<String>,
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.arn {
            Some(arn) => f.write_str(arn),
            None => write!(f, "the user {}", self.name),
        }
    }
}

impl Failure {
    /// Whether the service knows no key of that id, or the secret is another: "Common errors" of the API
    /// references, where the first two codes mean the same. An inactive key is answered with the first.
    pub(super) fn refuses_the_key(&self) -> bool {
        matches!(
            self.at,
            At::Service {
                status: ..500,
                of_clocks: false,
            }
        ) && self.is(&[
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "SignatureDoesNotMatch",
        ])
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_gone(&self) -> bool {
        self.is(&["NoSuchEntity", "NoSuchEntityException"])
    }

    /// Whether the service has understood the request and not done it.
    pub(super) fn changed_nothing(&self) -> bool {
        match self.at {
            At::Building | At::Tls => true,
            At::Waiting | At::Reading => false,
            At::Service { status, .. } => status < 500,
        }
    }

    /// The error of a request for `action` (`iam:ListAccessKeys`) on `user`, signed by `signer`.
    pub(super) fn into_error(self, action: &str, signer: &str, user: &User) -> RotatorError {
        let service = action
            .split_once(':')
            .map_or(action, |(service, _)| service);
        let service = service.to_ascii_uppercase();
        let error = match self.at {
            At::Building => RotatorError::misconfigured(format!(
                "no request for {action} could be made; correct the region and the addresses of IAM and STS"
            )),
            At::Waiting => RotatorError::unreachable(format!(
                "{service} gave no answer to {action}; check the function's way out (NAT gateway, VPC \
                 endpoint, security groups), then try again"
            )),
            At::Tls => RotatorError::tls(format!(
                "the identity of {service} could not be verified; correct its address, or the proxy in \
                 between"
            )),
            At::Reading => RotatorError::unreachable(format!(
                "the answer to {action} is none of {service}'s; correct its address, or try again"
            )),
            At::Service { status, of_clocks } => {
                self.refused(action, signer, user, status, of_clocks)
            }
        };
        match self.code {
            Some(code) => error.with_code(code),
            None => error,
        }
    }

    fn refused(
        &self,
        action: &str,
        signer: &str,
        user: &User,
        status: u16,
        of_clocks: bool,
    ) -> RotatorError {
        if of_clocks {
            return RotatorError::refused(format!(
                "the clock of the rotator is not that of AWS, so {action} was refused; set the clock, then \
                 rotate again"
            ));
        }
        if self.refuses_the_key() {
            return RotatorError::refused(format!(
                "AWS refuses the credentials of {signer}; correct them, then rotate again"
            ));
        }
        if self.is_gone() {
            return RotatorError::misconfigured(format!(
                "there is no such user as {user} for {signer}; correct `user_name`, or let somebody of the \
                 user's account manage the keys"
            ));
        }
        match self.code.as_deref() {
            Some("AccessDenied" | "AccessDeniedException") => RotatorError::refused(format!(
                "{signer} may not do {action} on {user}; allow it, or end what denies it (service control \
                 policy, permissions boundary, policy of a VPC endpoint)"
            )),
            Some("LimitExceeded" | "LimitExceededException") => RotatorError::refused(format!(
                "{user} has got another access key in this moment; rotate again"
            )),
            Some("ExpiredToken" | "ExpiredTokenException") => RotatorError::refused(format!(
                "the temporary credentials of {signer} have expired; rotate again"
            )),
            // Known to pass.
            Some(
                "Throttling"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "EntityTemporarilyUnmodifiable"
                | "EntityTemporarilyUnmodifiableException"
                | "ConcurrentModification"
                | "ConcurrentModificationException",
            ) => busy(action, user),
            _ if status == 429 || status >= 500 => busy(action, user),
            _ => RotatorError::refused(format!(
                "{action} on {user} was refused with status {status}; see what the code means"
            )),
        }
    }
}

fn busy(action: &str, user: &User) -> RotatorError {
    RotatorError::unreachable(format!(
        "AWS does not do {action} on {user} at the moment; try again"
    ))
}
