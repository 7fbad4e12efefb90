//! What a rotation of tokens can be told, apart from the secret.

use std::fmt;

use crate::configuration::{self, Faults, Fields};
use crate::oauth::token_client::{
    Grant, Probe, Revocation, RevokeWhen, TokenClient, TokenEndpoint,
};
use crate::oauth::token_secret::Interval;
use crate::propagation::Propagation;

/// Settings of [`Tokens`](super::Tokens).
///
/// ```
/// use rotators::oauth::tokens::TokenSettings;
///
/// let settings = TokenSettings::parse(r#"{
///     "token_url": "https://login.example.com/oauth2/token",
///     "scope": "reports.read",
///     "revoke": {"url": "https://login.example.com/oauth2/revoke"},
///     "test": {"url": "https://api.example.com/me"}
/// }"#);
/// assert!(settings.is_ok());
/// ```
#[derive(Clone)]
pub struct TokenSettings {
    pub(super) tokens: TokenClient,
    pub(super) probe: Probe,
    pub(super) revocation: Option<Revocation>,
    pub(super) propagation: Propagation,
    pub(super) interval: Interval,
}

impl TokenSettings {
    /// Reads a configuration: one JSON object, whose fields are those of `docs/oauth.md`.
    ///
    /// # Errors
    /// All faults, each with its field.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        configuration::read(text, Self::read)
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let grants = [
            ("client_credentials", Grant::ClientCredentials),
            ("jwt_bearer", Grant::JwtBearer),
        ];
        let endpoint = TokenEndpoint::read(fields, grants);
        let interval = Interval::read(fields);
        let propagation = Propagation::read(fields);
        let Some(endpoint) = endpoint else {
            // What these say depends on it; their own faults show once it is there.
            for field in ["test", "introspect", "revoke"] {
                fields.value(field);
            }
            return None;
        };
        let probe = Probe::read(fields, &endpoint);
        let revocation = fields.object("revoke", |inner| Revocation::read(inner, &endpoint));
        Some(Self {
            tokens: TokenClient::new(endpoint),
            probe: probe?,
            revocation,
            propagation,
            interval,
        })
    }

    pub(super) fn revokes(&self) -> RevokeWhen {
        let when = self.revocation.as_ref().map(|revocation| revocation.when);
        when.unwrap_or(RevokeWhen::Never)
    }
}

/// A configuration may hold what is nobody's business.
impl fmt::Debug for TokenSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSettings")
            .field("tokens", &self.tokens)
            .field("revokes", &self.revokes())
            .finish_non_exhaustive()
    }
}
