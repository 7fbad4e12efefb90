//! One user, with two passwords between rotations.

use std::fmt;

use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::account::{Account, Change, PasswordHash, change, save};
use super::connection::{Entry, Session};
use super::credential::RedisCredential;
use super::error::Role;
use super::manager::Manager;
use super::settings::RedisSettings;

/// Rotates the password of one user of Redis or Valkey.
///
/// A user may have any number of passwords. The new one is added beside the current one, and the one before
/// that is taken away when the new one is published, so no login is refused: `AWSCURRENT` and
/// `AWSPREVIOUS` both work. Passwords that the secret does not know of stay as they are. Sessions that are
/// open stay open.
///
/// The admin whom the key `masterarn` of the secret names changes the user; without it the user changes
/// itself, which takes the right to run `ACL SETUSER` and with it every other.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::redis::{RedisSettings, SingleUser};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), RedisSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: RedisSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: RedisSettings) -> Self {
        Self { secrets, settings }
    }

    async fn manager<'a>(
        &'a self,
        server: &'a RedisCredential,
        cx: &Context,
    ) -> Result<Manager<'a>, RotatorError> {
        Manager::of(server, &self.secrets, &self.settings, cx).await
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = RedisCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["password"]);
        Profile::new(keys, Overlap::UntilNextRotation).retiring(Retirement::WhenSuperseded)
    }

    /// Looks at the user first: one that takes any password would pass every test, and one that is disabled
    /// none. Neither shows in a login.
    async fn create(&self, current: &RedisCredential, cx: &Context) -> Result<Patch, RotatorError> {
        let manager = self.manager(current, cx).await?;
        for node in &current.nodes {
            let mut session = match manager.try_enter(node, cx).await? {
                Entry::Open(session) => session,
                // Whether the password before it holds is for the next step to see.
                Entry::Wrong if current.admin.is_none() => continue,
                Entry::Wrong => return Err(manager.refused(node)),
            };
            Account::of(&current.login.username, &mut session).await?;
        }
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, RedisCredential>,
        pending: &RedisCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let username = &proven.login.username;
        let new = PasswordHash::of(&pending.login.password);
        let manager = self.manager(proven, cx).await?;
        for node in &proven.nodes {
            let mut session = manager.enter(node, cx).await?;
            Account::of(username, &mut session).await?;
            // What cannot be written shows before anything is changed: afterwards the new password works,
            // and the next try would find nothing left to do.
            if !save(self.settings.acl_save, &mut session).await? {
                tracing::warn!(
                    %node,
                    "the server has no ACL file: after a restart it has the passwords of its configuration; \
                     give it an `aclfile`, or run CONFIG REWRITE there after each rotation"
                );
            }
            let add = Change::Add(&new);
            change(username, add, self.settings.acl_save, &mut session).await?;
        }
        Ok(())
    }

    async fn test(
        &self,
        candidate: &RedisCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let login = (&candidate.login, Role::Own);
        for node in &candidate.nodes {
            match Session::open(node, &candidate.tls, login, &self.settings, cx).await? {
                Entry::Open(_) => {}
                // The others need not be asked, and so refuse nothing.
                Entry::Wrong => return Ok(Verdict::Rejected),
            }
        }
        Ok(Verdict::Accepted)
    }

    async fn retire(
        &self,
        retired: &RedisCredential,
        kept: &[&RedisCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(login) = kept.last() else {
            return Ok(());
        };
        let username = &login.login.username;
        let old = PasswordHash::of(&retired.login.password);
        let in_use: Vec<_> = kept
            .iter()
            .map(|kept| PasswordHash::of(&kept.login.password))
            .collect();
        let manager = self.manager(login, cx).await?;
        for node in &login.nodes {
            let mut session = manager.enter(node, cx).await?;
            let mut account = Account::of(username, &mut session).await?;
            if account.has(&old) && !in_use.contains(&old) {
                let remove = Change::Remove(&old);
                let removed = change(username, remove, self.settings.acl_save, &mut session).await;
                account = Account::of(username, &mut session).await?;
                // Somebody else who was first is no fault.
                if account.has(&old) {
                    removed?;
                }
            }
            save(self.settings.acl_save, &mut session).await?;
            let others = account.others(&in_use);
            if others > 0 {
                tracing::warn!(
                    %node,
                    others,
                    "the user has passwords that no version of the secret in use holds; they work, and stay"
                );
            }
        }
        Ok(())
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
    use secrets_core::rotator::Live;
    use secrets_core::store::memory::MemoryStore;

    use super::*;
    use crate::password::{PasswordPolicy, PasswordRules};

    fn rotator() -> SingleUser<MemoryStore> {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
        SingleUser::new(MemoryStore::new(), RedisSettings::new(policy))
    }

    #[test]
    fn two_passwords_rest_and_a_rotation_needs_a_third() {
        let profile = rotator().profile();
        assert_eq!(profile.overlap, Overlap::UntilNextRotation);
        assert_eq!(profile.retires, Retirement::WhenSuperseded);
        assert_eq!(profile.live, Live { rest: 2, peak: 3 });
    }

    #[test]
    fn debug_shows_settings_only() {
        assert_eq!(
            format!("{:?}", rotator()),
            "SingleUser { settings: RedisSettings { password: PasswordPolicy { length: 32, characters: 89, \
             required_types: 4 }, acl_save: Auto, ca_certificate: None, timeouts: Timeouts { login: 5s, \
             command: 10s } }, .. }"
        );
    }
}
