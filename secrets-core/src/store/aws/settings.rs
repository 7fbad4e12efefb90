//! Where Secrets Manager is, who asks, and for how long.

use std::time::Duration;

use secrecy::SecretString;

/// Where Secrets Manager is and who asks.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    /// `us-east-1`.
    pub region: String,
    /// The id of the access key.
    pub access_key_id: String,
    /// The secret part of the access key.
    pub secret_access_key: SecretString,
    /// Goes with temporary credentials, such as those of a role.
    pub session_token: Option<SecretString>,
    /// Another address than the region's own: a VPC endpoint, an emulator.
    pub endpoint: Option<String>,
}

/// How long a call may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to be there. Default: 3 s.
    pub connect: Duration,
    /// For the answer to one try. Default: 5 s.
    pub attempt: Duration,
    /// For all tries of a call and the pauses between them. Default: 12 s.
    pub call: Duration,
    /// The most that is waited before the second try, at random; twice that before the third.
    /// Default: 1 s.
    pub pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(5),
            call: Duration::from_secs(12),
            pause: Duration::from_secs(1),
        }
    }
}
