//! One token after another, from one API key or from two that take turns.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::event::SecretId;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, RotatorErrorKind,
    Verdict,
};
use secrets_core::store::{SecretReader, Version};

use super::credential::{ApiKey, BearerCredential, Fingerprint};
use super::provider::{Minted, ask, invalidate, probe};
use super::settings::{ApiKeys, BearerSettings};
use crate::second_secret::unread;

/// Rotates a bearer token.
///
/// The provider is asked first: where it hands out another token than the one to be replaced, that one was
/// invalidated by an earlier try, and is not invalidated again. So a rotation that was cut off anywhere
/// goes on from there.
///
/// With two API keys the new token comes from the key that the current one does not come from; the token
/// that is invalidated for it is the one before the current one.
///
/// ```
/// use rotators::web::Endpoint;
/// use rotators::oauth::bearer::{BearerSettings, BearerToken};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let settings = BearerSettings::new(
///     Endpoint::parse("https://api.x.com/oauth2/token")?,
///     Endpoint::parse("https://api.x.com/oauth2/invalidate_token")?,
///     Endpoint::parse("https://api.x.com/2/tweets/search/recent?query=aws")?,
/// );
/// let rotation = Rotation::new(store.clone(), BearerToken::new(store, settings));
/// # Ok::<(), rotators::web::InvalidEndpoint>(())
/// ```
pub struct BearerToken<R> {
    secrets: R,
    settings: BearerSettings,
}

impl<R: SecretReader> BearerToken<R> {
    /// A rotator with these settings; `secrets` is where the secrets of API keys are read.
    pub fn new(secrets: R, settings: BearerSettings) -> Self {
        Self { secrets, settings }
    }

    async fn api_key(&self, id: &SecretId) -> Result<ApiKey, RotatorError> {
        let read = self.secrets.get(id, &Version::CURRENT).await;
        let document = read
            .map_err(|fault| unread("the API key's secret", fault))?
            .document;
        ApiKey::try_from(&document).map_err(|fault| {
            RotatorError::misconfigured(format!("in the API key's secret (`masterarn`) {fault}"))
        })
    }

    /// A token of this key that is not `stale`; a stale one is invalidated, and no other.
    async fn next(
        &self,
        key: &ApiKey,
        stale: impl Fn(&Minted) -> bool,
        cx: &Context,
    ) -> Result<Minted, RotatorError> {
        let found = ask(&self.settings, key, cx).await?;
        if !stale(&found) {
            return Ok(found);
        }
        let refused = match invalidate(&self.settings, key, &found.token, cx).await {
            // It may be gone already, through another invocation: then there is a new one.
            Err(fault) if fault.kind() == RotatorErrorKind::Refused => Some(fault),
            other => other.map(|()| None)?,
        };
        let minted = ask(&self.settings, key, cx).await?;
        if stale(&minted) {
            if let Some(fault) = refused {
                return Err(fault);
            }
            return Err(RotatorError::unreachable(
                "the provider still hands out the token that it was told to invalidate; nothing is lost, try \
                 again later",
            ));
        }
        Ok(minted)
    }

    async fn mint_from_the_same_key(
        &self,
        current: &BearerCredential,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        let key = self.api_key(&current.master).await?;
        let old = current.token.expose_secret();
        let stale = |found: &Minted| found.token.expose_secret() == old;
        let minted = self.next(&key, stale, cx).await?;
        Ok(Patch::key("access_token", minted.token).and("token_type", minted.token_type))
    }

    async fn mint_from_the_other_key(
        &self,
        current: &BearerCredential,
        other: &SecretId,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        let key = self.api_key(other).await?;
        // A token that is unknown here was made by an earlier try, or before there was a rotation.
        let stale =
            |found: &Minted| current.superseded.as_ref() == Some(&Fingerprint::of(&found.token));
        let minted = self.next(&key, stale, cx).await?;
        if minted.token.expose_secret() == current.token.expose_secret() {
            return Err(RotatorError::misconfigured(
                "both secrets of `masterarns` lead to one token; put the key of another app into one of them",
            ));
        }
        let superseded = Fingerprint::of(&current.token);
        Ok(Patch::key("access_token", minted.token)
            .and("token_type", minted.token_type)
            .and("masterarn", other.as_str().into())
            .and("superseded_sha256", superseded.to_secret()))
    }
}

impl<R: SecretReader> Rotator for BearerToken<R> {
    type Credential = BearerCredential;

    fn profile(&self) -> Profile {
        match self.settings.api_keys {
            ApiKeys::One => Profile::new(
                Rotates::Keys(&["access_token", "token_type"]),
                Overlap::MintedInPlace,
            ),
            ApiKeys::Two => Profile::new(
                Rotates::Keys(&[
                    "access_token",
                    "token_type",
                    "masterarn",
                    "superseded_sha256",
                ]),
                Overlap::UntilNextRotation,
            )
            .holding(Live { rest: 2, peak: 2 }),
        }
    }

    async fn create(
        &self,
        current: &BearerCredential,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        match (self.settings.api_keys, &current.other) {
            (ApiKeys::One, None) => self.mint_from_the_same_key(current, cx).await,
            (ApiKeys::Two, Some(other)) => self.mint_from_the_other_key(current, other, cx).await,
            (ApiKeys::One, Some(_)) => Err(RotatorError::misconfigured(
                "the secret names two API keys (`masterarns`), and the rotator is set to one; set it to two",
            )),
            (ApiKeys::Two, None) => Err(RotatorError::misconfigured(
                "the rotator is set to two API keys; add `masterarns`, the list of their secrets, to the \
                 secret",
            )),
        }
    }

    /// A token works from the moment it is made: one that does not was invalidated since.
    async fn set(
        &self,
        _: Proven<'_, BearerCredential>,
        _: &BearerCredential,
        _: &Context,
    ) -> Result<(), RotatorError> {
        Err(RotatorError::rejected_by_target(
            "the new token was invalidated after it was made, so another one is needed",
        ))
    }

    async fn test(
        &self,
        candidate: &BearerCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        probe(&self.settings, &candidate.token, cx).await
    }
}

impl<R> fmt::Debug for BearerToken<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
