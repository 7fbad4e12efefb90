//! Who changes the entry: the admin whom `masterarn` names, or the entry itself.

use std::borrow::Cow;

use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::connection::{Entry, Session};
use super::credential::{AdminCredential, FAMILY, LdapCredential, Login, Server};
use super::error::Role;
use super::settings::LdapSettings;

/// Whoever may change the entry of a secret.
pub(super) struct Manager<'a> {
    server: &'a Server,
    login: Cow<'a, Login>,
    role: Role,
    settings: &'a LdapSettings,
}

impl<'a> Manager<'a> {
    pub(super) async fn of<R: SecretReader>(
        entry: &'a LdapCredential,
        secrets: &R,
        settings: &'a LdapSettings,
        cx: &Context,
    ) -> Result<Self, RotatorError> {
        let (login, role) = match &entry.admin {
            None => (Cow::Borrowed(&entry.login), Role::Own),
            Some(id) => {
                let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
                (Cow::Owned(admin.login_at(&entry.server.host)?), Role::Admin)
            }
        };
        Ok(Self {
            server: &entry.server,
            login,
            role,
            settings,
        })
    }

    pub(super) async fn try_enter(&self, cx: &Context) -> Result<Entry, RotatorError> {
        let login = (self.login.as_ref(), self.role);
        Session::open(self.server, login, self.settings, cx).await
    }

    pub(super) async fn enter(&self, cx: &Context) -> Result<Session, RotatorError> {
        self.try_enter(cx).await?.session_or(|| self.refused())
    }

    /// What it means that the server refuses the login.
    pub(super) fn refused(&self) -> RotatorError {
        match self.role {
            Role::Own => RotatorError::unreachable(
                "the server refuses a password that it took a moment ago: somebody else changed it or locked \
                 the entry; try again, which finds the one that holds",
            ),
            Role::Admin => RotatorError::misconfigured(
                "the server refuses the admin's password, has no such entry, or has it locked; correct the \
                 secret that `masterarn` names",
            ),
        }
        .with_code("invalidCredentials")
    }
}
