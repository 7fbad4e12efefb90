//! One token after another, side by side.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::TokenSettings;
use crate::oauth::token_client::RevokeWhen;
use crate::oauth::token_secret::TokenSecret;

/// Rotates tokens that a provider makes on demand.
///
/// ```
/// use rotators::oauth::tokens::{TokenSettings, Tokens};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let settings = TokenSettings::parse(r#"{
///     "token_url": "https://login.example.com/oauth2/token",
///     "test": {"url": "https://api.example.com/me"}
/// }"#)?;
/// let rotation = Rotation::new(store.clone(), Tokens::new(store, settings));
/// # Ok::<(), rotators::configuration::Faults>(())
/// ```
pub struct Tokens<R> {
    secrets: R,
    settings: TokenSettings,
}

impl<R: SecretReader> Tokens<R> {
    /// A rotator with these settings; `secrets` is where the secret that `masterarn` names is read.
    pub fn new(secrets: R, settings: TokenSettings) -> Self {
        Self { secrets, settings }
    }

    /// `client` is a secret that leads to the client's credential.
    async fn revoke(
        &self,
        token: &SecretString,
        client: &TokenSecret,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(revocation) = &self.settings.revocation else {
            return Ok(());
        };
        let client = client.client(&self.secrets).await?;
        revocation.revoke(&client, token, cx).await
    }

    fn same_again(&self) -> RotatorError {
        if self.settings.revokes() == RevokeWhen::BeforeMint {
            return RotatorError::unreachable(
                "the provider still hands out the token that it was told to revoke; nothing is lost, try again \
                 later",
            );
        }
        RotatorError::misconfigured(
            "the provider hands out the current token again, so it keeps one a client; set `revoke.when` to \
             before_mint, or use the rotator for bearer tokens",
        )
    }
}

impl<R: SecretReader> Rotator for Tokens<R> {
    type Credential = TokenSecret;

    fn profile(&self) -> Profile {
        let rotates = Rotates::Keys(&["access_token", "token_type", "expires_at"]);
        let side_by_side = Profile::new(rotates, Overlap::UntilNextRotation);
        match self.settings.revokes() {
            RevokeWhen::WhenSuperseded => side_by_side.retiring(Retirement::WhenSuperseded),
            RevokeWhen::AfterPromotion => side_by_side
                .retiring(Retirement::AfterPromotion)
                .holding(Live { rest: 1, peak: 2 }),
            RevokeWhen::BeforeMint => Profile::new(rotates, Overlap::MintedInPlace),
            RevokeWhen::Never => side_by_side,
        }
    }

    async fn create(&self, current: &TokenSecret, cx: &Context) -> Result<Patch, RotatorError> {
        let client = current.client(&self.secrets).await?;
        if let (RevokeWhen::BeforeMint, Some(token)) =
            (self.settings.revokes(), &current.access_token)
        {
            // Also where an earlier try has done it: that a token is gone is a success.
            self.revoke(token, current, cx).await?;
        }
        let minted = self.settings.tokens.mint(&client, cx).await?;
        if !minted.is_bearer() {
            return Err(RotatorError::misconfigured(
                "the provider makes tokens of another type than bearer, and no other is known here; \
                 have it make bearer tokens for this client",
            ));
        }
        let same =
            |old: &SecretString| old.expose_secret() == minted.access_token().expose_secret();
        if current.access_token.as_ref().is_some_and(same) {
            return Err(self.same_again());
        }
        if let Some(rule) = self.settings.interval.shortfall(minted.lifetime()) {
            return Err(RotatorError::misconfigured(rule));
        }
        // If it does not get stored, this is all that there is of it.
        tracing::info!(
            secret = %cx.secret(),
            token_fingerprint = %minted.fingerprint(),
            expires_at = minted.expires_at(),
            "a token was made"
        );
        Ok(current.patch(&minted))
    }

    /// A token works from the moment it is made, or soon after: one that does not was revoked since.
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
        Err(RotatorError::rejected_by_target(
            "the new token was revoked after it was made, or takes longer to work than `propagation_seconds`; \
             another one is needed",
        ))
    }

    async fn test(&self, candidate: &TokenSecret, cx: &Context) -> Result<Verdict, RotatorError> {
        candidate
            .works(&self.settings.probe, &self.secrets, cx)
            .await
    }

    async fn retire(
        &self,
        retired: &TokenSecret,
        kept: &[&TokenSecret],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(token) = &retired.access_token else {
            return Ok(());
        };
        if kept.iter().any(|kept| kept.has_token_of(retired)) {
            return Ok(());
        }
        let client = kept.last().copied().unwrap_or(retired);
        self.revoke(token, client, cx).await
    }
}

impl<R> fmt::Debug for Tokens<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
