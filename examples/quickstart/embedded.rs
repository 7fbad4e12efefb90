//! A target in this process, with one password; and the rotator for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rotators::password::PasswordPolicy;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};

const FIRST: &str = "correct horse battery staple";

/// Knows one password. Clones are the same target.
#[derive(Clone)]
pub(crate) struct Embedded {
    password: Arc<Mutex<SecretString>>,
    policy: PasswordPolicy,
}

impl Embedded {
    pub(crate) fn start(policy: &PasswordPolicy) -> Self {
        Self {
            password: Arc::new(Mutex::new(FIRST.into())),
            policy: policy.clone(),
        }
    }

    /// What an application is given to log in with.
    pub(crate) fn secret() -> SecretDocument {
        SecretDocument::from_text(&format!(r#"{{"username": "app", "password": "{FIRST}"}}"#))
    }

    fn password(&self) -> MutexGuard<'_, SecretString> {
        self.password.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Password(SecretString);

impl TryFrom<&SecretDocument> for Password {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        secret.text("password").map(Self)
    }
}

impl Rotator for Embedded {
    type Credential = Password;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &Password, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", self.policy.generate()?))
    }

    async fn set(
        &self,
        _: Proven<'_, Password>,
        pending: &Password,
        _: &Context,
    ) -> Result<(), RotatorError> {
        *self.password() = pending.0.clone();
        Ok(())
    }

    async fn test(&self, candidate: &Password, _: &Context) -> Result<Verdict, RotatorError> {
        Ok(
            if self.password().expose_secret() == candidate.0.expose_secret() {
                Verdict::Accepted
            } else {
                Verdict::Rejected
            },
        )
    }
}
