//! What a rotation of registered clients is told, apart from the secret.

use std::fmt;
use std::time::Duration;

use crate::configuration::{self, AllowedHosts, Faults, Fields};
use crate::oauth::token_client::{Grant, TokenClient, TokenEndpoint};

/// Settings of [`Registration`](super::Registration).
///
/// ```
/// use rotators::oauth::registration::RegistrationSettings;
///
/// let settings = RegistrationSettings::parse(
///     r#"{
///         "allowed_hosts": ["login.example.com"],
///         "test": {"mint": {"token_url": "https://login.example.com/token"}}
///     }"#,
/// );
/// assert!(settings.is_ok());
/// ```
#[derive(Clone)]
pub struct RegistrationSettings {
    pub(super) tokens: TokenClient,
    pub(super) hosts: AllowedHosts,
    /// Updates replace the registration access token, too.
    pub(super) token_rotates: bool,
    /// For one request with its whole answer.
    pub(super) timeout: Duration,
}

impl RegistrationSettings {
    /// Reads a configuration: one JSON object, whose fields are those of the [module](super).
    ///
    /// # Errors
    /// All faults, each with its field.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        configuration::read(text, Self::read)
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let hosts = fields.allowed_hosts().clone();
        if !hosts.are_limited() {
            fields.fault(
                "allowed_hosts",
                "is missing: the URL of the client's record comes out of the secret",
            );
        }
        let grants = [("client_credentials", Grant::ClientCredentials)];
        let tokens = fields.required_object("test", |test| {
            let endpoint = test.required_object("mint", |mint| TokenEndpoint::read(mint, grants))?;
            if !endpoint.presents_client_secret() {
                test.fault(
                    "mint.client_authentication",
                    "must be basic, post, client_secret_jwt or a header with {client_secret}, so that it is \
                     the client secret that is tried",
                );
            }
            Some(TokenClient::new(endpoint))
        });
        let token_rotates = fields.choice(
            "registration_access_token",
            [("fixed", false), ("rotates", true)],
        );
        let timeout = Duration::from_secs(fields.number("timeout_seconds", 10, 1..=60));
        Some(Self {
            tokens: tokens?,
            hosts,
            token_rotates,
            timeout,
        })
    }
}

/// A configuration may hold what is nobody's business.
impl fmt::Debug for RegistrationSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationSettings")
            .field("tokens", &self.tokens)
            .field("token_rotates", &self.token_rotates)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_names_its_field() {
        let faults = RegistrationSettings::parse(
            r#"{
                "test": {"mint": {"token_url": "http://sentinel.example", "client_authentication": "mtls"}},
                "registration_access_token": "sentinel", "metadata": {}
            }"#,
        );
        let faults = faults.expect_err("faults").to_string();
        for fault in [
            "`allowed_hosts` is missing: ",
            "`test.mint.token_url` must be a URL that starts with https://",
            "`registration_access_token` must be fixed or rotates",
            "`metadata` is not known here",
        ] {
            assert!(faults.contains(fault), "{faults}");
        }
        assert!(!faults.contains("sentinel"), "{faults}");
        let unproven = r#"{
            "allowed_hosts": ["a.example"],
            "test": {"mint": {"token_url": "https://a.example", "client_authentication": "mtls"}}
        }"#;
        let faults = RegistrationSettings::parse(unproven).expect_err("no client secret");
        let faults = faults.to_string();
        assert!(
            faults.starts_with("`test.mint.client_authentication` must be"),
            "{faults}"
        );
    }
}
