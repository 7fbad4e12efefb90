//! A credential and its rotator: what has to be written for a new kind of target.

use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};

use crate::api::{Api, answer};

/// What the secret holds: `{"url": "http://lamplight.example", "key_id": "first", "key": "..."}`.
pub(crate) struct Key {
    pub(crate) url: Url,
    pub(crate) id: String,
    pub(crate) value: SecretString,
}

impl TryFrom<&SecretDocument> for Key {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let url = Url::parse(secret.text("url")?.expose_secret());
        Ok(Self {
            url: url.map_err(|_| DocumentError::WrongType {
                key: "url",
                expected: "the service's URL",
            })?,
            id: secret.text("key_id")?.expose_secret().to_owned(),
            value: secret.text("key")?,
        })
    }
}

/// Rotates the API keys of Lamplight, which keeps them under names.
pub(crate) struct Lamplight(pub(crate) Api);

impl Rotator for Lamplight {
    type Credential = Key;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["key_id", "key"]);
        Profile::new(keys, Overlap::UntilNextRotation).retiring(Retirement::WhenSuperseded)
    }

    async fn create(&self, current: &Key, cx: &Context) -> Result<Patch, RotatorError> {
        let name = cx.version().as_str();
        let body = serde_json::json!({ "name": name }).to_string();
        let request = self.0.request(Method::POST, &["keys"], current).body(body);
        let (_, made) = answer(request, &[200], cx).await?;
        let key = made.text("key");
        let key = key.map_err(|_| RotatorError::refused("the service made no key; report this"))?;
        Ok(Patch::key("key_id", name.into()).and("key", key))
    }

    async fn set(&self, _: Proven<'_, Key>, _: &Key, _: &Context) -> Result<(), RotatorError> {
        // A key works from the moment it is made, and a name that was deleted gets another key.
        let gone = "the new key was deleted at the service; rotate again";
        Err(RotatorError::rejected_by_target(gone))
    }

    async fn test(&self, candidate: &Key, cx: &Context) -> Result<Verdict, RotatorError> {
        let request = self.0.request(Method::GET, &["whoami"], candidate);
        match answer(request, &[200, 401], cx).await? {
            (StatusCode::OK, _) => Ok(Verdict::Accepted),
            _ => Ok(Verdict::Rejected),
        }
    }

    async fn retire(&self, old: &Key, kept: &[&Key], cx: &Context) -> Result<(), RotatorError> {
        if kept.iter().any(|kept| kept.id == old.id) {
            return Ok(());
        }
        let login = kept.last().copied().unwrap_or(old);
        let request = self.0.request(Method::DELETE, &["keys", &old.id], login);
        answer(request, &[204, 404], cx).await.map(drop)
    }
}
