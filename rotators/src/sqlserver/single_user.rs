//! One user, whose password is replaced in place.

use std::fmt;

use secrecy::ExposeSecret;
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::SecretReader;

use super::admin;
use super::catalogue;
use super::change::{Keeper, set_password};
use super::connection::{Entry, Session};
use super::credential::{LONGEST, Login, SqlServerCredential, units};
use super::error::{Role, code};
use super::settings::SqlServerSettings;

/// Rotates the password of a login, or of a user of a contained database. It is changed by the admin whom the
/// key `masterarn` of the secret names, or, without one, by the user itself.
///
/// SQL Server keeps one password a user, so `AWSCURRENT` is refused from `setSecret` to `finishSecret`.
/// Sessions that are open stay open.
///
/// ```
/// use rotators::password::{PasswordPolicy, PasswordRules};
/// use rotators::sqlserver::{SingleUser, SqlServerSettings};
/// use secrets_core::rotation::Rotation;
/// use secrets_core::store::memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let policy = PasswordPolicy::new(&PasswordRules::default())?;
/// let rotator = SingleUser::new(store.clone(), SqlServerSettings::new(policy));
/// let rotation = Rotation::new(store, rotator);
/// # Ok::<(), rotators::password::InvalidRules>(())
/// ```
pub struct SingleUser<R> {
    secrets: R,
    settings: SqlServerSettings,
}

impl<R: SecretReader> SingleUser<R> {
    /// A rotator with these settings; `secrets` is where an admin's secret is read.
    pub fn new(secrets: R, settings: SqlServerSettings) -> Self {
        Self { secrets, settings }
    }

    async fn change_own(
        &self,
        proven: &SqlServerCredential,
        pending: &SqlServerCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let login = &proven.login;
        let entry = Session::open(proven, login, Role::Own, &self.settings, cx).await?;
        let mut session = entry.session_or(|| Login::taken_away(code::LOGIN_FAILED.to_string()))?;
        let changed = match catalogue::own_keeper(&mut session).await {
            Err(fault) => Err(fault.of_statement(session.peer())),
            Ok(keeper) => {
                let old = Some(&login.password);
                set_password(&mut session, keeper, &pending.login, old).await
            }
        };
        session.close().await;
        changed
    }
}

/// Changes the password as the admin.
async fn change_as_admin(
    session: &mut Session,
    pending: &SqlServerCredential,
) -> Result<(), RotatorError> {
    let keeper = catalogue::keeper_of(session, &pending.login.username, &pending.database).await?;
    if keeper == Keeper::User {
        let entered = session.enter(&pending.database).await;
        entered.map_err(|fault| fault.of_statement(session.peer()))?;
    }
    set_password(session, keeper, &pending.login, None).await
}

/// A new password, unless the server could not take any.
pub(super) fn new_password(
    settings: &SqlServerSettings,
) -> Result<secrecy::SecretString, RotatorError> {
    let password = settings.password.generate()?;
    if units(password.expose_secret()) > LONGEST {
        return Err(RotatorError::misconfigured(
            "SQL Server takes passwords of at most 128 characters; set PASSWORD_LENGTH to that or less",
        ));
    }
    Ok(password)
}

impl<R: SecretReader> Rotator for SingleUser<R> {
    type Credential = SqlServerCredential;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &SqlServerCredential, _: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key("password", new_password(&self.settings)?))
    }

    async fn set(
        &self,
        login: Proven<'_, SqlServerCredential>,
        pending: &SqlServerCredential,
        cx: &Context,
    ) -> Result<(), RotatorError> {
        let Some(admin) = &pending.admin else {
            return self.change_own(login.credential(), pending, cx).await;
        };
        let mut session = admin::open(&self.secrets, &self.settings, admin, pending, cx).await?;
        let changed = change_as_admin(&mut session, pending).await;
        session.close().await;
        changed
    }

    async fn test(
        &self,
        candidate: &SqlServerCredential,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        match Session::open(candidate, &candidate.login, Role::Own, &self.settings, cx).await? {
            Entry::Wrong => Ok(Verdict::Rejected),
            Entry::Open(session) => session.works().await,
        }
    }
}

impl<R> fmt::Debug for SingleUser<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleUser")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
