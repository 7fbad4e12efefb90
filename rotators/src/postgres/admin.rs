//! The admin whom `masterarn` names.

use secrets_core::event::SecretId;
use secrets_core::rotator::{Context, RotatorError};
use secrets_core::store::SecretReader;
use tokio_postgres::error::SqlState;

use super::connection::{Entry, Session};
use super::credential::{AdminCredential, FAMILY, Login, PostgresCredential};
use super::error::Role;
use super::settings::PostgresSettings;
use crate::rds::Address;

/// Logs the admin in, at the server of the secret that rotates, or at the primary that it belongs to;
/// database and TLS are those of the secret that rotates.
pub(super) async fn open<R: SecretReader>(
    secrets: &R,
    settings: &PostgresSettings,
    id: &SecretId,
    server: &PostgresCredential,
    cx: &Context,
) -> Result<Box<Session>, RotatorError> {
    let admin = AdminCredential::read(secrets, id, &FAMILY, cx).await?;
    let own = Address {
        host: server.host.clone(),
        port: server.port,
    };
    let servers = &settings.admin_servers;
    let address = admin
        .address((secrets, id), servers, &FAMILY, &own, cx)
        .await?;
    let server = at(server, admin.login, address);
    let (place, terms) = (server.place(), settings.terms());
    match Session::open(place, &server.login, Role::Admin, terms, cx).await? {
        Entry::Open(session) => Ok(session),
        Entry::Wrong => Err(RotatorError::misconfigured(
            "the server refuses the admin's password; correct the secret that `masterarn` names",
        )
        .with_code(SqlState::INVALID_PASSWORD.code())),
    }
}

/// The admin's way to another address of the same database.
fn at(server: &PostgresCredential, login: Login, address: Address) -> PostgresCredential {
    PostgresCredential {
        tls: server.tls.at(&address, &server.host),
        host: address.host,
        port: address.port,
        database: server.database.clone(),
        login,
        admin: None,
        usernames: Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use secrets_core::document::SecretDocument;
    use serde_json::{Value, json};

    use super::super::credential::Tls;
    use super::*;

    fn there(secret: &Value, host: &str) -> PostgresCredential {
        let secret = SecretDocument::from_text(&secret.to_string());
        let server = PostgresCredential::try_from(&secret).expect("a credential");
        let login = Login {
            username: "admin".to_owned(),
            password: "sentinel-admin".into(),
        };
        let address = Address {
            host: host.to_owned(),
            port: 5433,
        };
        at(&server, login, address)
    }

    fn server_name(credential: &PostgresCredential) -> Option<&str> {
        match &credential.tls {
            Tls::Verified { server_name, .. } => server_name.as_deref(),
            Tls::Plaintext => None,
        }
    }

    #[test]
    fn the_name_in_the_certificate_is_that_of_the_host_that_is_called() {
        let mut secret = json!({
            "engine": "postgres", "host": "replica", "dbname": "shop", "username": "app", "password": "p",
            "tls_server_name": "alias",
        });
        let same = there(&secret, "REPLICA");
        assert_eq!(server_name(&same), Some("alias"));
        let primary = there(&secret, "primary");
        assert_eq!(server_name(&primary), None, "that of the host");
        assert_eq!((primary.host.as_str(), primary.port), ("primary", 5433));
        assert_eq!(primary.database, "shop");
        assert_eq!(primary.login.username, "admin");
        assert_eq!(primary.login.password.expose_secret(), "sentinel-admin");
        secret["ssl"] = false.into();
        assert_eq!(server_name(&there(&secret, "primary")), None);
    }
}
