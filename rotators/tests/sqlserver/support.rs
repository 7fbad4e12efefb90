//! A server, an admin with the rights that the documentation names, a login with all kinds of rights, and its
//! secret.

use harness::sqlserver::SqlServer;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::sqlserver::{
    AlternatingUsers, CaCertificates, EXCLUDED_CHARACTERS, PairSettings, SingleUser,
    SqlServerSettings,
};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{Step, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorError, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};

use crate::hidden;

/// The password that every user starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 ;]['%&+=/?";
pub(crate) const ADMIN: &str = "sentinel-of-the-Admin-1";

/// What docs/sqlserver.md says of an admin of pairs; in `shop`, the last two.
pub(crate) const ADMIN_OF_PAIRS: [&str; 3] = [
    "GRANT ALTER ANY LOGIN TO [rotator]",
    "GRANT VIEW ANY DEFINITION TO [rotator]",
    "GRANT VIEW SERVER STATE TO [rotator] WITH GRANT OPTION",
];
pub(crate) const ADMIN_IN_A_DATABASE: [&str; 2] = [
    "CREATE USER [rotator] FOR LOGIN [rotator]",
    "ALTER ROLE [db_owner] ADD MEMBER [rotator]",
];

/// What the login may do at the server, and in `shop`; `$` is its name.
pub(crate) const AT_SERVER: [&str; 2] = [
    "GRANT VIEW SERVER STATE TO $",
    "ALTER LOGIN $ WITH DEFAULT_DATABASE = [shop], CHECK_EXPIRATION = OFF, CHECK_POLICY = ON",
];
pub(crate) const IN_SHOP: [&str; 8] = [
    "CREATE USER $ FOR LOGIN $ WITH DEFAULT_SCHEMA = [sales]",
    "ALTER ROLE [db_datareader] ADD MEMBER $",
    "ALTER ROLE [clerks] ADD MEMBER $",
    "GRANT SELECT ON OBJECT::[sales].[orders] TO $",
    "DENY SELECT ON OBJECT::[sales].[orders] ([total]) TO $ CASCADE",
    "GRANT EXECUTE ON SCHEMA::[sales] TO $ WITH GRANT OPTION",
    "GRANT VIEW DEFINITION ON ROLE::[clerks] TO $",
    "GRANT CREATE TABLE TO $",
];

pub(crate) struct Fixture {
    pub(crate) server: SqlServer,
    pub(crate) store: MemoryStore,
    pub(crate) secret: &'static str,
    pub(crate) user: String,
}

impl Fixture {
    /// A server with the database `shop`, the admin, and the login `app`, which may do this and that.
    pub(crate) async fn start() -> Self {
        Self::on(SqlServer::start().await)
    }

    pub(crate) fn on(server: SqlServer) -> Self {
        server.add_login("rotator", ADMIN);
        for grant in ADMIN_OF_PAIRS {
            server.execute("master", grant);
        }
        server.add_database("shop");
        for statement in ADMIN_IN_A_DATABASE {
            server.execute("shop", statement);
        }
        server.add_role(Some("shop"), "clerks");
        server.add_thing("shop", "SCHEMA", None, "sales");
        server.add_thing("shop", "OBJECT_OR_COLUMN", Some("sales"), "orders");
        server.add_column("shop", "sales", "orders", "total");
        let fixture = Self {
            server,
            store: MemoryStore::new(),
            secret: "arn:app",
            user: "app".to_owned(),
        };
        fixture.add_login("app");
        fixture.put_admin(&json!({}));
        fixture.put_current("first", &json!({}));
        fixture
    }

    /// A login with these rights.
    pub(crate) fn add_login(&self, name: &str) {
        self.server.add_login(name, FIRST);
        self.give(name, "master", &AT_SERVER);
        self.give(name, "shop", &IN_SHOP);
    }

    pub(crate) fn give(&self, name: &str, database: &str, rights: &[&str]) {
        for right in rights {
            self.server
                .execute(database, &right.replace('$', &quoted(name)));
        }
    }

