//! One user, whose password is replaced in place.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::connection::Session;
use super::credential::{Login, MongoDbCredential};
use super::error::{Peer, Role, code};
use super::portrait::{Detail, Portrait};
use super::settings::MongoDbSettings;
use super::{admin, change};

/// Rotates the password of one user of `MongoDB` or Amazon `DocumentDB`.
///
/// A user has one password, so `AWSCURRENT` is refused from `setSecret` to `finishSecret`. Sessions that are
/// open stay open. Roles, `customData`, `authenticationRestrictions` and the mechanisms of the user stay.
///
/// With the key `masterarn` in the secret its admin changes the user. Without it the user changes itself,
/// which takes the action `changeOwnPassword`.
///
/// ```
/// use rotators::mongodb::{MongoDbSettings, SingleUser};
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), MongoDbSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: MongoDbSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: MongoDbSettings) -> Self {
        Self { secrets, settings }
    }

    /// A session of whoever may change the user.
    async fn manager(
        &self,
        proven: &MongoDbCredential,
        cx: &Context,
    ) -> Result<Box<Session>, RotatorError> {
        if let Some(id) = &proven.admin {
            let admin = admin::read(&self.secrets, id, proven, cx).await?;
            return admin::open(&admin, &self.settings, proven, cx).await;
        }
        let own = (&proven.user, Role::Own);
        let entry = Session::open(proven, own, &self.settings, cx).await?;
        entry.session_or(|| Login::taken_away(code::AUTHENTICATION_FAILED.to_string()))
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = MongoDbCredential;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &MongoDbCredential, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, MongoDbCredential>,
        pending: &MongoDbCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let mut session = self.manager(login.credential(), cx).await?;
        let user = &pending.user;
        let name = (user.login.username.as_str(), user.database.as_str());
        let found = Portrait::of(&mut session, name, Detail::Password).await?;
        let peer = session.peer().clone();
        let found = found.ok_or_else(|| missing(&peer))?;
        if !found.has_password() {
            return Err(peer.no_password());
        }
        let password = user.login.password.expose_secret();
        let mechanisms = found.mechanisms.as_ref();
        let changed = change::set_password(&mut session, name, password, mechanisms).await;
        changed.map_err(|failure| {
            failure.explained(&peer, |code| {
                (code == code::UNAUTHORIZED).then(|| denied(&peer))
            })
        })
    }

    async fn test(
        &self,
        candidate: &MongoDbCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let own = (&candidate.user, Role::Own);
        let entry = Session::open(candidate, own, &self.settings, cx).await?;
        Ok(entry.verdict())
    }
}

/// The one that lets the user in shows no such user: whoever looks sees another server's users.
fn missing(peer: &Peer) -> RotatorError {
    RotatorError::misconfigured(format!(
        "{peer} shows no user of `username` in its `authentication_database`, though it lets the user in; \
         correct that key of the secret"
    ))
    .with_code(code::USER_NOT_FOUND.to_string())
}

fn denied(peer: &Peer) -> RotatorError {
    match peer.role {
        Role::Own => RotatorError::refused(format!(
            "the user may not change its own password at {peer}; grant it a role with the action \
             changeOwnPassword on its database, or add `masterarn`, the secret of an admin, to the secret"
        )),
        Role::Admin => RotatorError::refused(format!(
            "{peer} may not change passwords; grant the admin the action changePassword on the users' \
             database"
        )),
    }
}

impl<R> fmt::Debug for SingleUser<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUser")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::store::memory::MemoryStore;

    use super::*;
    use crate::password::{PasswordPolicy, PasswordRules};

    #[test]
    fn debug_shows_settings_only() {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
        let rotator = SingleUser::new(MemoryStore::new(), MongoDbSettings::new(policy));
        assert_eq!(rotator.profile().overlap, Overlap::ReplaceInPlace);
        assert_eq!(
            format!("{rotator:?}"),
            "SingleUser { settings: MongoDbSettings { password: PasswordPolicy { length: 32, \
             characters: 89, required_types: 4 }, ca_certificate: None, timeouts: Timeouts { login: 5s, \
             statement: 10s } }, .. }"
        );
    }
}
