//! What a command ends with.

use std::process::ExitCode;

use secrets_core::rotation::{Advice, Reason, RotationError, with_causes};
use serde_json::Value;

/// The exit codes, as `docs/cli.md` has them; 2 is a wrong command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well, or what was asked is done.
    Fine = 0,
    /// What was asked could not be done.
    Failed = 1,
    /// What was looked at needs attention.
    Attention = 3,
    /// Settings are missing or wrong.
    Settings = 4,
    /// Nothing was done: not confirmed, or not safe.
    Refused = 5,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a command has to say at its end.
#[derive(Debug)]
pub(crate) struct Report {
    /// For machines: an object, to which `command` and `ok` are added.
    pub(crate) json: Value,
    pub(crate) exit: Exit,
}

impl Report {
    pub(crate) fn fine(json: Value) -> Self {
        let exit = Exit::Fine;
        Self { json, exit }
    }

    /// The same where somebody has to look.
    pub(crate) fn attention_if(needed: bool, json: Value) -> Self {
        let exit = if needed { Exit::Attention } else { Exit::Fine };
        Self { json, exit }
    }
}

/// Why a command did not do what was asked. It holds no value of a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) advice: &'static str,
    pub(crate) exit: Exit,
    /// What was done until then, for machines: an object, or null.
    pub(crate) so_far: Value,
}

impl Failure {
    fn new(code: &str, message: impl Into<String>, advice: &'static str, exit: Exit) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            advice,
            exit,
            so_far: Value::Null,
        }
    }

    /// Settings are missing or wrong.
    pub(crate) fn settings(message: impl Into<String>) -> Self {
        let advice = Advice::FixConfiguration.as_str();
        Self::new("InvalidConfiguration", message, advice, Exit::Settings)
    }

    /// Nothing was done.
    pub(crate) fn refused(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, message, Advice::Retry.as_str(), Exit::Refused)
    }

    /// It was not possible.
    pub(crate) fn failed(code: &str, message: impl Into<String>, advice: Advice) -> Self {
        Self::new(code, message, advice.as_str(), Exit::Failed)
    }

    /// Somebody wanted it to stop.
    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        let advice = Advice::Retry.as_str();
        Self::new("Interrupted", message, advice, Exit::Interrupted)
    }

    /// The same with what was done until then.
    pub(crate) fn after(mut self, so_far: Value) -> Self {
        self.so_far = so_far;
        self
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::failed(reason.code(), with_causes(&reason), reason.advice())
    }
}

impl From<RotationError> for Failure {
    fn from(fault: RotationError) -> Self {
        Self::failed(fault.code(), with_causes(&fault), fault.advice())
    }
}
