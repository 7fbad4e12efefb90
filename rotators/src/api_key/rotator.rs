//! The four calls, whichever way new values come to be.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Profile, Proven, Rotator, RotatorError, Verdict};
use secrets_core::store::{SecretReader, Version};

use super::ApiKeyCredential;
use super::places::Values;
use super::request::Request;
use super::settings::{ApiKeySettings, Way};
use super::test::Test;
use crate::oauth::token_client::Minted;
use crate::second_secret::unread;
use crate::web::http::Reply;

/// Rotates API keys, or client secrets, of a provider whose manners are configured.
///
/// ```
/// use rotators::api_key::{ApiKey, ApiKeySettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let settings = ApiKeySettings::parse(
///     r#"{
///         "create": {
///             "url": "https://api.example.com/v1/keys",
///             "headers": {"Authorization": "Bearer {admin.api_token}"},
///             "json": {"name": "rotated {version}"},
///             "value": "/secret",
///             "id": "/id"
///         },
///         "list": {
///             "url": "https://api.example.com/v1/keys",
///             "headers": {"Authorization": "Bearer {admin.api_token}"},
///             "items": "/keys",
///             "id": "/id",
///             "name": "/name"
///         },
///         "delete": {
///             "url": "https://api.example.com/v1/keys/{retired.key_id}",
///             "headers": {"Authorization": "Bearer {admin.api_token}"}
///         },
///         "test": {
///             "url": "https://api.example.com/v1/me",
///             "headers": {"Authorization": "Bearer {candidate.api_key}"}
///         }
///     }"#,
/// )?;
/// let store = MemoryStore::new();
/// let rotation = Rotation::new(store.clone(), ApiKey::new(store, settings));
/// # Ok::<(), rotators::configuration::Faults>(())
/// ```
pub struct ApiKey<R> {
    secrets: R,
    pub(super) settings: ApiKeySettings,
}

impl<R: SecretReader> ApiKey<R> {
    /// A rotator with these settings; `secrets` is where the administrator's secret is read.
    pub fn new(secrets: R, settings: ApiKeySettings) -> Self {
        Self { secrets, settings }
    }

    /// Sends a request, filled from the administrator's secret, too, where it needs that.
    pub(super) async fn send(
        &self,
        request: &Request,
        values: Values<'_>,
        cx: &Context,
    ) -> Result<Reply, RotatorError> {
        let management = self.settings.management.as_ref();
        let management = management.filter(|_| request.needs_management_token());
        let needs_admin = request.needs_admin() || management.is_some_and(|one| one.of_admin);
        let admin = match values.secret() {
            Some(secret) if needs_admin => Some(self.admin(secret).await?),
            _ => None,
        };
        let token = match (management, admin.as_ref().or(values.secret())) {
            (Some(management), Some(client)) => {
                let minted = management.tokens.mint(&client.client(), cx).await;
                Some(minted.map_err(RotatorError::having_changed_nothing)?)
            }
            _ => None,
        };
        let values = Values {
            admin: admin.as_ref(),
            management: token.as_ref().map(Minted::access_token),
            version: cx.version().as_str(),
            ..values
        };
        request.send(&values, self.settings.timeout, cx).await
    }

    async fn admin(&self, secret: &ApiKeyCredential) -> Result<ApiKeyCredential, RotatorError> {
        let read = self.secrets.get(&secret.master()?, &Version::CURRENT).await;
        let document = read
            .map_err(|fault| unread("the administrator's secret", fault))?
            .document;
        ApiKeyCredential::try_from(&document).map_err(|fault| {
            RotatorError::misconfigured(format!(
                "in the administrator's secret (`masterarn`) {fault}"
            ))
        })
    }

    /// Whether a new value works, now or within the time that it may take.
    pub(super) async fn propagates(
        &self,
        value: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<bool, RotatorError> {
        self.settings
            .propagation
            .settles(cx, || self.test(value, cx))
            .await
    }
}

impl<R: SecretReader> Rotator for ApiKey<R> {
    type Credential = ApiKeyCredential;

    fn profile(&self) -> Profile {
        self.settings.profile()
    }

    async fn create(
        &self,
        current: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        match &self.settings.way {
            Way::Slots(slots) => self.mint(slots, current, cx).await,
            Way::Chosen(chosen) => self.choose(chosen),
            Way::InPlace(in_place) => self.mint_in_place(in_place, current, cx).await,
        }
    }

    async fn set(
        &self,
        login: Proven<'_, ApiKeyCredential>,
        pending: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let login = login.credential();
        if let Way::Chosen(chosen) = &self.settings.way {
            return self.replace(chosen, login, pending, cx).await;
        }
        // What the provider mints works from then on, or soon: else it was revoked since.
        if self.propagates(pending, cx).await? {
            return Ok(());
        }
        if let Way::Slots(slots) = &self.settings.way {
            self.give_up(slots, login, pending, cx).await?;
        }
        Err(RotatorError::rejected_by_target(
            "the new value does not work, or was revoked after it was made, so another one is needed",
        ))
    }

    async fn test(
        &self,
        candidate: &ApiKeyCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match &self.settings.test {
            Test::Mint(tokens) => tokens.accepts(&candidate.client(), cx).await,
            Test::Request(test) => {
                let values = Values {
                    candidate: Some(candidate),
                    ..Values::default()
                };
                test.verdict(&self.send(&test.request, values, cx).await?)
            }
        }
    }

    async fn retire(
        &self,
        retired: &ApiKeyCredential,
        kept: &[&ApiKeyCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        match &self.settings.way {
            Way::Slots(slots) => self.forget(slots, retired, kept, cx).await,
            _ => Ok(()),
        }
    }
}

impl<R> fmt::Debug for ApiKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
