//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::connection::Session;
use super::credential::{
    AdminCredential, FAMILY, MongoDbCredential, User, authentication_database,
};
use super::error::{Role, code};
use super::settings::MongoDbSettings;

/// Reads who the admin is.
pub(super) async fn read<R: SecretReader>(
    secrets: &R,
    id: &SecretId,
    server: &MongoDbCredential,
    cx: &Context,
) -> Result<User, RotatorError> {
    let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
    let database = authentication_database(&admin.document).map_err(|fault| {
        RotatorError::misconfigured(format!("the admin's secret (`masterarn`): {fault}"))
    })?;
    // Without it, whoever may write the user's secret could have a server of his own pass on what the admin
    // says to the real one: SCRAM of MongoDB is not bound to the connection.
    if admin
        .document
        .optional_text("host")
        .ok()
        .flatten()
        .is_none()
    {
        return Err(RotatorError::misconfigured(
            "the admin's secret (`masterarn`) has no `host`; add that of the server at which the admin may log \
             in, as it stands in the secret that rotates",
        ));
    }
    Ok(User {
        login: admin.login_at(&server.node.host)?,
        database,
    })
}

/// Logs the admin in, at the server of the secret that rotates; TLS is as that secret says.
pub(super) async fn open(
    admin: &User,
    settings: &MongoDbSettings,
    server: &MongoDbCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let entry = Session::open(server, (admin, Role::Admin), settings, cx).await?;
    entry.session_or(|| {
        RotatorError::misconfigured(
            "the server refuses the admin's password, or has no such user in the admin's \
             `authentication_database`; correct the secret that `masterarn` names",
        )
        .with_code(code::AUTHENTICATION_FAILED.to_string())
    })
}
