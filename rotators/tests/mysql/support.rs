//! A server, a store with one secret, and what the tests ask of them.

use std::ops::Deref;

use harness::mysql::{Builder, Edition, MySql, Server};
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, DriverError, Error, OptsBuilder};
use rotators::mysql::{
    CaCertificates, EXCLUDED_CHARACTERS, MySqlSettings, OldPassword, SingleUser,
};
use rotators::password::{PasswordPolicy, PasswordRules};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::{Rotator, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use serde_json::{Value, json};

use crate::hidden;
use crate::stored::{Stored, merge};
pub(crate) use crate::text::*;

/// The password that every user starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 %&+=/?\\'\"`";
/// Of the admin that `masterarn` names.
pub(crate) const ADMIN: &str = "sentinel-Admin~1";

/// Each test on both servers.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test]
            async fn on_mysql() {
                super::$test::<harness::mysql::MySql>().await;
            }
            #[tokio::test]
            async fn on_mariadb() {
                super::$test::<harness::mariadb::MariaDb>().await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// These tests one after the other on one server of each kind; each finds it as it was at the beginning.
macro_rules! on_one_of_each {
    ($group:ident: $($test:ident),+ $(,)?) => {
        mod $group {
            use crate::support::Fixture;

            #[tokio::test]
            async fn on_mysql() {
                let mut fixture = Fixture::<harness::mysql::MySql>::start().await;
                $(super::$test(fixture.renewed(stringify!($test)).await).await;)+
            }
            #[tokio::test]
            async fn on_mariadb() {
                let mut fixture = Fixture::<harness::mariadb::MariaDb>::start().await;
                $(super::$test(fixture.renewed(stringify!($test)).await).await;)+
            }
        }
    };
}
pub(crate) use on_one_of_each;

pub(crate) type Single = Rotation<MemoryStore, SingleUser<MemoryStore>>;

pub(crate) struct Fixture<E> {
    pub(crate) server: Server<E>,
    pub(crate) stored: Stored,
    pub(crate) user: String,
}

pub(crate) fn is_mysql<E: Edition>() -> bool {
    std::any::TypeId::of::<E>() == std::any::TypeId::of::<MySql>()
}

/// With the fewest rounds that the server takes, for tests that hash all the time.
pub(crate) fn quick_hashes<E: Edition>(builder: Builder<E>) -> Builder<E> {
    // The prefix lets MariaDB start, which knows no such setting.
    builder.setting("loose_caching_sha2_password_digest_rounds", "5000")
}

impl<E: Edition> Fixture<E> {
    /// A server with a user `app`, who may do what it needs for itself, and its secret.
    pub(crate) async fn start() -> Self {
        Self::start_with(quick_hashes(Server::builder())).await
    }

    pub(crate) async fn start_with(builder: Builder<E>) -> Self {
        let mut fixture = Self {
            server: builder.start().await,
            stored: Stored::new("none yet"),
            user: String::new(),
        };
        fixture.add_app().await;
        fixture
    }

    async fn add_app(&mut self) {
        self.add_user("app", &["%"]).await;
        if is_mysql::<E>() {
            self.root("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO app")
                .await;
        }
    }

    /// The same server for another test: with a user `app` and no other, and an empty store.
    pub(crate) async fn renewed(&mut self, test: &str) -> &mut Self {
        println!("{test}");
        let others = "SELECT CONCAT(QUOTE(user), '@', QUOTE(host)) FROM mysql.user \
                      WHERE user NOT IN ('root', 'mariadb.sys') AND user NOT LIKE 'mysql.%'";
        for account in self.ask::<String>(others).await {
            self.root(&format!("DROP USER {account}")).await;
        }
        self.stored.store = MemoryStore::new();
        self.add_app().await;
        self
    }

    /// Another user; its secret is the one that rotates from now on.
    pub(crate) async fn add_user(&mut self, name: &str, hosts: &[&str]) {
        for host in hosts {
            let create = format!(
                "CREATE USER {} IDENTIFIED BY {}",
                account(name, host),
                literal(FIRST)
            );
            self.root(&create).await;
        }
        name.clone_into(&mut self.user);
        self.stored.secret = format!("arn:{name}").into();
        self.put_current("first", &json!({}));
    }

    /// An admin with these grants, and its secret.
    pub(crate) async fn add_admin(&self, grants: &[&str]) {
        let create = format!("CREATE USER admin IDENTIFIED BY {}", literal(ADMIN));
        self.root(&create).await;
        for grant in grants {
            self.root(grant).await;
        }
        let secret = json!({"host": "127.0.0.1", "username": "admin", "password": ADMIN});
        self.put_admin("1", &secret);
    }

    /// The admin of one user, as the documentation says, and its place in the secret.
    pub(crate) async fn with_admin(&self) {
        self.add_admin(ADMIN_OF_ONE.get::<E>()).await;
        self.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    }

    /// What AWS's functions put into a secret, and `extra`.
    pub(crate) fn document(&self, extra: &Value) -> SecretDocument {
        let mut document = json!({
            "engine": if is_mysql::<E>() { "mysql" } else { "mariadb" },
            "host": self.server.host(), "port": self.server.port(),
            "username": self.user, "password": FIRST, "kept": 1.50,
        });
        merge(&mut document, extra);
        SecretDocument::from_text(&document.to_string())
    }

    /// Gives the secret another current value, as its owner would.
    pub(crate) fn put_current(&self, version: &str, extra: &Value) {
        self.stored.put_current(version, &self.document(extra));
    }

    /// Default settings, but that the server's authority is trusted.
    pub(crate) fn settings(&self) -> MySqlSettings {
        let policy = PasswordPolicy::new(&PasswordRules {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            ..PasswordRules::default()
        });
        let mut settings = MySqlSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn single(&self, old_password: OldPassword) -> Single {
        let store = self.store.clone();
        let rotator = SingleUser::new(store.clone(), self.settings(), old_password);
        Rotation::new(store, rotator)
    }

    /// A rotation that comes to its end; gives the password that was current before.
    pub(crate) async fn rotates<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> String {
        let current = async || self.value(&Label::Current, "password").await;
        let before = current().await.expect("a password");
        let rotated = self.rotate(rotation, version).await;
        let rotated = rotated.map(|outcomes| outcomes[3]);
        assert_eq!(rotated, Ok(Outcome::Promoted), "{}", self.server.log());
        assert_ne!(current().await.as_ref(), Some(&before));
        assert_eq!(self.current_logs_in().await, Ok(()));
        before
    }

    /// A rotation that fails with that code, kind and word in its chain, and hides every password.
    pub(crate) async fn fails<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
        fault: (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.stored.fails(rotation, version, fault, word).await;
        hidden::assert_absent(&hidden::shown(&error), ADMIN);
    }

    /// What a version holds under a key.
    pub(crate) async fn value(&self, label: &Label, key: &'static str) -> Option<String> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret, &version).await.ok()?;
        let text = read.document.text(key).ok()?;
        Some(text.expose_secret().to_owned())
    }

    /// Whether the server takes what is current, without the code under test; else its code.
    pub(crate) async fn current_logs_in(&self) -> Result<(), u16> {
        self.label_logs_in(&Label::Current).await
    }

    pub(crate) async fn label_logs_in(&self, label: &Label) -> Result<(), u16> {
        // Read at once: in between it may be another version.
        let version = Version::Labelled(label.clone());
        let read = self
            .store
            .get(&self.secret, &version)
            .await
            .expect("a value");
        let text = |key| read.document.text(key).expect("a text");
        let (user, password) = (text("username"), text("password"));
        self.log_in(user.expose_secret(), password.expose_secret())
            .await
    }

    pub(crate) async fn log_in(&self, user: &str, password: &str) -> Result<(), u16> {
        let conn = self.connect(user, password).await?;
        conn.disconnect().await.expect("the end of a session");
        Ok(())
    }

    /// Over the socket, as a user at `localhost`.
    pub(crate) async fn connect(&self, user: &str, password: &str) -> Result<Conn, u16> {
        let socket = self.server.socket();
        let options = OptsBuilder::default()
            .socket(socket.to_str())
            .user(Some(user))
            .pass(Some(password));
        match Conn::new(options).await {
            Ok(conn) => Ok(conn),
            Err(Error::Server(fault)) => Err(fault.code),
            // MySQL asks those whom it does not know for any of its ways to log in.
            Err(Error::Driver(DriverError::UnknownAuthPlugin { .. })) => Err(1045),
            Err(fault) => panic!("no answer: {fault}"),
        }
    }

    pub(crate) async fn root(&self, sql: &str) {
        let mut root = self.root_session().await;
        root.query_drop(sql)
            .await
            .unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        root.disconnect().await.expect("the end of a session");
    }

    pub(crate) async fn ask<T: FromRow + Send + 'static>(&self, sql: &str) -> Vec<T> {
        let mut root = self.root_session().await;
        let rows = root
            .query(sql)
            .await
            .unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        root.disconnect().await.expect("the end of a session");
        rows
    }

    /// Nothing of it is in the logs.
    pub(crate) async fn root_session(&self) -> Conn {
        let root = self.connect("root", self.server.root_password()).await;
        let mut root = root.expect("root");
        let silent =
            "SET SESSION sql_log_off = ON, SESSION long_query_time = 1000, SESSION sql_mode = ''";
        root.query_drop(silent).await.expect("root");
        root
    }
}

/// What it does with its secret.
impl<E> Deref for Fixture<E> {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}
