//! A fake cluster, a store with one secret, and what the tests ask of both.

use harness::redshift::{Kind, RedshiftFake, StoredAs};
use rotators::password::PasswordRules;
use rotators::redshift::{AlternatingUsers, PairSettings, RedshiftSettings, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::{SecretId, VersionId};
use secrets_core::rotation::{Outcome, Rotation, RotationError};
use secrets_core::rotator::{Rotator, RotatorError, RotatorErrorKind};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};

use crate::hidden;

pub(crate) const FIRST: &str = "Sentinel-first:1~%&+=?";
pub(crate) const ADMIN: &str = "Sentinel-Admin-4711";

pub(crate) struct Fixture {
    pub(crate) fake: RedshiftFake,
    pub(crate) store: MemoryStore,
    pub(crate) user: String,
}

pub(crate) fn settings() -> RedshiftSettings {
    let mut settings = RedshiftSettings::new(&PasswordRules::default()).expect("the default");
    // Far above what the fake takes, far below what a test may.
    settings.timeouts.statement = std::time::Duration::from_secs(20);
    settings.timeouts.login = std::time::Duration::from_secs(20);
    settings
}

impl Fixture {
    /// A cluster with this user, and a superuser `manager` who is the admin.
    pub(crate) async fn start(user: &str, stored: StoredAs) -> Self {
        let fixture = Self {
            fake: RedshiftFake::start().await,
            store: MemoryStore::new(),
            user: user.to_owned(),
        };
        fixture.fake.put_user(user, FIRST, stored);
        fixture.fake.put_user("manager", ADMIN, StoredAs::Md5);
        fixture.fake.run("ALTER USER manager CREATEUSER");
        fixture.put(
            "arn:admin",
            "first",
            &json!({"username": "manager", "password": ADMIN}),
        );
        fixture.put_current("first", &json!({}));
        fixture
    }

    pub(crate) fn put(&self, id: &str, version: &str, value: &Value) {
        let document = SecretDocument::from_text(&value.to_string());
        let put = self
            .store
            .put_current(&id.into(), &version.into(), &document);
        put.expect("a new version");
    }

    /// Gives the secret another current value, with these keys more.
    pub(crate) fn put_current(&self, version: &str, extra: &Value) {
        let mut value = json!({
            "engine": "redshift", "host": self.fake.host(), "port": self.fake.port(),
            "username": self.user, "password": FIRST, "masterarn": "arn:admin",
            "ca_certificate": self.fake.ca_pem(), "kept": 1.50,
        });
        for (key, more) in extra.as_object().expect("an object") {
            value[key] = more.clone();
        }
        self.put("s", version, &value);
    }

    /// Registers a version and stores this login as pending, as createSecret of any function would.
    pub(crate) async fn put_pending(&self, version: &str, user: &str, password: &str) {
        let (id, version) = (SecretId::from("s"), VersionId::from(version));
        self.store
            .begin_rotation(&id, &version)
            .expect("no other rotation");
        let pending = json!({
            "engine": "redshift", "host": self.fake.host(), "port": self.fake.port(),
            "username": user, "password": password, "masterarn": "arn:admin",
            "ca_certificate": self.fake.ca_pem(), "kept": 1.50,
        });
        let pending = SecretDocument::from_text(&pending.to_string());
        let put = self.store.put_pending(&id, &version, &pending, None);
        put.await.expect("an empty version");
    }

    pub(crate) fn single(&self) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
        self.over(SingleUser::new(self.store.clone(), settings()))
    }

    pub(crate) fn pair(&self) -> Rotation<MemoryStore, AlternatingUsers<MemoryStore>> {
        let pair = PairSettings::default();
        self.over(AlternatingUsers::new(self.store.clone(), settings(), pair))
    }

    pub(crate) fn over<R: Rotator>(&self, rotator: R) -> Rotation<MemoryStore, R> {
        Rotation::new(self.store.clone(), rotator)
    }

    /// What the service does: registers the version unless it is there, and sends the four events.
    pub(crate) async fn rotate<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> Result<(), RotationError> {
        let version = VersionId::from(version);
        let driver = Driver::new(&self.store, rotation, &"s".into());
        driver
            .begin(&version)
            .expect("no other rotation is under way");
        let transitions = driver.send_all(&version).await?;
        assert_eq!(transitions[3].outcome, Outcome::Promoted);
        Ok(())
    }

    /// A rotation that comes to its end; gives what logs in now.
    pub(crate) async fn rotates<R: Rotator>(
        &self,
        rotation: &Rotation<MemoryStore, R>,
        version: &str,
    ) -> (String, String) {
        let done = self.rotate(rotation, version).await;
        done.unwrap_or_else(|fault| {
            panic!(
                "{version}: {fault:?} {:?}",
                std::error::Error::source(&fault)
            )
        });
        let (user, password) = self.login(&Label::Current).await;
        assert!(self.fake.takes(&user, &password), "AWSCURRENT is refused");
        (user, password)
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
        let source = std::error::Error::source(&error).expect("a cause");
        let fault: &RotatorError = source.downcast_ref().expect("of the rotator");
        assert_eq!((fault.kind(), fault.code()), (kind, code), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        let shown = hidden::shown(&error);
        hidden::assert_absent(&shown, FIRST);
        hidden::assert_absent(&shown, ADMIN);
        if let Some(pending) = self.try_login(&Label::Pending).await {
            hidden::assert_absent(&shown, &pending.1);
        }
    }

    pub(crate) async fn login(&self, label: &Label) -> (String, String) {
        self.try_login(label).await.expect("a version with a value")
    }

    async fn try_login(&self, label: &Label) -> Option<(String, String)> {
        let version = Version::Labelled(label.clone());
        let read = self.store.get(&"s".into(), &version).await.ok()?;
        let text = |key| {
            read.document
                .text(key)
                .expect(key)
                .expose_secret()
                .to_owned()
        };
        Some((text("username"), text("password")))
    }

    /// The statements since the last time, without logins and without what only looks or prepares.
    pub(crate) fn changes(&self) -> Vec<String> {
        let seen = self.fake.seen().into_iter().map(|(_, statement)| statement);
        let looks = ["LOGIN", "SELECT", "SET "];
        seen.filter(|it| !looks.iter().any(|look| it.starts_with(look)))
            .collect()
    }
}

