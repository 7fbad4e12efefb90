//! The secret that another one names as its `masterarn`.

use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::super::{Reason, Rotation};
use super::look::in_time;
use super::{Finding, Standing};
use crate::document::SecretDocument;
use crate::event::SecretId;
use crate::rotator::{Rotator, RotatorErrorKind};
use crate::store::{SecretStore, Version};

/// The keys of a login, in the secrets of databases.
const LOGIN: [&str; 2] = ["username", "password"];

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// The secret that AWS's functions call `masterarn`: whether it can be read, and, where it holds a login
    /// of the same kind, whether the target accepts it. A rotator reads it only when it needs it, so that a
    /// missing right shows up late.
    pub(super) async fn second_secret(
        &self,
        secret: &SecretId,
        current: &SecretDocument,
        deadline: Instant,
    ) -> Option<Finding> {
        let named = current.optional_text("masterarn").ok()??;
        let named = SecretId::from(named.expose_secret());
        let unusable = |reason| Finding::SecondSecretUnusable {
            secret: named.clone(),
            reason,
        };
        let read = in_time(deadline, self.store.get(&named, &Version::CURRENT)).await;
        let version = match read {
            Ok(version) => version,
            Err(reason) => return Some(unusable(reason)),
        };
        let has_login = |it: &SecretDocument| LOGIN.iter().all(|key| it.text(key).is_ok());
        if !has_login(&version.document) || !has_login(current) {
            return None;
        }
        let login = current.with_keys_from(&version.document, &LOGIN);
        // Where such a document is no credential of this rotator, there is nothing to present.
        let login = R::Credential::try_from(&login).ok()?;
        match self.ask(secret, version.id, &login, deadline).await {
            Standing::Rejected => Some(Finding::SecondSecretRefused(named)),
            Standing::Failed(Reason::Rotator(fault))
                if fault.kind() == RotatorErrorKind::Refused =>
            {
                Some(unusable(fault.into()))
            }
            _ => None,
        }
    }
}
