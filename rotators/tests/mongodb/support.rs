//! A server, a store with one secret, and what the tests ask of them.

use bson::{Bson, Document, doc};
use harness::mongodb::{FakeMongo, MongoBuilder};
use rotators::mongodb::{
    AlternatingUsers, CaCertificates, EXCLUDED_CHARACTERS, MongoDbSettings, PairSettings,
    SingleUser,
};
use rotators::password::{PasswordPolicy, PasswordRules};
use secrecy::ExposeSecret;
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorError, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};

use crate::hidden;

/// The password that every user starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 %&+=/?";

/// The password of the admin, who has the least rights that do.
pub(crate) const ADMIN: &str = "sentinel-admin-password";

/// What the documentation says that the admin of a pair needs, in the users' database and in all.
pub(crate) const ADMIN_ON_USERS: [&str; 5] = [
    "viewUser",
    "createUser",
    "changePassword",
    "changeCustomData",
    "setAuthenticationRestriction",
];
pub(crate) const ADMIN_ON_ALL: [&str; 2] = ["grantRole", "revokeRole"];

/// What a user needs that changes itself.
pub(crate) const ON_ITSELF: [&str; 1] = ["changeOwnPassword"];

pub(crate) const SECRET: &str = "arn:app";

/// The users' database, unless a test says otherwise.
pub(crate) const DB: &str = "shop";

pub(crate) struct Stage {
    pub(crate) server: FakeMongo,
    pub(crate) store: MemoryStore,
    pub(crate) user: String,
}

impl Stage {
    /// MongoDB with a user `app` that changes itself, and an admin with the least rights for pairs.
    pub(crate) async fn start(extra: &Value) -> Self {
        Self::start_with(FakeMongo::builder(), extra).await
    }

    /// The same on another server; `extra` is what the secret holds besides.
    pub(crate) async fn start_with(builder: MongoBuilder, extra: &Value) -> Self {
        let stage = Self {
            server: builder.start().await,
            store: MemoryStore::new(),
            user: "app".to_owned(),
        };
        populate(&stage.server);
        add_user(&stage.server, "app");
        stage.put("first", extra);
        put_admin(&stage.store, &json!({}));
        stage
    }

    /// Gives the secret another current value, as its owner would.
    pub(crate) fn put(&self, version: &str, extra: &Value) {
        put(&self.store, SECRET, version, &self.document(extra));
    }

    /// The first secret, and `extra`.
    pub(crate) fn document(&self, extra: &Value) -> Value {
        let mut document = json!({
            "engine": "mongo", "host": self.server.host(), "port": self.server.port(),
            "username": self.user, "password": FIRST, "authentication_database": DB, "kept": 1.50,
        });
        for (key, value) in extra.as_object().expect("an object") {
            document[key] = value.clone();
        }
        document
    }

    /// Default settings, but that the server's authority is trusted.
    pub(crate) fn settings(&self) -> MongoDbSettings {
        let mut settings = default_settings();
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn single(&self) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
        let rotator = SingleUser::new(self.store.clone(), self.settings());
        Rotation::new(self.store.clone(), rotator)
    }

    pub(crate) fn pair(&self) -> Rotation<MemoryStore, AlternatingUsers<MemoryStore>> {
        let pair = PairSettings::default();
        let rotator = AlternatingUsers::new(self.store.clone(), self.settings(), pair);
        Rotation::new(self.store.clone(), rotator)
    }