/// Everything that there is to have rights on, and a user of which `{}` is the quoted name.
pub(crate) fn give_rights(fake: &RedshiftFake, user: &str) {
    let owner = RedshiftFake::SUPERUSER;
    for (kind, path) in [
        (Kind::Schema, &["Work"][..]),
        (Kind::ExternalSchema, &["spectrum"]),
        (Kind::Table, &["Work", "Shared"]),
        (Kind::View, &["Work", "seen"]),
        (Kind::Function, &["Work", "f", "integer, character varying"]),
        (Kind::Procedure, &["Work", "p", ""]),
        (Kind::Language, &["plpythonu"]),
        (Kind::Model, &["Work", "m"]),
        (Kind::Datashare, &["share"]),
    ] {
        fake.add(kind, path, owner);
    }
    fake.add(Kind::Table, &["Work", "own"], user);
    fake.add(Kind::Schema, &["own"], user);
    fake.add(Kind::Function, &["own", "f", ""], user);
    let rights = r#"
        CREATE GROUP "Readers"
        CREATE ROLE analyst
        CREATE ROLE lead
        ALTER USER {} CREATEDB SYSLOG ACCESS UNRESTRICTED CONNECTION LIMIT 9 SESSION TIMEOUT 120
        ALTER USER {} SET search_path TO '$user', 'Work', 'public'
        ALTER USER {} SET query_group TO 'a "b" c\\d'
        ALTER GROUP "Readers" ADD USER {}
        GRANT ROLE analyst TO {}
        GRANT ROLE lead TO {} WITH ADMIN OPTION
        GRANT EXPLAIN RLS TO {}
        GRANT CREATE, TEMP ON DATABASE dev TO {}
        GRANT USAGE FOR SCHEMAS IN DATABASE dev TO {}
        GRANT USAGE ON SCHEMA "Work" TO {}
        GRANT USAGE ON SCHEMA spectrum TO {}
        GRANT SELECT FOR TABLES IN SCHEMA "Work" TO {}
        GRANT SELECT, INSERT ON TABLE "Work"."Shared" TO {}
        GRANT DELETE ON TABLE "Work"."Shared" TO {} WITH GRANT OPTION
        GRANT SELECT ON TABLE "Work".seen TO {}
        GRANT UPDATE ("Note") ON TABLE "Work"."Shared" TO {}
        GRANT EXECUTE ON FUNCTION "Work".f(integer, character varying) TO {}
        GRANT EXECUTE ON PROCEDURE "Work".p() TO {}
        GRANT USAGE ON LANGUAGE plpythonu TO {}
        GRANT EXECUTE ON MODEL "Work".m TO {}
        GRANT ALTER ON DATASHARE share TO {}
        GRANT ASSUMEROLE ON 'arn:aws:iam::1:role/load' TO {} FOR COPY, EXTERNAL FUNCTION
        GRANT ASSUMEROLE ON default TO {} FOR UNLOAD
        ALTER DEFAULT PRIVILEGES FOR USER awsuser IN SCHEMA "Work" GRANT SELECT ON TABLES TO {}
        ALTER DEFAULT PRIVILEGES FOR USER {} GRANT SELECT ON TABLES TO GROUP "Readers"
        ALTER DEFAULT PRIVILEGES FOR USER {} GRANT EXECUTE ON FUNCTIONS TO PUBLIC
    "#;
    let quoted = format!("\"{}\"", user.replace('"', "\"\""));
    fake.run(&rights.replace("{}", &quoted));
}
