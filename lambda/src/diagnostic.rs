//! Errors as Lambda reports them: a stable type, and the whole chain of causes as one line.

use lambda_runtime::Diagnostic;
use secrets_core::event::EventError;
use secrets_core::rotation::{Advice, RotationError, with_causes};

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
    /// The step did not come to its end.
    #[error(transparent)]
    Rotation(#[from] Box<RotationError>),
}

impl StepError {
    /// A stable name: alarms may rely on it.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Event(_) => "InvalidEvent",
            Self::Configuration(_) => "InvalidConfiguration",
            Self::Rotation(fault) => fault.code(),
        }
    }

    /// Who must act.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Event(_) => Advice::FixSecret,
            Self::Configuration(_) => Advice::FixConfiguration,
            Self::Rotation(fault) => fault.advice(),
        }
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
