//! A broker, a store with one secret, and what the tests ask of them.

use std::error::Error;
use std::sync::Mutex;

use harness::rabbitmq::RabbitMqServer;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::rabbitmq::{
    AlternatingUsers, CaCertificates, PairSettings, RabbitMqSettings, SingleUser,
};
use secrecy::ExposeSecret;
use secrets_core::document::{Patch, SecretDocument};
use secrets_core::event::{SecretId, Step, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorError, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};

use crate::hidden;

/// The password that every user starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 %&+=/?";
/// Of the admin.
pub(crate) const ADMIN: &str = "sentinel-Admin:1 %&+=/?";
/// The virtual host of the tests.
pub(crate) const SHOP: &str = "shop";

pub(crate) type Alternating = Rotation<MemoryStore, AlternatingUsers<MemoryStore>>;

pub(crate) struct Fixture {
    pub(crate) server: RabbitMqServer,
    pub(crate) store: MemoryStore,
    pub(crate) secret: SecretId,
    pub(crate) user: String,
    /// All that rotations have made.
    passwords: Mutex<Vec<String>>,
}

impl Fixture {
    /// A broker with the virtual host and an admin of exactly the rights that docs/rabbitmq.md names.
    pub(crate) async fn start() -> Self {
        Self::of(RabbitMqServer::builder().start().await).await
    }

    pub(crate) async fn of(server: RabbitMqServer) -> Self {
        server.put(&["vhosts", SHOP], &Value::Null).await;
        let admin = json!({"password": ADMIN, "tags": "administrator"});
        server.put(&["users", "rotator"], &admin).await;
        let mut fixture = Self {
            server,
            store: MemoryStore::new(),
            secret: "none yet".into(),
            user: String::new(),
            passwords: Mutex::default(),
        };
        fixture.put_admin(
            "arn:admin",
            &json!({"username": "rotator", "password": ADMIN}),
        );
        fixture.another("app").await;
        fixture
    }

    /// Another user with rights of each kind; its secret is the one that rotates from now on.
    pub(crate) async fn another(&mut self, name: &str) {
        self.plain(name).await;
        give_rights(&self.server, name, SHOP).await;
    }

    /// The same without rights.
    pub(crate) async fn plain(&mut self, name: &str) {
        let user = json!({"password": FIRST, "tags": ""});
        self.server.put(&["users", name], &user).await;
        name.clone_into(&mut self.user);
        self.secret = format!("arn:{name}").into();
        self.put_current("first", &json!({}));
    }

    pub(crate) fn document(&self, extra: &Value) -> SecretDocument {
        let mut document = json!({
            "engine": "rabbitmq", "host": self.server.host(), "port": self.server.amqps_port(),
            "management_port": self.server.https_port(), "username": self.user, "password": FIRST,
            "masterarn": "arn:admin", "vhost": SHOP, "kept": 1.50,
        });
        for (key, value) in extra.as_object().expect("an object") {
            document[key] = value.clone();
        }
        SecretDocument::from_text(&document.to_string())
    }

    /// Gives the secret another current value, as its owner would.
    pub(crate) fn put_current(&self, version: &str, extra: &Value) {
        let document = self.document(extra);
        let put = self
            .store
            .put_current(&self.secret, &version.into(), &document);
        put.expect("a new version");
    }

    pub(crate) fn put_admin(&self, id: &str, value: &Value) {
        let document = SecretDocument::from_text(&value.to_string());
        let put = self.store.put_current(&id.into(), &"1".into(), &document);
        put.expect("a new version");
    }

    pub(crate) fn settings(&self) -> RabbitMqSettings {
        let policy = PasswordPolicy::new(&PasswordRules::default());
        let mut settings = RabbitMqSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn alternating(&self) -> Alternating {
        self.alternating_with(self.settings())
    }

    pub(crate) fn alternating_with(&self, settings: RabbitMqSettings) -> Alternating {
        let pair = PairSettings::default();
        let rotator = AlternatingUsers::new(self.store.clone(), settings, pair);
        Rotation::new(self.store.clone(), rotator)
    }

    pub(crate) fn single(&self) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
        let rotator = SingleUser::new(self.store.clone(), self.settings());
        Rotation::new(self.store.clone(), rotator)
    }

    /// What the service does: registers the version, and sends the four events.
    pub(crate) async fn rotate<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> Result<[Outcome; 4], RotationError> {
        let version = VersionId::from(version);
        let driver = Driver::new(&self.store, rotation, &self.secret);
        driver.begin(&version).expect("no other rotation");
        let transitions = driver.send_all(&version).await?;
        Ok(transitions.map(|transition| transition.outcome))
    }

