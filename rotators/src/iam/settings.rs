//! What does not come from the secret.

use std::time::Duration;

use secrets_core::store::aws::AwsSettings;

use crate::aws::ServiceUrl;

/// Who makes and deletes the keys, where the secret names nobody (`masterarn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManagedBy {
    /// The role that the rotator runs as.
    Role,
    /// The user itself, with its current key.
    User,
}

/// When a key that is not the current one any more is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retire {
    /// To make room for the next one: readers of `AWSPREVIOUS` can use it until the next rotation.
    NextRotation,
    /// As soon as the new one is published: readers must not keep an older value.
    AfterPromotion,
}

/// How a rotation of access keys goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IamSettings {
    /// The region, which decides on the partition too, and the credentials of the role. Its `endpoint` is
    /// that of Secrets Manager, and not used here.
    pub aws: AwsSettings,
    /// Default: the role.
    pub managed_by: ManagedBy,
    /// Default: with the next rotation.
    pub retire: Retire,
    /// How long a new key may be refused: IAM's changes take seconds to be known everywhere. Default: 30 s,
    /// and never more than three quarters of what is left of the step.
    pub propagation: Duration,
    /// How long one request may take. Default: 10 s.
    pub timeout: Duration,
    /// Another address of IAM than the partition's own.
    pub iam_url: Option<ServiceUrl>,
    /// Another address of STS than the region's own: a VPC endpoint.
    pub sts_url: Option<ServiceUrl>,
}

impl IamSettings {
    /// The defaults.
    ///
    /// ```
    /// use rotators::iam::{IamSettings, ManagedBy};
    /// use secrets_core::store::aws::AwsSettings;
    ///
    /// let role = AwsSettings {
    ///     region: "eu-west-1".into(),
    ///     access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
    ///     secret_access_key: "of the function's environment".into(),
    ///     session_token: Some("of the function's environment".into()),
    ///     endpoint: None,
    /// };
    /// assert_eq!(IamSettings::new(role).managed_by, ManagedBy::Role);
    /// ```
    pub fn new(aws: AwsSettings) -> Self {
        Self {
            aws,
            managed_by: ManagedBy::Role,
            retire: Retire::NextRotation,
            propagation: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            iam_url: None,
            sts_url: None,
        }
    }
}
