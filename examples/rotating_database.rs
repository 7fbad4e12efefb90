//! A throw-away PostgreSQL server with one user, and its secret, which rotates. What Secrets Manager, the rotation
//! function and the database are in production.

use harness::postgres::PostgresServer;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{PostgresSettings, SingleUser};
use secrets_core::client::{SecretHandle, SecretsClient};
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::Rotation;
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::Driver;
use secrets_pools::DbLogin;

pub(crate) type Fault = Box<dyn std::error::Error>;

pub(crate) struct RotatingDatabase {
    pub(crate) server: PostgresServer,
    store: MemoryStore,
    id: SecretId,
}

impl RotatingDatabase {
    pub(crate) async fn start() -> Result<Self, Fault> {
        let server = PostgresServer::builder().start().await;
        let first = "correct horse battery staple";
        let role = format!("CREATE ROLE app LOGIN PASSWORD '{first}'");
        server.admin().await.batch_execute(&role).await?;
        let secret = SecretDocument::from_text(&format!(
            r#"{{"engine": "postgres", "host": "{}", "port": {}, "dbname": "postgres", "username": "app"}}"#,
            server.host(),
            server.port()
        ));
        let patch =
            Patch::key("password", first.into()).and("ca_certificate", server.ca_pem().into());
        let (store, id) = (MemoryStore::new(), SecretId::from("prod/app/db"));
        store.put_current(&id, &"v0".into(), &secret.patched(&patch)?)?;
        Ok(Self { server, store, id })
    }

    /// What an application keeps. Against AWS: `SecretsClient::builder_from_env()?.try_pending().build()`.
    pub(crate) async fn handle(&self) -> Result<SecretHandle<DbLogin>, Fault> {
        let secrets = SecretsClient::builder(self.store.clone())
            .try_pending()
            .build();
        Ok(secrets.secret(self.id.as_str()).await?)
    }

    /// One rotation; `after` is called after each step.
    pub(crate) async fn rotate(
        &self,
        version: &str,
        mut after: impl AsyncFnMut(Step) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let policy = PasswordPolicy::new(&PasswordRules::default())?;
        let rotator = SingleUser::new(self.store.clone(), PostgresSettings::new(policy));
        let rotation = Rotation::new(self.store.clone(), rotator);
        let driver = Driver::new(&self.store, &rotation, &self.id);
        let version = VersionId::from(version);
        driver.begin(&version)?;
        for step in Step::ALL {
            driver.send(step, &version).await?;
            after(step).await?;
        }
        Ok(())
    }
}
