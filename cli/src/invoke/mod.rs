//! Events for a function on this machine: a binary that is started here, or one that listens already.

mod endpoint;
mod host;

use bytes::Bytes;
use serde_json::Value;

pub(crate) use endpoint::send;
pub(crate) use host::Host;

/// How a function answered. What it said beside an error is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Failed { error_type: String, message: String },
}

impl Answer {
    /// An error report of a function, if it is one.
    fn error(body: &Bytes) -> Option<Self> {
        let report: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| report.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self::Failed {
            error_type: text("errorType")?,
            message: text("errorMessage").unwrap_or_default(),
        })
    }
}
