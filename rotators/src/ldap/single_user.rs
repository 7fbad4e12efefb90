//! One entry, with two passwords between rotations.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::account::{Account, Change};
use super::connection::{Changed, Entry, Session};
use super::credential::LdapCredential;
use super::error::Role;
use super::manager::Manager;
use super::scheme::{Match, Salt, Stored};
use super::settings::{LdapSettings, PasswordScheme};

/// Rotates the password of one entry of an `OpenLDAP` directory.
///
/// The new password is added beside the current one, and the one before that is removed when the new one is
/// published, so no bind is refused: `AWSCURRENT` and `AWSPREVIOUS` both work. Values of `userPassword` that the
/// secret does not know of stay as they are. Sessions that are open stay open.
///
/// The admin whom the key `masterarn` of the secret names changes the entry; without it the entry changes itself.
///
/// ```
/// use rotators::ldap::{LdapSettings, SingleUser};
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), LdapSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: LdapSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: LdapSettings) -> Self {
        Self { secrets, settings }
    }

    async fn manager<'a>(
        &'a self,
        entry: &'a LdapCredential,
        cx: &Context,
    ) -> Result<Manager<'a>, RotatorError> {
        Manager::of(entry, &self.secrets, &self.settings, cx).await
    }

    /// A hash that is not known here cannot be found again when it is to be removed. If there is one, and the
    /// password that was just accepted is none of the others, it is that one's: then it is exchanged for a hash
    /// of the same password that is known.
    async fn make_known(
        &self,
        account: &Account,
        (entry, current): (&str, &SecretString),
        salt: &Salt,
        session: &mut Session,
    ) -> Result<(), RotatorError> {
        let unknown: Vec<_> = account.unknown().cloned().collect();
        match unknown.as_slice() {
            [] => Ok(()),
            _ if account.has(current) => Ok(()),
            [one] => {
                let old = one.clone();
                let new = Stored::new(self.settings.password_scheme, current, salt);
                session.change(entry, Change::Exchange { old, new }).await?;
                Ok(())
            }
            several => {
                tracing::warn!(
                    peer = %session.peer(),
                    values = several.len(),
                    "values of userPassword have schemes that are not known here, so it cannot be told which of \
                     them is the current password; it will stay when it is superseded: remove it by hand"
                );
                Ok(())
            }
        }
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = LdapCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["password"]);
        Profile::new(keys, Overlap::UntilNextRotation).retiring(Retirement::WhenSuperseded)
    }

    /// Looks at the entry first: a login does not tell a missing entry from a wrong password, nor whether the
    /// entry may be changed. And the entry logs in once: where a policy counts refused logins (`pwdMaxFailure`),
    /// that ends the count, so that the probe of the new password, which will be refused, is not the one that
    /// locks the entry.
    async fn create(&self, current: &LdapCredential, cx: &Context) -> Result<Patch, RotatorError> {
        let manager = self.manager(current, cx).await?;
        match manager.try_enter(cx).await? {
            Entry::Open(mut session) => {
                let account = Account::of(&current.login.username, &mut session).await?;
                if account.locked {
                    tracing::warn!(
                        peer = %session.peer(),
                        "the entry has pwdAccountLockedTime: while it is locked, every password is refused as \
                         wrong; find out who sends wrong ones, then remove it"
                    );
                }
                self.check_can_be_removed(&account, &session)?;
            }
            // Whether the password before it holds is for the next step to see.
            Entry::Wrong if current.admin.is_none() => {}
            Entry::Wrong => return Err(manager.refused()),
        }
        if current.admin.is_some() {
            // Whether the password before it holds is for the next step to see.
            let (Verdict::Accepted | Verdict::Rejected) = self.test(current, cx).await?;
        }
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, LdapCredential>,
        pending: &LdapCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let entry = &proven.login.username;
        let (current, new) = (&proven.login.password, &pending.login.password);
        let manager = self.manager(proven, cx).await?;
        let mut session = manager.enter(cx).await?;
        let account = Account::of(entry, &mut session).await?;
        self.check_can_be_removed(&account, &session)?;
        if account.has(new) || current.expose_secret() == new.expose_secret() {
            return Ok(());
        }
        let salt = Salt::of(cx.version(), entry);
        self.make_known(&account, (entry, current), &salt, &mut session)
            .await?;
        let value = Stored::new(self.settings.password_scheme, new, &salt);
        if self.settings.password_scheme == PasswordScheme::Plain && value.looks_hashed() {
            return Err(RotatorError::rejected_by_target(
                "the new password begins as a hash does, and the server would take it for one; add { to \
                 EXCLUDE_CHARACTERS",
            ));
        }
        let added = session.change(entry, Change::Add(value)).await?;
        if added == Changed::Conflict && !Account::of(entry, &mut session).await?.has(new) {
            // A history of passwords has one line a second (pwdInHistory).
            return Err(RotatorError::unreachable(format!(
                "{} took another change of the password in the same second; try again",
                session.peer()
            ))
            .with_code("attributeOrValueExists"));
        }
        Ok(())
    }

    async fn test(
        &self,
        candidate: &LdapCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        let login = (&candidate.login, Role::Own);
        let entry = Session::open(&candidate.server, login, &self.settings, cx).await?;
        Ok(entry.verdict())
    }

    async fn retire(
        &self,
        retired: &LdapCredential,
        kept: &[&LdapCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(login) = kept.last() else {
            return Ok(());
        };
        let entry = &login.login.username;
        let old = &retired.login.password;
        let is_kept = |value: &Stored| {
            let mut kept = kept.iter();
            kept.any(|kept| value.matches(&kept.login.password) == Match::Yes)
        };
        let unused = |account: &Account| {
            let values = account.of_password(old).filter(|value| !is_kept(value));
            values.cloned().collect::<Vec<_>>()
        };
        let mut session = self.manager(login, cx).await?.enter(cx).await?;
        let mut account = Account::of(entry, &mut session).await?;
        let gone = unused(&account);
        if !gone.is_empty() {
            session.change(entry, Change::Remove(gone)).await?;
            account = Account::of(entry, &mut session).await?;
            if !unused(&account).is_empty() {
                return Err(RotatorError::unreachable(format!(
                    "somebody else changes the passwords of the entry at {}; try again",
                    session.peer()
                )));
            }
        }
        let others = account.values.iter().filter(|value| !is_kept(value));
        let others = others.count();
        if others > 0 {
            tracing::warn!(
                peer = %session.peer(),
                others,
                "the entry has values of userPassword that no version of the secret in use explains; they work, \
                 and stay"
            );
        }
        Ok(())
    }
}

impl<R> SingleUser<R> {
    /// What is sent in clear text the server may hash by a scheme of its own.
    fn check_can_be_removed(
        &self,
        account: &Account,
        session: &Session,
    ) -> Result<(), RotatorError> {
        if self.settings.password_scheme == PasswordScheme::Plain
            && account.unknown().next().is_some()
        {
            return Err(RotatorError::misconfigured(format!(
                "{} hashes passwords by a scheme that is not known here, so that superseded ones could not be \
                 told from others and removed; set PASSWORD_SCHEME=ssha, or let the server hash by SSHA \
                 (olcPasswordHash) and give the entry its current password once more",
                session.peer()
            )));
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
        SingleUser::new(MemoryStore::new(), LdapSettings::new(policy))
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
            "SingleUser { settings: LdapSettings { password: PasswordPolicy { length: 32, characters: 89, \
             required_types: 4 }, password_scheme: Ssha, ca_certificate: None, timeouts: Timeouts { login: 5s, \
             statement: 10s } }, .. }"
        );
    }
}
