//! Why a request to IAM or STS did not succeed, and who must act.

use std::error::Error;
use std::fmt;
use std::io;

use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use secrets_core::rotator::RotatorError;

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

/// What came instead of the answer. It holds the code of the service and nothing else of its words.
#[derive(Debug)]
pub(super) struct Failure {
    at: At,
    code: Option<String>,
}

#[derive(Debug)]
enum At {
    /// It did not get out.
    Building,
    /// No answer: a time-out, or a connection that was refused or broken.
    Waiting,
    /// The other side is not who it should be.
    Tls,
    /// An answer that makes no sense.
    Reading,
    /// An error of the service.
    Service {
        status: u16,
        /// The signature is right, but not for this time.
        of_clocks: bool,
    },
}

impl Failure {
    pub(super) fn time_out() -> Self {
        Self {
            at: At::Waiting,
            code: None,
        }
    }

    pub(super) fn of<E>(fault: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let at = match fault {
            SdkError::ConstructionFailure(_) => At::Building,
            SdkError::DispatchFailure(_) if is_of_tls(fault) => At::Tls,
            SdkError::ServiceError(error) if error.raw().status().is_success() => At::Reading,
            SdkError::ServiceError(error) => At::Service {
                status: error.raw().status().as_u16(),
                of_clocks: is_of_clocks(error.err().code(), error.err().message()),
            },
            SdkError::ResponseError(_) => At::Reading,
            // A time-out, a broken connection.
            _ => At::Waiting,
        };
        // What is no plain word is none of the service's codes.
        let word =
            |code: &&str| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let code = fault.code().filter(word).map(str::to_owned);
        Self { at, code }
    }

    fn is(&self, codes: &[&str]) -> bool {
        self.code
            .as_deref()
            .is_some_and(|code| codes.contains(&code))
    }

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

/// A signature that is too old or too new has the code of one that is wrong, and says so in words only.
fn is_of_clocks(code: Option<&str>, message: Option<&str>) -> bool {
    match (code, message) {
        (Some("RequestExpired"), _) => true,
        (Some("SignatureDoesNotMatch"), Some(words)) => {
            words.contains("Signature expired") || words.contains("Signature not yet current")
        }
        _ => false,
    }
}

/// Connectors wrap errors in I/O errors, whose source is not what they hold but the source of that.
fn is_of_tls(fault: &(dyn Error + 'static)) -> bool {
    let held = fault
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    fault.is::<rustls::Error>()
        || held.is_some_and(|held| is_of_tls(held))
        || fault.source().is_some_and(is_of_tls)
}
