//! How long a server may take.

use std::time::Duration;

/// How long the server may take. No call outlives the rotation step that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For everything up to a usable session: name, connection, TLS, login. Default 5 s.
    pub login: Duration,
    /// For one statement. Default 10 s.
    pub statement: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(5),
            statement: Duration::from_secs(10),
        }
    }
}
