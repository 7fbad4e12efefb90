//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::connection::Session;
use super::credential::{AdminCredential, FAMILY, SqlServerCredential};
use super::error::{Role, code};
use super::settings::SqlServerSettings;

/// Logs the admin in, at the server of the secret that rotates, or at the primary that it belongs to; TLS is
/// as the secret that rotates says.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &SqlServerSettings,
    id: &SecretId,
    server: &SqlServerCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let servers = &settings.admin_servers;
    let own = (server.host.as_str(), server.port);
    let found = AdminCredential::find((secrets, id), servers, &FAMILY, own, cx);
    let (login, address) = found.await?;
    let server = server.at(address);
    let entry = Session::open(&server, &login, Role::Admin, settings, cx).await?;
    entry.session_or(|| AdminCredential::refused(code::LOGIN_FAILED.to_string()))
}
