//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;

use super::connection::Session;
use super::credential::{AdminCredential, FAMILY, PostgresCredential};
use super::error::{DIALECT, Role};
use super::settings::PostgresSettings;
use crate::postgres_wire::Place;

/// Logs the admin in, at the server of the secret that rotates, or at the primary that it belongs to;
/// database and TLS are those of the secret that rotates.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &PostgresSettings,
    id: &SecretId,
    PostgresCredential(server): &PostgresCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let servers = &settings.admin_servers;
    let own = (server.host.as_str(), server.port);
    let found = AdminCredential::find((secrets, id), servers, &FAMILY, own, cx);
    let (login, address) = found.await?;
    let tls = server.tls.at(&address, &server.host);
    let place = Place {
        host: &address.host,
        port: address.port,
        tls: &tls,
        ..server.place()
    };
    let entry = Session::open(place, &login, Role::Admin, settings.terms(), cx).await?;
    entry.session_or(|| AdminCredential::refused(DIALECT.wrong))
}
