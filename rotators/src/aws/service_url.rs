//! Where a service is.

use std::fmt;
use std::net::IpAddr;

/// The address of one of AWS's services: `https`, or `http` to a loopback address.
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

/// No address that what a rotator sends and gets may take.
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

    pub(crate) fn as_str(&self) -> &str {
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
    fn other_machines_are_reached_through_https_only() {
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