    pub(crate) fn put_admin(&self, extra: &Value) {
        let mut admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN});
        merge(&mut admin, extra);
        self.put("arn:admin", "1", &admin);
    }

    /// The same once more, with other values.
    pub(crate) fn put_admin_again(&self, extra: &Value) {
        let mut admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN});
        merge(&mut admin, extra);
        self.put("arn:admin", "2", &admin);
    }

    /// What AWS's functions put into a secret, and `extra`; null takes a key away.
    pub(crate) fn put_current(&self, version: &str, extra: &Value) {
        let mut value = json!({
            "engine": "sqlserver", "host": self.server.host(), "port": self.server.port(),
            "username": self.user, "password": FIRST, "dbname": "shop", "masterarn": "arn:admin",
            "kept": 1.50,
        });
        merge(&mut value, extra);
        self.put(self.secret, version, &value);
    }

    fn put(&self, secret: &str, version: &str, value: &Value) {
        let document = SecretDocument::from_text(&value.to_string());
        let put = self
            .store
            .put_current(&secret.into(), &version.into(), &document);
        put.expect("a new version");
    }

    /// Default settings, but that the server's authority is trusted.
    pub(crate) fn settings(&self) -> SqlServerSettings {
        let policy = PasswordPolicy::new(&PasswordRules {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            ..PasswordRules::default()
        });
        let mut settings = SqlServerSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn single(&self) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
        let rotator = SingleUser::new(self.store.clone(), self.settings());
        Rotation::new(self.store.clone(), rotator)
    }

    pub(crate) fn alternating(&self) -> Rotation<MemoryStore, AlternatingUsers<MemoryStore>> {
        let (store, pair) = (self.store.clone(), PairSettings::default());
        let rotator = AlternatingUsers::new(store, self.settings(), pair);
        Rotation::new(self.store.clone(), rotator)
    }

    /// What the service does: registers the version, and sends the four events.
    pub(crate) async fn rotate<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> Result<[Outcome; 4], RotationError> {
        let secret = self.secret.into();
        let driver = Driver::new(&self.store, rotation, &secret);
        let version = VersionId::from(version);
        driver.begin(&version).expect("no other rotation");
        let transitions = driver.send_all(&version).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    pub(crate) async fn send<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        step: Step,
        version: &str,
    ) -> Result<Outcome, RotationError> {
        let secret = self.secret.into();
        let driver = Driver::new(&self.store, rotation, &secret);
        driver.send(step, &version.into()).await
    }

    /// A rotation that comes to its end; then what is current logs in.
    pub(crate) async fn rotates<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) {
        let rotated = self.rotate(rotation, version).await;
        let rotated = rotated.map(|outcomes| outcomes[3]);
        assert_eq!(rotated, Ok(Outcome::Promoted), "{version}");
        assert!(self.works(&Label::Current).await);
        self.is_understood();
    }

    /// A rotation that fails with that code, kind and word in its chain, and hides every password.
    pub(crate) async fn fails<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
        (kind, code): (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.rotate(rotation, version).await.expect_err("a fault");
        self.is_that(&error, (kind, code), word).await;
    }

    pub(crate) async fn is_that(
        &self,
        error: &RotationError,
        (kind, code): (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let source = std::error::Error::source(error).expect("a cause");
        let fault = source.downcast_ref::<RotatorError>();
        let fault = fault.unwrap_or_else(|| panic!("not of the rotator: {error:?}"));
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        let shown = hidden::shown(error);
        hidden::assert_absent(&shown, ADMIN);
        for label in [Label::Current, Label::Pending, Label::Previous] {
            if let Some((_, password)) = self.login(&label).await {
                hidden::assert_absent(&shown, &password);
            }
        }
        self.is_understood();
    }

    /// Name and password under a label.
    pub(crate) async fn login(&self, label: &Label) -> Option<(String, String)> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret.into(), &version).await.ok()?;
        let text = |key| read.document.text(key).expect("a text");
        let [user, password] = [text("username"), text("password")];
        Some((
            user.expose_secret().to_owned(),
            password.expose_secret().to_owned(),
        ))
    }

    pub(crate) async fn works(&self, label: &Label) -> bool {
        let (user, password) = self.login(label).await.expect("a version");
        self.server.has_password("shop", &user, &password)
    }

    /// The fake knew all that it was sent.
    pub(crate) fn is_understood(&self) {
        assert_eq!(self.server.not_understood(), Vec::<String>::new());
    }

    /// What changed something, with the passwords that are known written as such.
    pub(crate) async fn changes(&self) -> Vec<String> {
        let mut known = vec![(FIRST.to_owned(), "<first>".to_owned())];
        for label in [Label::Current, Label::Pending, Label::Previous] {
            if let Some((_, password)) = self.login(&label).await {
                known.push((password, format!("<{}>", label.as_str())));
            }
        }
        let statements = self.server.statements().into_iter();
        let changes =
            statements.filter(|sql| !sql.starts_with("SELECT") && !sql.starts_with("USE"));
        let named = changes.map(|sql| {
            known.iter().fold(sql, |sql, (password, name)| {
                sql.replace(&password.replace('\'', "''"), name)
            })
        });
        named.collect()
    }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

fn merge(value: &mut Value, extra: &Value) {
    let value = value.as_object_mut().expect("an object");
    for (key, extra) in extra.as_object().expect("an object") {
        if extra.is_null() {
            value.remove(key);
        } else {
            value.insert(key.clone(), extra.clone());
        }
    }
}