    /// A rotation that comes to its end; then both labels log in.
    pub(crate) async fn rotates(&self, rotation: &Alternating, version: &str) {
        let before = self.value(&Label::Current, "password").await;
        let rotated = self.rotate(rotation, version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        let made = self.value(&Label::Current, "password").await;
        assert_ne!(made, before);
        self.passwords.lock().expect("no panic").extend(made);
        for label in [Label::Current, Label::Previous] {
            assert_eq!(self.logs_in(&label).await, Ok(()), "{label:?}");
        }
    }

    /// A rotation that fails with that code, kind and word, and hides every password.
    pub(crate) async fn fails<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
        (kind, code): (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.rotate(rotation, version).await.expect_err("a fault");
        let fault = error
            .source()
            .and_then(|it| it.downcast_ref::<RotatorError>());
        let fault = fault.unwrap_or_else(|| panic!("not of the rotator: {error:?}"));
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        let shown = hidden::shown(&error);
        hidden::assert_absent(&shown, ADMIN);
        for label in [Label::Current, Label::Pending, Label::Previous] {
            if let Some(password) = self.value(&label, "password").await {
                hidden::assert_absent(&shown, &password);
            }
        }
    }

    /// No text that others read holds a password of a secret, or what the broker stores of one.
    pub(crate) async fn hides_passwords(&self, text: &str) {
        let made = self.passwords.lock().expect("no panic").clone();
        assert!(made.len() > 10, "{}", made.len());
        for secret in made.iter().map(String::as_str).chain([FIRST, ADMIN]) {
            hidden::assert_absent(text, secret);
        }
        let users = self.server.get(&["users"]).await;
        for user in users.as_array().expect("a list") {
            let hash = user["password_hash"].as_str().expect("a text");
            assert!(
                hash.is_empty() || !text.contains(hash),
                "{hash} is in: {text}"
            );
        }
    }

    pub(crate) async fn send<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        step: Step,
        version: &str,
    ) -> Result<Outcome, RotationError> {
        let driver = Driver::new(&self.store, rotation, &self.secret);
        driver.send(step, &version.into()).await
    }

    /// Stores this as pending, as createSecret of any function would.
    pub(crate) async fn put_pending(&self, version: &str, patch: &Patch) {
        let version = VersionId::from(version);
        let begun = self.store.begin_rotation(&self.secret, &version);
        begun.expect("no other rotation");
        let current = self.store.get(&self.secret, &Version::CURRENT).await;
        let pending = current.expect("a value").document.patched(patch);
        let pending = pending.expect("short enough");
        let put = self
            .store
            .put_pending(&self.secret, &version, &pending, None);
        put.await.expect("an empty version");
    }

    pub(crate) async fn value(&self, label: &Label, key: &'static str) -> Option<String> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&self.secret, &version).await.ok()?;
        let value = read.document.text(key).expect("a text");
        Some(value.expose_secret().to_owned())
    }

    pub(crate) async fn current_user(&self) -> String {
        self.value(&Label::Current, "username")
            .await
            .expect("a name")
    }

    /// Whether the broker takes what the label holds, without the code under test; else its code.
    pub(crate) async fn logs_in(&self, label: &Label) -> Result<(), u16> {
        let user = self.value(label, "username").await.expect("a name");
        let password = self.value(label, "password").await.expect("a password");
        log_in(&self.server, &user, &password).await
    }

    pub(crate) async fn same_rights(&self, one: &str, two: &str) {
        assert_eq!(
            listing(&self.server, one).await,
            listing(&self.server, two).await
        );
    }
}

/// By the password alone: what the user may do is for [`listing`].
pub(crate) async fn log_in(server: &RabbitMqServer, user: &str, password: &str) -> Result<(), u16> {
    match server.log_in(user, password, SHOP).await {
        Ok(_) | Err(530) => Ok(()),
        Err(code) => Err(code),
    }
}

/// One of each kind.
pub(crate) async fn give_rights(server: &RabbitMqServer, name: &str, vhost: &str) {
    let user = json!({"password": FIRST, "tags": ["monitoring", "of the shop"]});
    server.put(&["users", name], &user).await;
    let permission = json!({"configure": "^x", "write": "a|b", "read": ".*"});
    server.put(&["permissions", vhost, name], &permission).await;
    for exchange in ["amq.topic", "orders"] {
        let topic = json!({"exchange": exchange, "write": "^w", "read": "^r"});
        server
            .put(&["topic-permissions", vhost, name], &topic)
            .await;
    }
    let limit = json!({"value": 50});
    server
        .put(&["user-limits", name, "max-connections"], &limit)
        .await;
}

/// All that the broker says of a user but its name and password, in one order.
pub(crate) async fn listing(server: &RabbitMqServer, name: &str) -> Option<Vec<String>> {
    let (status, user) = server.api("GET", &["users", name], &Value::Null).await;
    if status == 404 {
        return None;
    }
    let mut lines = vec![
        format!("tags {}", user["tags"]),
        format!("limits {}", user["limits"]),
    ];
    for kind in ["permissions", "topic-permissions"] {
        let mut list = server.get(&["users", name, kind]).await;
        for entry in list.as_array_mut().expect("a list") {
            entry.as_object_mut().expect("an object").remove("user");
            lines.push(format!("{kind} {entry}"));
        }
    }
    lines.sort();
    Some(lines)
}
