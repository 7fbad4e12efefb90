//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::{SecretReader, Version};
use tokio::time::timeout_at;

use super::connection::{Entry, Session};
use super::credential::{AdminCredential, MySqlCredential};
use super::error::{Role, code};
use super::settings::MySqlSettings;
use crate::second_secret::unread;

/// Logs the admin in, at the server of the secret that rotates: way and TLS are that secret's.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &MySqlSettings,
    id: &SecretId,
    server: &MySqlCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let admin = read(secrets, id, cx).await?;
    if !admin.is_for(&server.host) {
        return Err(RotatorError::misconfigured(
            "the admin's secret (`masterarn`) has another `host`; name the admin of this server",
        ));
    }
    match Session::open(server, &admin.login, Role::Admin, settings, cx).await? {
        Entry::Open(session) => Ok(session),
        Entry::Wrong => Err(RotatorError::misconfigured(
            "the server refuses the admin's password; correct the secret that `masterarn` names",
        )
        .with_code(code::ACCESS_DENIED.to_string())),
    }
}

async fn read<R: SecretReader>(
    secrets: &R,
    id: &SecretId,
    cx: &Context,
) -> Result<AdminCredential, RotatorError> {
    let read = secrets.get(id, &Version::CURRENT);
    let secret = timeout_at(cx.deadline(), read)
        .await
        .map_err(|_| {
            RotatorError::unreachable(
                "the admin's secret (`masterarn`) was not read in time; check that the function's VPC has \
                 an endpoint for Secrets Manager",
            )
        })?
        .map_err(|fault| unread("the admin's secret", fault))?;
    AdminCredential::try_from(&secret.document).map_err(|fault| {
        RotatorError::misconfigured(format!("the admin's secret (`masterarn`): {fault}"))
    })
}
