//! What does not come from the secret.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use secrets_core::store::aws::AwsSettings;

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

/// The address of a service: `https`, or `http` to a loopback address. New keys come back from it.
///
/// ```
/// use rotators::iam::ServiceUrl;
///
/// assert!(ServiceUrl::parse("https://vpce-0a-sts.eu-west-1.vpce.amazonaws.com").is_ok());
/// assert!(ServiceUrl::parse("http://127.0.0.1:5000").is_ok());
/// assert!(ServiceUrl::parse("http://iam.example").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

/// No address that new keys may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a URL that starts with https://, with a host and nothing else but a port and a path"
)]
pub struct InvalidServiceUrl;

impl ServiceUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`InvalidServiceUrl`]: no URL, plain `http` to another machine, a user name, query or fragment.
    pub fn parse(url: &str) -> Result<Self, InvalidServiceUrl> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidServiceUrl)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => authority,
        };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback = |address: &str| address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let protected = match scheme {
            "https" => true,
            "http" => is_loopback(address),
            _ => false,
        };
        let plain = rest
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"@?#\\".contains(&byte));
        if protected && plain && !host.is_empty() {
            Ok(Self(url.trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidServiceUrl)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceUrl({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_through_https_only() {
        for good in [
            "https://iam.amazonaws.com",
            "https://sts.eu-west-1.amazonaws.com:8443/",
            "http://127.0.0.1:1",
            "http://[::1]:1/",
        ] {
            assert!(ServiceUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "iam.amazonaws.com",
            "http://iam.amazonaws.com",
            "http://localhost:1",
            "http://127.0.0.1.example",
            "http://127.0.0.1@iam.example",
            "http://127.0.0.1\\@iam.example",
            "https://",
            "https://user:word@iam.example",
            "https://iam.example/?a=b",
            "ftp://127.0.0.1",
        ] {
            assert_eq!(ServiceUrl::parse(bad), Err(InvalidServiceUrl), "{bad}");
        }
    }
}
