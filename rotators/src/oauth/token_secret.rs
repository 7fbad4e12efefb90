//! A secret that holds tokens, and where the credential of their client is.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use secrets_core::store::{SecretReader, Version};

use super::token_client::{ClientCredential, Minted, Probe, fits_a_header, is_bearer};
use crate::configuration::Fields;
use crate::second_secret::unread;

/// What a secret with tokens says.
///
/// | key | meaning |
/// |---|---|
/// | `access_token` | what applications use; a secret that never rotated may be without |
/// | `token_type` | `Bearer`, in the provider's letters |
/// | `expires_at` | seconds since 1970, if the provider says; empty if it said so once and does not any more |
/// | `refresh_token` | what the next token is exchanged for, in a chain |
/// | `masterarn` | the secret with the client's credential; without it, that is in this one |
pub struct TokenSecret {
    pub(super) access_token: Option<SecretString>,
    pub(super) token_type: Option<SecretString>,
    pub(super) refresh_token: Option<SecretString>,
    master: Option<SecretId>,
    document: SecretDocument,
}

impl TryFrom<&SecretDocument> for TokenSecret {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let access_token = secret.optional_text("access_token")?;
        if !access_token.as_ref().is_none_or(fits_a_header) {
            return Err(DocumentError::WrongType {
                key: "access_token",
                expected: "visible ASCII characters without a space",
            });
        }
        let master = secret.optional_text("masterarn")?;
        Ok(Self {
            access_token,
            token_type: secret.optional_text("token_type")?,
            refresh_token: secret.optional_text("refresh_token")?,
            master: master.map(|id| SecretId::from(id.expose_secret())),
            document: secret.clone(),
        })
    }
}

impl TokenSecret {
    /// The credential of the client, from this secret or the one that it names.
    pub(super) async fn client(
        &self,
        secrets: &impl SecretReader,
    ) -> Result<ClientCredential, RotatorError> {
        let Some(master) = &self.master else {
            return Ok(ClientCredential::new(&self.document));
        };
        let read = secrets.get(master, &Version::CURRENT).await;
        let read = read.map_err(|fault| unread("the client's secret", fault))?;
        let place = "the client's secret (`masterarn`)";
        Ok(ClientCredential::at(&read.document, place))
    }

    /// Whether the provider accepts this token.
    pub(super) async fn works(
        &self,
        probe: &Probe,
        secrets: &impl SecretReader,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let token = self.token()?;
        let client = if probe.needs_client() {
            self.client(secrets).await?
        } else {
            ClientCredential::new(&self.document)
        };
        probe.ask(&client, token, cx).await
    }

    /// What is tried at the provider.
    fn token(&self) -> Result<&SecretString, RotatorError> {
        let token = self.access_token.as_ref().ok_or_else(|| {
            RotatorError::misconfigured(
                "the version has no `access_token`, so there is nothing to try; rotate it",
            )
        })?;
        if !is_bearer(self.token_type.as_ref()) {
            return Err(RotatorError::misconfigured(
                "`token_type` is not bearer, and no other type is known here; have the provider make bearer \
                 tokens for this client",
            ));
        }
        Ok(token)
    }

    /// Whether two secrets hold one token.
    pub(super) fn has_token_of(&self, other: &Self) -> bool {
        let text = |secret: &Self| {
            secret
                .access_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned())
        };
        text(self) == text(other)
    }

    /// The changes that store a token in this secret's place.
    pub(super) fn patch(&self, minted: &Minted) -> Patch {
        let patch = Patch::key("access_token", minted.access_token().clone())
            .and("token_type", minted.token_type());
        match minted.expires_at() {
            Some(end) => patch.and("expires_at", end.to_string().into()),
            // An end that is not this token's would mislead; a key cannot be taken away.
            None if self.document.keys().any(|key| key == "expires_at") => {
                patch.and("expires_at", "".into())
            }
            None => patch,
        }
    }
}

impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSecret")
            .field("master", &self.master)
            .finish_non_exhaustive()
    }
}

/// The field `rotation_interval_hours`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval(u64);

impl Interval {
    pub(super) fn read(fields: &mut Fields) -> Self {
        // The service's least is 4 hours, its most 1000 days.
        Self(fields.number("rotation_interval_hours", 4, 4..=24_000))
    }

    /// How a lifetime falls short: a token should live for two intervals, as one rotation may fail and
    /// readers cache.
    pub(super) fn shortfall(self, lifetime: Option<Duration>) -> Option<String> {
        let lifetime = lifetime.filter(|lifetime| *lifetime < Duration::from_hours(2 * self.0))?;
        Some(format!(
            "the token lives for {} seconds, which is less than twice the rotation interval of {} hours \
             (`rotation_interval_hours`); have the provider make tokens that live longer, rotate more often, \
             or let applications ask for such tokens themselves and cache them",
            lifetime.as_secs(),
            self.0
        ))
    }
}
