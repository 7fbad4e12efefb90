//! `README.md`, `docs/client.md`.

use secrecy::{ExposeSecret, SecretString};
use secrets_core::client::{Current, SecretsClient};
use secrets_core::document::{DocumentError, SecretDocument};

struct DbLogin {
    host: String,
    port: u16,
    password: SecretString,
}

impl TryFrom<&SecretDocument> for DbLogin {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            host: secret.text("host")?.expose_secret().to_owned(),
            port: secret.port("port")?.unwrap_or(5432),
            password: secret.text("password")?,
        })
    }
}

/// The database's driver.
struct Connection;

impl Connection {
    async fn open(_: &str, _: u16, _: &str) -> Result<Self, DbError> {
        std::future::ready(Ok(Self)).await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database refuses")]
struct DbError {
    code: &'static str,
}

async fn connect(login: Current<DbLogin>) -> Result<Connection, DbError> {
    Connection::open(&login.host, login.port, login.password.expose_secret()).await
}

fn is_auth_error(fault: &DbError) -> bool {
    fault.code == "28P01" // only what means "wrong user or password"
}

#[rustfmt::skip]
async fn page() -> Result<(), Box<dyn std::error::Error>> {
    let secrets = SecretsClient::builder_from_env()?.try_pending().build();
    let api_key = secrets.get_secret("app/api-key").await?;
    let db = secrets.secret::<DbLogin>("app/db").await?;
    let login = db.current()?;
    let connection = db.connect_with(connect, is_auth_error).await?;
    drop((api_key, login, connection));
    Ok(())
}

#[rustfmt::skip]
async fn readme() -> Result<Connection, Box<dyn std::error::Error>> {
    let secrets = SecretsClient::builder_from_env()?.try_pending().build();
    let db = secrets.secret::<DbLogin>("app/db").await?;
    let connection = db.connect_with(connect, is_auth_error).await?;
    Ok(connection)
}
