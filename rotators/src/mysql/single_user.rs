//! One user, with two passwords while a rotation is under way and after it.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::admin;
use super::change::{ByAdmin, ByUser, Passwords};
use super::connection::{Entry, Session};
use super::credential::{Login, MySqlCredential};
use super::error::{Role, code};
use super::settings::{MySqlSettings, OldPassword};

/// Rotates the password of one user of `MySQL`, Aurora `MySQL` or `MariaDB`.
///
/// The old password works beside the new one until the next rotation (or as [`OldPassword`] says), so no
/// login is refused: `MySQL` keeps it as the second of two passwords (`RETAIN CURRENT PASSWORD`), `MariaDB` as
/// the second of two authentication methods.
///
/// With the key `masterarn` in the secret its admin changes the user, for all hosts at once, and the server is
/// sent hashes. Without it the user changes itself, for the host from which it came in; `MySQL` takes the
/// password only, and keeps it out of its logs. `MariaDB` gives nobody a second password for himself.
///
/// ```
/// use rotators::mysql::{MySqlSettings, OldPassword, SingleUser};
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let settings = MySqlSettings::new(policy);
/// let rotator = SingleUser::new(store.clone(), settings, OldPassword::UntilNextRotation);
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: MySqlSettings,
    old_password: OldPassword,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: MySqlSettings, old_password: OldPassword) -> Self {
        Self {
            secrets,
            settings,
            old_password,
        }
    }

    /// A session of the user itself, with a credential that was accepted a moment ago.
    async fn enter(
        &self,
        proven: &MySqlCredential,
        cx: &Context,
    ) -> Result<Box<Session>, RotatorError> {
        let entry = Session::open(proven, &proven.login, Role::Own, &self.settings, cx).await?;
        entry.session_or(|| Login::taken_away(code::ACCESS_DENIED.to_string()))
    }

    async fn change(
        &self,
        login: &MySqlCredential,
        passwords: Passwords<'_>,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let user = &login.login.username;
        let (mut session, changed);
        if let Some(admin) = &login.admin {
            session = admin::open(&self.secrets, &self.settings, admin, login, cx).await?;
            changed = ByAdmin::new(&mut session, user).change(passwords).await;
        } else {
            session = self.enter(login, cx).await?;
            changed = ByUser::new(&mut session, user).change(passwords).await;
        }
        session.close().await;
        changed
    }
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = MySqlCredential;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["password"]);
        let profile = |overlap| Profile::new(keys, overlap);
        match self.old_password {
            OldPassword::Replaced => profile(Overlap::ReplaceInPlace),
            OldPassword::UntilNextRotation => {
                profile(Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
            }
            OldPassword::KeptIfPossible => {
                profile(Overlap::ReplaceInPlace).holding(Live { rest: 2, peak: 2 })
            }
            OldPassword::UntilPromotion => profile(Overlap::UntilNextRotation)
                .holding(Live { rest: 1, peak: 2 })
                .retiring(Retirement::AfterPromotion),
        }
    }

    async fn create(&self, _: &MySqlCredential, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", self.settings.password.generate()?))
    }

    async fn set(
        &self,
        login: Proven<'_, MySqlCredential>,
        pending: &MySqlCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let proven = login.credential();
        let (old, new) = (&proven.login.password, &pending.login.password);
        // What was accepted is there; to set it again would put it into both places.
        if old.expose_secret() == new.expose_secret() {
            return Ok(());
        }
        let passwords = match self.old_password {
            OldPassword::Replaced => Passwords::Replaced { new, old },
            OldPassword::KeptIfPossible => Passwords::BothIfPossible { new, old },
            OldPassword::UntilNextRotation | OldPassword::UntilPromotion => {
                Passwords::Both { new, old }
            }
        };
        self.change(proven, passwords, cx).await
    }

    async fn test(
        &self,
        candidate: &MySqlCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match Session::open(candidate, &candidate.login, Role::Own, &self.settings, cx).await? {
            Entry::Wrong => Ok(Verdict::Rejected),
            Entry::Open(session) => session.works().await,
        }
    }

    /// Leaves one password: the last of `kept`. Where two are in use, both stay.
    async fn retire(
        &self,
        _: &MySqlCredential,
        kept: &[&MySqlCredential],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let [kept] = kept else {
            return Ok(());
        };
        let passwords = Passwords::Only(&kept.login.password);
        self.change(kept, passwords, cx).await
    }
}

impl<R> fmt::Debug for SingleUser<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUser")
            .field("settings", &self.settings)
            .field("old_password", &self.old_password)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrets_core::store::memory::MemoryStore;

    use super::*;
    use crate::password::{PasswordPolicy, PasswordRules};

    fn rotator(old_password: OldPassword) -> SingleUser<MemoryStore> {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
        SingleUser::new(MemoryStore::new(), MySqlSettings::new(policy), old_password)
    }

    #[test]
    fn the_profile_says_what_becomes_of_the_old_password() {
        for (old, overlap, retires, rest) in [
            (
                OldPassword::UntilNextRotation,
                Overlap::UntilNextRotation,
                Retirement::Never,
                2,
            ),
            (
                OldPassword::UntilPromotion,
                Overlap::UntilNextRotation,
                Retirement::AfterPromotion,
                1,
            ),
            (
                OldPassword::KeptIfPossible,
                Overlap::ReplaceInPlace,
                Retirement::Never,
                2,
            ),
            (
                OldPassword::Replaced,
                Overlap::ReplaceInPlace,
                Retirement::Never,
                1,
            ),
        ] {
            let profile = rotator(old).profile();
            let seen = (profile.overlap, profile.retires, profile.live.rest);
            assert_eq!(seen, (overlap, retires, rest));
        }
    }

    #[test]
    fn debug_shows_settings_only() {
        assert_eq!(
            format!("{:?}", rotator(OldPassword::default())),
            "SingleUser { settings: MySqlSettings { password: PasswordPolicy { length: 32, characters: 89, \
             required_types: 4 }, ca_certificate: None, admin_servers: AdminServers { rds: None }, timeouts: Timeouts { login: 5s, statement: 10s } }, \
             old_password: UntilNextRotation, .. }"
        );
    }
}
