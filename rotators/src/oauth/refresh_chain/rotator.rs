//! One exchange a rotation.

use std::fmt;

use reqwest::StatusCode;
use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotates, Rotator, RotatorError, Verdict};
use secrets_core::store::SecretReader;

use super::RefreshSettings;
use crate::oauth::token_client::{Minted, NoToken};
use crate::oauth::token_secret::TokenSecret;

/// Rotates a refresh token and the access token that comes with it.
///
/// ```
/// use rotators::oauth::refresh_chain::{RefreshChain, RefreshSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let settings = RefreshSettings::parse(r#"{
///     "token_url": "https://login.example.com/oauth2/token",
///     "test": {"url": "https://api.example.com/me"}
/// }"#)?;
/// let rotation = Rotation::new(store.clone(), RefreshChain::new(store, settings));
/// # Ok::<(), rotators::configuration::Faults>(())
/// ```
pub struct RefreshChain<R> {
    secrets: R,
    settings: RefreshSettings,
}

impl<R: SecretReader> RefreshChain<R> {
    /// A rotator with these settings; `secrets` is where the secret that `masterarn` names is read.
    pub fn new(secrets: R, settings: RefreshSettings) -> Self {
        Self { secrets, settings }
    }

    async fn exchange(&self, current: &TokenSecret, cx: &Context) -> Result<Minted, RotatorError> {
        let Some(refresh_token) = &current.refresh_token else {
            let missing = "`refresh_token` is missing; authorise the client at the provider, and put the refresh \
                           token that comes of it into the secret";
            return Err(RotatorError::misconfigured(missing).having_changed_nothing());
        };
        let client = current.client(&self.secrets).await;
        let client = client.map_err(RotatorError::having_changed_nothing)?;
        let minted = self
            .settings
            .tokens
            .refresh(&client, refresh_token, cx)
            .await;
        minted.map_err(explain)
    }

    /// What is worth knowing of a token that is stored all the same: it is the only one.
    fn note(&self, current: &TokenSecret, minted: &Minted, cx: &Context) {
        tracing::info!(
            secret = %cx.secret(),
            token_fingerprint = %minted.fingerprint(),
            expires_at = minted.expires_at(),
            "a refresh token was exchanged"
        );
        if let Some(rule) = self.settings.interval.shortfall(minted.lifetime()) {
            tracing::warn!(secret = %cx.secret(), "{rule}");
        }
        if minted.refresh_token().is_none() && current.refresh_token.is_some() {
            tracing::debug!(secret = %cx.secret(), "the reply has no refresh token: the present one stays");
        }
    }
}

/// What an exchange that brought nothing leaves behind.
fn explain(ended: NoToken) -> RotatorError {
    match ended {
        NoToken::Refused { status, code, .. } if code.as_deref() == Some("invalid_grant") => {
            RotatorError::refused(
                "the provider does not take the refresh token any more: it expired, was revoked, or was used by \
                 somebody else; a person must authorise the client again, and put the new `refresh_token` and \
                 `access_token` into the secret as its current value",
            )
            .with_code(format!("{}/invalid_grant", status.as_u16()))
        }
        NoToken::Refused {
            fault,
            status,
            code,
        } if is_before_the_exchange(status, code.as_deref()) => fault.having_changed_nothing(),
        other => other.into_fault(),
    }
}

/// Refused because of the request or its client, so that the refresh token was not looked at or not taken.
/// A time-out of the server's (408), and all that is its own fault, says nothing.
fn is_before_the_exchange(status: StatusCode, code: Option<&str>) -> bool {
    const WORDS: [&str; 6] = [
        "invalid_request",
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
    ];
    let of_request = code.is_some_and(|code| WORDS.contains(&code));
    if status.is_success() {
        return of_request;
    }
    status.is_redirection() || (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT)
}

impl<R: SecretReader> Rotator for RefreshChain<R> {
    type Credential = TokenSecret;

    fn profile(&self) -> Profile {
        let keys = &["refresh_token", "access_token", "token_type", "expires_at"];
        Profile::new(Rotates::Keys(keys), self.settings.overlap).repeating(self.settings.repeat)
    }

    async fn create(&self, current: &TokenSecret, cx: &Context) -> Result<Patch, RotatorError> {
        let minted = self.exchange(current, cx).await?;
        self.note(current, &minted, cx);
        let patch = current.patch(&minted);
        if let Some(next) = minted.refresh_token() {
            return Ok(patch.and("refresh_token", next.clone()));
        }
        let same = |old: &secrecy::SecretString| {
            old.expose_secret() == minted.access_token().expose_secret()
        };
        if current.access_token.as_ref().is_some_and(same) {
            return Err(RotatorError::misconfigured(
                "the provider hands out the current tokens again, and new ones only near their end; there is \
                 nothing to rotate before that",
            )
            .having_changed_nothing());
        }
        Ok(patch)
    }

    /// Waits for a token that takes a while to work. It is never given up: the refresh token beside it is the
    /// only one.
    async fn set(
        &self,
        _: Proven<'_, TokenSecret>,
        pending: &TokenSecret,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let propagation = self.settings.propagation;
        if propagation.settles(cx, || self.test(pending, cx)).await? {
            return Ok(());
        }
        Err(RotatorError::refused(
            "the provider refuses the new access token, and the only refresh token that is left is beside it in \
             AWSPENDING, so that is kept; if the token takes a while to work, raise `propagation_seconds`; if the \
             grant was revoked, a person must authorise the client again and put what comes of it into the \
             secret as its current value",
        ))
    }

    async fn test(&self, candidate: &TokenSecret, cx: &Context) -> Result<Verdict, RotatorError> {
        candidate
            .works(&self.settings.probe, &self.secrets, cx)
            .await
    }
}

impl<R> fmt::Debug for RefreshChain<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshChain")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
