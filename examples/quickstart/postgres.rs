//! A throw-away PostgreSQL server with one role, and the rotator for it.

use harness::postgres::PostgresServer;
use rotators::password::PasswordPolicy;
use rotators::postgres::{PostgresSettings, SingleUser};
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::store::memory::MemoryStore;

const FIRST: &str = "correct horse battery staple";

/// Started as an unprivileged user in a temporary directory; gone when dropped.
pub(crate) async fn start() -> PostgresServer {
    PostgresServer::builder().start().await
}

/// Makes the role of the application, and what the application is given to log in with.
pub(crate) async fn secret(
    server: &PostgresServer,
) -> Result<SecretDocument, Box<dyn std::error::Error>> {
    let role = format!("CREATE ROLE app LOGIN PASSWORD '{FIRST}'");
    server.admin().await.batch_execute(&role).await?;
    let secret = SecretDocument::from_text(&format!(
        r#"{{"engine": "postgres", "host": "{}", "port": {}, "dbname": "postgres", "username": "app"}}"#,
        server.host(),
        server.port()
    ));
    let patch = Patch::key("password", FIRST.into()).and("ca_certificate", server.ca_pem().into());
    Ok(secret.patched(&patch)?)
}

pub(crate) fn rotator(store: MemoryStore, policy: &PasswordPolicy) -> SingleUser<MemoryStore> {
    SingleUser::new(store, PostgresSettings::new(policy.clone()))
}
