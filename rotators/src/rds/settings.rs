//! What does not come from the secrets.

use std::time::Duration;

use secrets_core::store::aws::AwsSettings;

use crate::aws::ServiceUrl;

/// Where RDS is, and who asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RdsSettings {
    /// The region, and the credentials of the role. Its `endpoint` is that of Secrets Manager, and not
    /// used here.
    pub aws: AwsSettings,
    /// Another address of RDS than the region's own: a VPC endpoint.
    pub url: Option<ServiceUrl>,
    /// How long one question may take, with its repeats. Default: 10 s.
    pub timeout: Duration,
}

impl RdsSettings {
    /// The defaults.
    pub fn new(aws: AwsSettings) -> Self {
        Self {
            aws,
            url: None,
            timeout: Duration::from_secs(10),
        }
    }
}
