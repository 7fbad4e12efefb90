//! Errors as Lambda reports them: a stable type, and the whole chain of causes as one line.

use lambda_runtime::Diagnostic;
use secrets_core::event::EventError;
use secrets_core::rotation::{Advice, ERROR_TYPES, ErrorType, RotationError, with_causes};

use crate::environment::InvalidConfiguration;

/// Why an invocation did not do its step.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StepError {
    /// The event is none that a rotation function understands.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The function's settings are wrong.
    #[error(transparent)]
    Configuration(#[from] InvalidConfiguration),
    /// A deployment was tried out, and the check has found what would fail the next rotation.
    #[error("the function was tried out, and the next rotation would fail: {0}")]
    NotReady(String),
    /// The step did not come to its end.
    #[error(transparent)]
    Rotation(#[from] Box<RotationError>),
}

const INVALID_EVENT: ErrorType = ErrorType::new(
    "InvalidEvent",
    Advice::FixSecret,
    "The event is none that Secrets Manager sends: somebody else invoked the function.",
    "Invoke it through the secret's rotation (`RotateSecret`).",
);
const INVALID_CONFIGURATION: ErrorType = ErrorType::new(
    "InvalidConfiguration",
    Advice::FixConfiguration,
    "Environment variables of the function are missing or wrong; nothing was done.",
    "Correct all that the message names, and deploy again.",
);

const NOT_READY: ErrorType = ErrorType::new(
    "NotReady",
    Advice::FixConfiguration,
    "Secrets Manager tried the function after a deployment; the credential works, but the next rotation would \
     fail.",
    "Correct all that the message names. Then ask for a check: invoke the function with \
     `{\"Check\": \"<ARN of the secret>\"}`.",
);

/// All that an invocation may fail with.
pub fn error_types() -> impl Iterator<Item = &'static ErrorType> {
    [&INVALID_EVENT, &INVALID_CONFIGURATION, &NOT_READY]
        .into_iter()
        .chain(ERROR_TYPES)
}

impl StepError {
    fn kind(&self) -> &'static ErrorType {
        match self {
            Self::Event(_) => &INVALID_EVENT,
            Self::Configuration(_) => &INVALID_CONFIGURATION,
            Self::NotReady(_) => &NOT_READY,
            Self::Rotation(fault) => fault.reason.error_type(),
        }
    }

    /// A stable name: alarms may rely on it.
    pub fn error_type(&self) -> &'static str {
        self.kind().code
    }

    /// Who must act.
    pub fn advice(&self) -> Advice {
        self.kind().advice
    }

    /// The error and all its causes, outermost first, joined by `: `.
    pub fn message(&self) -> String {
        with_causes(self)
    }

    /// What Lambda is told. The runtime keeps only one line of text, so the chain goes into it.
    pub fn to_diagnostic(&self) -> Diagnostic {
        Diagnostic {
            error_type: self.error_type().to_owned(),
            error_message: self.message(),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::event::RotationEvent;

    use super::*;

    #[test]
    fn a_diagnostic_has_a_stable_type_and_says_what_to_do() {
        let fault: StepError = RotationEvent::parse("{}").expect_err("no step").into();
        assert_eq!(
            fault.to_diagnostic(),
            Diagnostic {
                error_type: "InvalidEvent".into(),
                error_message: "`Step` is missing from the event; invoke the function through a \
                                secret's rotation"
                    .into(),
            }
        );
    }
}
