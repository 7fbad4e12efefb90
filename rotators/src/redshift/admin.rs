//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::credential::{AdminCredential, FAMILY, RedshiftCredential};
use super::error::{DIALECT, Role};
use super::settings::RedshiftSettings;
use super::statements::make_safe;
use crate::postgres_wire::Session;

/// Logs the admin in, at the server of the secret that rotates and with its database and TLS, and prepares the
/// session.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &RedshiftSettings,
    id: &SecretId,
    RedshiftCredential(server): &RedshiftCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
    let login = admin.login_at(&server.host)?;
    let terms = settings.terms();
    let entry = Session::open(server.place(), &login, Role::Admin, terms, cx).await?;
    let session = entry.session_or(|| AdminCredential::refused(DIALECT.wrong))?;
    match make_safe(&session).await {
        Ok(()) => Ok(session),
        Err(fault) => {
            let fault = fault.of_statement(session.peer());
            session.close().await;
            Err(fault)
        }
    }
}
