//! Another secret for a registered client, at its own record.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Repeat, Rotates, Rotator, RotatorError, Verdict,
};

use super::record::{Record, RegisteredClient};
use super::settings::RegistrationSettings;

/// Rotates the secret of a client that was registered dynamically.
///
/// ```
/// use rotators::oauth::registration::{Registration, RegistrationSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let settings = RegistrationSettings::parse(
///     r#"{
///         "allowed_hosts": ["login.example.com"],
///         "test": {"mint": {"token_url": "https://login.example.com/token"}}
///     }"#,
/// )?;
/// let rotation = Rotation::new(MemoryStore::new(), Registration::new(settings));
/// # Ok::<(), rotators::configuration::Faults>(())
/// ```
pub struct Registration {
    settings: RegistrationSettings,
}

impl Registration {
    /// A rotator with these settings.
    pub fn new(settings: RegistrationSettings) -> Self {
        Self { settings }
    }
}

fn patch(record: Record) -> Patch {
    Patch::key("client_secret", record.secret).and("registration_access_token", record.token)
}

impl Rotator for Registration {
    type Credential = RegisteredClient;

    fn profile(&self) -> Profile {
        let rotates = Rotates::Keys(&["client_secret", "registration_access_token"]);
        Profile::new(rotates, Overlap::MintedInPlace).repeating(if self.settings.token_rotates {
            Repeat::Never
        } else {
            Repeat::Told
        })
    }

    async fn create(
        &self,
        current: &RegisteredClient,
        cx: &Context,
    ) -> Result<Patch, RotatorError> {
        let is_current =
            |record: &Record| record.secret.expose_secret() == current.secret.expose_secret();
        let found = current.read(&self.settings, cx).await;
        let found = found.map_err(|fault| {
            // Where reading replaces the registration access token, a lost reply is a change.
            if self.settings.token_rotates {
                fault
            } else {
                fault.having_changed_nothing()
            }
        })?;
        if !is_current(&found) {
            return Ok(patch(found));
        }
        let updated = current.update(&found, &self.settings, cx).await?;
        if is_current(&updated) {
            return Err(RotatorError::misconfigured(
                "the server keeps the secret of a client that updates its record, so it cannot be rotated this \
                 way; have its operator issue new secrets on update (RFC 7592, section 2.2), or register the \
                 client anew",
            ));
        }
        Ok(patch(updated))
    }

    /// A secret works from the moment it is issued: one that does not was replaced since. A pending value is
    /// not given up, since it may hold the only token that opens the record.
    async fn set(
        &self,
        _: Proven<'_, RegisteredClient>,
        _: &RegisteredClient,
        _: &Context,
    ) -> Result<(), RotatorError> {
        Err(RotatorError::refused(
            "the server takes the current client secret and not the new one, as if the client's record had been \
             put back; put the record's present secret as AWSCURRENT, which ends this rotation",
        ))
    }

    async fn test(
        &self,
        candidate: &RegisteredClient,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let tokens = &self.settings.tokens;
        tokens.accepts(&candidate.credential(), cx).await
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("settings", &self.settings)
            .finish()
    }
}
