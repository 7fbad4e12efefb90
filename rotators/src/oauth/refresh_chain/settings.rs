//! What a rotation of refresh tokens can be told, apart from the secret.

use std::fmt;
use std::time::Duration;

use secrets_core::rotator::{Overlap, Repeat};

use crate::configuration::{self, Faults, Fields};
use crate::oauth::token_client::{Grant, Probe, TokenClient, TokenEndpoint};
use crate::oauth::token_secret::Interval;
use crate::propagation::Propagation;

/// Settings of [`RefreshChain`](super::RefreshChain).
///
/// ```
/// use rotators::oauth::refresh_chain::RefreshSettings;
///
/// let settings = RefreshSettings::parse(r#"{
///     "token_url": "https://login.example.com/oauth2/token",
///     "replay": {"grace_seconds": 30},
///     "test": {"url": "https://api.example.com/me"}
/// }"#);
/// assert!(settings.is_ok());
/// ```
#[derive(Clone)]
pub struct RefreshSettings {
    pub(super) tokens: TokenClient,
    pub(super) probe: Probe,
    pub(super) repeat: Repeat,
    pub(super) overlap: Overlap,
    pub(super) propagation: Propagation,
    pub(super) interval: Interval,
}

impl RefreshSettings {
    /// Reads a configuration: one JSON object, whose fields are those of `docs/oauth.md`.
    ///
    /// # Errors
    /// All faults, each with its field.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        configuration::read(text, Self::read)
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = TokenEndpoint::read(fields, [("refresh_token", Grant::RefreshToken)]);
        let repeat = replay(fields);
        let overlap = fields.choice(
            "previous_access_token",
            [
                ("works", Overlap::UntilNextRotation),
                ("stops", Overlap::MintedInPlace),
            ],
        );
        let interval = Interval::read(fields);
        let propagation = Propagation::read(fields);
        let Some(endpoint) = endpoint else {
            // What these say depends on it; their own faults show once it is there.
            for field in ["test", "introspect"] {
                fields.value(field);
            }
            return None;
        };
        Some(Self {
            probe: Probe::read(fields, &endpoint)?,
            tokens: TokenClient::new(endpoint),
            repeat,
            overlap,
            propagation,
            interval,
        })
    }
}

/// The field `replay`.
fn replay(fields: &mut Fields) -> Repeat {
    if fields.is_object("replay") {
        let grace = fields.object("replay", |replay| {
            if !replay.has("grace_seconds") {
                replay.fault("grace_seconds", "is missing");
            }
            Some(replay.number("grace_seconds", 1, 1..=86_400))
        });
        return Repeat::Within(Duration::from_secs(grace.unwrap_or(1)));
    }
    let words = [("forbidden", Repeat::Never), ("same_value", Repeat::Free)];
    fields.choice("replay", words)
}

/// A configuration may hold what is nobody's business.
impl fmt::Debug for RefreshSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshSettings")
            .field("tokens", &self.tokens)
            .field("repeat", &self.repeat)
            .finish_non_exhaustive()
    }
}
