//! Who changes the user: the admin whom `masterarn` names, or the user itself.

use std::borrow::Cow;

use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::connection::{Entry, Session};
use super::credential::{AdminCredential, FAMILY, Login, Node, RedisCredential};
use super::error::Role;
use super::settings::RedisSettings;

/// Whoever may change the user of a secret, at each of its servers.
pub(super) struct Manager<'a> {
    server: &'a RedisCredential,
    login: Cow<'a, Login>,
    role: Role,
    settings: &'a RedisSettings,
}

impl<'a> Manager<'a> {
    pub(super) async fn of<R: SecretReader>(
        server: &'a RedisCredential,
        secrets: &R,
        settings: &'a RedisSettings,
        cx: &Context,
    ) -> Result<Self, RotatorError> {
        let (login, role) = match &server.admin {
            None => (Cow::Borrowed(&server.login), Role::Own),
            Some(id) => {
                let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
                (Cow::Owned(admin.login_at(&server.host)?), Role::Admin)
            }
        };
        Ok(Self {
            server,
            login,
            role,
            settings,
        })
    }

    /// A login at this server.
    pub(super) async fn try_enter(&self, node: &Node, cx: &Context) -> Result<Entry, RotatorError> {
        let login = (self.login.as_ref(), self.role);
        Session::open(node, &self.server.tls, login, self.settings, cx).await
    }

    /// A session at this server.
    pub(super) async fn enter(&self, node: &Node, cx: &Context) -> Result<Session, RotatorError> {
        let entry = self.try_enter(node, cx).await?;
        entry.session_or(|| self.refused(node))
    }

    /// What it means that this server refuses the login.
    pub(super) fn refused(&self, node: &Node) -> RotatorError {
        match self.role {
            Role::Own => RotatorError::unreachable(format!(
                "{node} refuses the user's password: somebody else changed it or disabled the user; try \
                 again, which finds the one that holds"
            )),
            Role::Admin => RotatorError::misconfigured(format!(
                "{node} refuses the admin's password, or has that user disabled; correct the secret that \
                 `masterarn` names"
            )),
        }
        .with_code("WRONGPASS")
    }
}