    /// What the service does: registers the version unless it is there, and sends the four events.
    pub(crate) async fn rotate<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> Result<[Outcome; 4], RotationError> {
        let version = VersionId::from(version);
        let secret = SecretId::from(SECRET);
        let driver = Driver::new(&self.store, rotation, &secret);
        driver
            .begin(&version)
            .expect("no other rotation is under way");
        let transitions = driver.send_all(&version).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    /// A rotation that comes to its end; then the current version logs in.
    pub(crate) async fn rotates<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) {
        let before = self.login(&Label::Current).await;
        let rotated = self.rotate(rotation, version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        let (user, password) = self.login(&Label::Current).await;
        assert_ne!(password, before.1);
        assert!(self.server.knows(DB, &user, &password));
    }

    /// A rotation that fails with that kind, code and word in its cause, and hides every password.
    pub(crate) async fn fails<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
        (kind, code): (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.rotate(rotation, version).await.expect_err("a fault");
        let source = std::error::Error::source(&error).expect("a cause");
        let fault: &RotatorError = source.downcast_ref().expect("of the rotator");
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        let shown = hidden::shown(&error);
        for password in self.server.passwords() {
            hidden::assert_absent(&shown, &password);
        }
        if let Some((_, password)) = self.value(&Label::Pending).await {
            hidden::assert_absent(&shown, &password);
        }
    }

    /// User and password of a version.
    pub(crate) async fn login(&self, label: &Label) -> (String, String) {
        self.value(label).await.expect("a version with a value")
    }

    pub(crate) async fn value(&self, label: &Label) -> Option<(String, String)> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&SECRET.into(), &version).await.ok()?;
        let text = |key| {
            let text = read.document.text(key).expect("a text");
            text.expose_secret().to_owned()
        };
        Some((text("username"), text("password")))
    }

    /// Stores this as pending, as createSecret of any function would.
    pub(crate) async fn put_pending(&self, version: &str, user: &str, password: &str) {
        let (secret, version) = (SecretId::from(SECRET), VersionId::from(version));
        self.store
            .begin_rotation(&secret, &version)
            .expect("no other rotation is under way");
        let current = self.store.get(&secret, &Version::CURRENT).await;
        let patch = Patch::key("password", password.into()).and("username", user.into());
        let pending = current.expect("a value").document.patched(&patch);
        let pending = pending.expect("short enough");
        let put = self.store.put_pending(&secret, &version, &pending, None);
        put.await.expect("an empty version");
    }

    /// The commands that the server got, each by its name; the greeting and the login left out.
    pub(crate) fn work(&self) -> Vec<String> {
        names(&self.server)
            .into_iter()
            .filter(|name| name != "isMaster" && !name.starts_with("sasl"))
            .collect()
    }

    /// All that is told of a user, under a name that both users of a pair have.
    pub(crate) fn rights(&self, user: &str) -> Document {
        rights(&self.server, user)
    }
}

pub(crate) fn default_settings() -> MongoDbSettings {
    let policy = PasswordPolicy::new(&PasswordRules {
        exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
        ..PasswordRules::default()
    });
    MongoDbSettings::new(policy.expect("the default"))
}

/// The roles of the tests, and the admin.
pub(crate) fn populate(server: &FakeMongo) {
    let (users, all): (&[&str], &[&str]) = (&ADMIN_ON_USERS, &ADMIN_ON_ALL);
    server.create_role("admin", "rotator", &[(DB, users), ("", all)]);
    server.create_role(DB, "itself", &[(DB, &ON_ITSELF)]);
    server.create_user("admin", "rotator", ADMIN, &[("rotator", "admin")]);
}

/// What each user may do.
pub(crate) const ROLES: [(&str, &str); 2] = [("readWrite", DB), ("itself", DB)];

/// A user with two roles, data and restrictions.
pub(crate) fn add_user(server: &FakeMongo, name: &str) {
    server.create_user(DB, name, FIRST, &ROLES);
    describe(server, name);
}

/// Data and restrictions.
pub(crate) fn describe(server: &FakeMongo, name: &str) {
    let data = doc! {"team": "a", "$set": {"roles": []}, "since": bson::DateTime::MAX};
    let from = Bson::Document(doc! {"clientSource": ["127.0.0.1/32"]});
    server.describe_user(DB, name, data, vec![from]);
}

pub(crate) fn rights(server: &FakeMongo, user: &str) -> Document {
    let mut rights = server.user(DB, user).unwrap_or_default();
    rights.remove("_id");
    rights.remove("user");
    if let Ok(roles) = rights.get_array_mut("roles") {
        roles.sort_by_key(ToString::to_string);
    }
    rights
}

pub(crate) fn names(server: &FakeMongo) -> Vec<String> {
    let commands = server.commands().into_iter();
    commands
        .map(|command| command.keys().next().expect("a name").clone())
        .collect()
}

pub(crate) fn put(store: &MemoryStore, secret: &str, version: &str, value: &Value) {
    let document = SecretDocument::from_text(&value.to_string());
    let put = store.put_current(&secret.into(), &version.into(), &document);
    put.expect("a new version");
}

/// The admin's secret.
pub(crate) fn put_admin(store: &MemoryStore, extra: &Value) {
    let mut admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN});
    for (key, value) in extra.as_object().expect("an object") {
        admin[key] = value.clone();
    }
    let version = format!(
        "admin {}",
        extra.as_object().map_or(0, serde_json::Map::len)
    );
    put(store, "arn:admin", &version, &admin);
}

/// That a secret has an admin.
pub(crate) fn with_admin() -> Value {
    json!({"masterarn": "arn:admin"})
}
