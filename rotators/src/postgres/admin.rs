//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;
use tokio_postgres::error::SqlState;

use super::connection::{Entry, Session};
use super::credential::{AdminCredential, FAMILY, PostgresCredential};
use super::error::{Peer, Role};
use super::settings::PostgresSettings;

/// Logs the admin in, at the server of the secret that rotates: way and TLS are that secret's.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &PostgresSettings,
    id: &SecretId,
    server: &PostgresCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let admin = AdminCredential::read(secrets, id, &FAMILY, &server.host, cx).await?;
    let peer = Peer {
        host: server.host.clone(),
        port: server.port,
        role: Role::Admin,
    };
    match Session::open(server, &admin.login, peer, settings, cx).await? {
        Entry::Open(session) => Ok(session),
        Entry::Wrong => Err(RotatorError::misconfigured(
            "the server refuses the admin's password; correct the secret that `masterarn` names",
        )
        .with_code(SqlState::INVALID_PASSWORD.code())),
    }
}
