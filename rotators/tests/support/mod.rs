//! A server, a store with one secret, and what the tests ask of them.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    unused_macros,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "support of several tests, none of which uses all of it"
)]

pub mod hidden;
pub mod stored;

use std::ops::Deref;

use harness::postgres::{PostgresBuilder, PostgresServer};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{CaCertificates, EXCLUDED_CHARACTERS, PostgresSettings, SingleUser};
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::VersionId;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use self::stored::Stored;
pub use self::stored::merge;

/// The password that every role starts with.
pub const FIRST: &str = "sentinel-First~1 %&+=/?";

/// Each of these tests, against both ends of the range of versions.
macro_rules! on_both_versions {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test]
            async fn on_postgresql_15() {
                super::$test(15).await;
            }
            #[tokio::test]
            async fn on_postgresql_18() {
                super::$test(18).await;
            }
        }
    )+};
}
pub(crate) use on_both_versions;

pub type PostgresRotation = Rotation<MemoryStore, SingleUser<MemoryStore>>;

pub struct Fixture {
    pub server: PostgresServer,
    pub admin: Client,
    pub stored: Stored,
    role: String,
}

/// A server that also takes plaintext, so that a test can log in without the code under test.
pub fn server(major: u32) -> PostgresBuilder {
    PostgresServer::builder().major(major).allow_plaintext()
}

impl Fixture {
    /// A server with a role `app`, and its secret.
    pub async fn start(builder: PostgresBuilder) -> Self {
        let server = builder.start().await;
        let mut fixture = Self {
            admin: server.admin().await,
            server,
            stored: Stored::new("none yet"),
            role: String::new(),
        };
        fixture.add_role("app", "").await;
        fixture
    }

    /// Another role, with these options of CREATE ROLE; its secret is the one that rotates from now on.
    pub async fn add_role(&mut self, name: &str, options: &str) {
        let create = "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L ', $1::text, $2::text)";
        let create = self.admin.query_one(create, &[&name, &FIRST]).await;
        let create: String = create.expect("a statement").get(0);
        self.admin(&(create + options)).await;
        name.clone_into(&mut self.role);
        self.stored.secret = format!("arn:{name}").into();
        self.put_current("first", &self.document(&json!({})));
    }

    /// What AWS's functions put into a secret, and `extra`.
    pub fn document(&self, extra: &Value) -> SecretDocument {
        let mut document = json!({
            "engine": "postgres", "host": self.server.host(), "port": self.server.port(),
            "username": self.role, "password": FIRST, "dbname": "postgres", "kept": 1.50,
        });
        merge(&mut document, extra);
        SecretDocument::from_text(&document.to_string())
    }

    pub async fn admin(&self, sql: &str) {
        self.admin.batch_execute(sql).await.expect(sql);
    }

    pub async fn ask<T: for<'a> tokio_postgres::types::FromSql<'a>>(&self, sql: &str) -> T {
        self.admin.query_one(sql, &[]).await.expect(sql).get(0)
    }

    /// Default settings, but that the server's authority is trusted.
    pub fn settings(&self) -> PostgresSettings {
        let policy = PasswordPolicy::new(&PasswordRules {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            ..PasswordRules::default()
        });
        let mut settings = PostgresSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub fn rotation(&self) -> PostgresRotation {
        self.rotation_with(self.settings())
    }

    pub fn rotation_with(&self, settings: PostgresSettings) -> PostgresRotation {
        Rotation::new(
            self.store.clone(),
            SingleUser::new(self.store.clone(), settings),
        )
    }

    /// A rotation with default settings that comes to its end; then the current version logs in, and
    /// differs from the one before.
    pub async fn rotates(&self, version: &str) {
        self.rotates_with(&self.rotation(), version).await;
    }

    pub async fn rotates_with(&self, rotation: &PostgresRotation, version: &str) {
        let before = self.password(&Label::Current).await;
        let rotated = self.rotate(rotation, version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        assert_eq!(self.version(&Label::Current).await, version.into());
        assert_ne!(self.password(&Label::Current).await, before);
        self.current_logs_in().await;
        self.refuses(&self.role, &before, "28P01").await;
    }

    /// The version that holds the label.
    pub async fn version(&self, label: &Label) -> VersionId {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret, &version).await;
        read.expect("a version with a value").id
    }

    /// Whether the server takes a password, without the code under test; else its code.
    pub async fn log_in(&self, role: &str, password: &str) -> Result<Client, String> {
        let mut config = tokio_postgres::Config::new();
        config
            .host(self.server.host())
            .port(self.server.port())
            .user(role)
            .password(password)
            .dbname("postgres");
        match config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                Ok(client)
            }
            Err(error) => Err(error.code().expect("an answer").code().to_owned()),
        }
    }

    pub async fn refuses(&self, role: &str, password: &str, code: &str) {
        let login = self.log_in(role, password).await;
        assert_eq!(login.err().as_deref(), Some(code));
    }

    pub async fn current_logs_in(&self) {
        let password = self.password(&Label::Current).await;
        let login = self.log_in(&self.role, &password).await;
        assert!(login.is_ok(), "AWSCURRENT is refused: {:?}", login.err());
    }

    /// Stores this password as pending, as createSecret of any function would.
    pub async fn put_pending(&self, version: &str, password: &str) {
        let patch = Patch::key("password", password.into());
        self.stored.put_pending(version, &patch).await;
    }
}

/// What it does with its secret.
impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}
