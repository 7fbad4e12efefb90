//! Where requests go.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The URL of a provider: `https`, or `http` to a loopback address.
///
/// ```
/// use rotators::web::Endpoint;
///
/// assert!(Endpoint::parse("https://api.x.com/oauth2/token").is_ok());
/// assert!(Endpoint::parse("http://127.0.0.1:8080/token").is_ok());
/// assert!(Endpoint::parse("http://api.x.com/oauth2/token").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// No URL that a secret may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a URL that starts with https://, without a user name, a password and a fragment")]
pub struct InvalidEndpoint;

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`InvalidEndpoint`]: no URL, plain `http` to another machine, a user name, password or fragment.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        let url = Url::parse(url).map_err(|_| InvalidEndpoint)?;
        let protected = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            _ => false,
        };
        let bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if protected && bare && url.has_host() {
            Ok(Self(url))
        } else {
            Err(InvalidEndpoint)
        }
    }

    /// A server's own API, unprotected where its secret says so (`"ssl": false`).
    #[cfg(feature = "rabbitmq")]
    pub(crate) fn parse_as_told(url: &str) -> Result<Self, InvalidEndpoint> {
        match Url::parse(url) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(Self(url)),
            _ => Err(InvalidEndpoint),
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The host, without its port.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Host and port, as errors name them.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }
}

/// By address and not by name: what `localhost` means is decided by the resolver.
fn is_loopback(url: &Url) -> bool {
    url.host_str()
        .map(|host| host.trim_start_matches('[').trim_end_matches(']'))
        .and_then(|host| host.parse().ok())
        .is_some_and(|address: IpAddr| address.is_loopback())
}

/// A query may hold what is nobody's business.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}{})", self.0.authority(), self.0.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_the_machine_through_https_only() {
        for good in [
            "https://api.x.com/oauth2/token",
            "HTTPS://api.x.com",
            "https://api.x.com:8443/search?query=a%20b",
            "http://127.0.0.1:1/",
            "http://127.8.9.1/",
            "http://[::1]:1/",
        ] {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "api.x.com/oauth2/token",
            "http://api.x.com/oauth2/token",
            "http://localhost/",
            "http://127.0.0.1.example/",
            "http://10.0.0.1/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "https://user@api.x.com/",
            "https://user:password@api.x.com/",
            "https://api.x.com/#part",
        ] {
            assert_eq!(Endpoint::parse(bad), Err(InvalidEndpoint), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_query() {
        let endpoint = Endpoint::parse("https://api.x.com/a?key=sentinel").expect("a URL");
        assert_eq!(format!("{endpoint:?}"), "Endpoint(api.x.com/a)");
    }
}
