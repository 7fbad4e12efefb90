//! How an invocation ended.

use std::process::ExitStatus;

use bytes::Bytes;
use serde_json::Value;

/// How an invocation ended.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// The function answered.
    Response(Bytes),
    /// The function reported an error.
    Error {
        /// `errorType` of the report; empty if there is none.
        error_type: String,
        /// `errorMessage` of the report; empty if there is none.
        error_message: String,
        /// The whole report.
        raw: Bytes,
    },
    /// The process ended before it answered.
    Crashed {
        /// With which status, or by which signal.
        status: ExitStatus,
    },
    /// No answer in time; the process was killed.
    TimedOut,
}

impl Invocation {
    /// The answer's JSON.
    ///
    /// # Panics
    /// If the invocation ended otherwise, or the answer is not JSON.
    pub fn response(&self) -> Value {
        let Self::Response(bytes) = self else {
            panic!("expected a response, got {self:?}");
        };
        serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
    }

    /// The type and the message of the reported error.
    ///
    /// # Panics
    /// If the invocation ended otherwise.
    pub fn error(&self) -> (&str, &str) {
        let Self::Error {
            error_type,
            error_message,
            ..
        } = self
        else {
            panic!("expected an error, got {self:?}");
        };
        (error_type, error_message)
    }

    /// Whether the function answered.
    pub fn is_response(&self) -> bool {
        matches!(self, Self::Response(_))
    }

    /// Whether the process ended before it answered.
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Crashed { .. })
    }

    pub(super) fn from_error_report(raw: Bytes) -> Self {
        let report: Value = serde_json::from_slice(&raw).unwrap_or_default();
        let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
        Self::Error {
            error_type: text("errorType"),
            error_message: text("errorMessage"),
            raw,
        }
    }

    pub(super) fn ends_process(&self) -> bool {
        matches!(self, Self::Crashed { .. } | Self::TimedOut)
    }
}
