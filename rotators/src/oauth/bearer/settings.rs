//! What a rotation of bearer tokens can be told, apart from the secret.

use std::time::Duration;

use crate::web::Endpoint;

/// How many API keys a token can come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKeys {
    /// One, in `masterarn`: `AWSCURRENT` does not work from `createSecret` to `finishSecret`.
    #[default]
    One,
    /// Two, in `masterarns`, which take turns. `AWSCURRENT` always works; what was `AWSPREVIOUS` stops
    /// working when the next rotation begins.
    Two,
}

/// How the request that invalidates a token is authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invalidation {
    /// HTTP Basic, with the API key.
    #[default]
    Basic,
    /// OAuth 1.0a, HMAC-SHA1 (RFC 5849), signed for the app's owner: `owner_token` and
    /// `owner_token_secret` in the secret of the API key.
    OwnerSignature,
}

/// Settings of [`BearerToken`](super::BearerToken).
///
/// ```
/// use rotators::web::Endpoint;
/// use rotators::oauth::bearer::{ApiKeys, BearerSettings};
///
/// let mut settings = BearerSettings::new(
///     Endpoint::parse("https://api.x.com/oauth2/token")?,
///     Endpoint::parse("https://api.x.com/oauth2/invalidate_token")?,
///     Endpoint::parse("https://api.x.com/2/tweets/search/recent?query=aws")?,
/// );
/// settings.api_keys = ApiKeys::Two;
/// # Ok::<(), rotators::web::InvalidEndpoint>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BearerSettings {
    /// Where tokens come from.
    pub token_url: Endpoint,
    /// Where tokens are invalidated.
    pub invalidate_url: Endpoint,
    /// What a token is tried on, with GET.
    pub test_url: Endpoint,
    /// The answer of `test_url` to a token that works is a JSON object with at least one of these.
    /// Default: `data`, `meta`, `statuses`.
    pub test_members: Vec<String>,
    /// How many API keys there are. Default: one.
    pub api_keys: ApiKeys,
    /// How invalidation is authenticated. Default: HTTP Basic.
    pub invalidation: Invalidation,
    /// For one request with its whole answer. No request outlives its rotation step. Default 10 s.
    pub timeout: Duration,
}

impl BearerSettings {
    /// Default settings with these URLs.
    pub fn new(token_url: Endpoint, invalidate_url: Endpoint, test_url: Endpoint) -> Self {
        Self {
            token_url,
            invalidate_url,
            test_url,
            test_members: ["data", "meta", "statuses"].map(str::to_owned).into(),
            api_keys: ApiKeys::default(),
            invalidation: Invalidation::default(),
            timeout: Duration::from_secs(10),
        }
    }
}
