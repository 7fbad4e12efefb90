//! A server, a store with one secret, and what the tests ask of them.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use harness::ldap::{LdapBuilder, LdapServer, ROOT, ROOT_PASSWORD};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Mod, Scope, SearchEntry};
use rotators::ldap::{CaCertificates, EXCLUDED_CHARACTERS, LdapSettings, SingleUser};
use rotators::password::{PasswordPolicy, PasswordRules};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use secrets_core::document::SecretDocument;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::hidden;
use crate::stored::{Stored, merge};

/// The password that every entry starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 %&+=/?";
/// The password of the admin, who has the least access that does.
pub(crate) const ADMIN: &str = "sentinel-admin-password";

pub(crate) const ADMIN_NAME: &str = "cn=rotator,dc=example,dc=com";
pub(crate) const APP: &str = "uid=app,ou=services,dc=example,dc=com";

/// What the documentation says that an admin needs; nobody may do anything else.
pub(crate) const ACCESS: [&str; 4] = [
    "to dn.subtree=\"ou=services,dc=example,dc=com\" attrs=userPassword \
     by dn.exact=\"cn=rotator,dc=example,dc=com\" write by anonymous auth by * none",
    "to dn.subtree=\"ou=services,dc=example,dc=com\" attrs=entry,objectClass \
     by dn.exact=\"cn=rotator,dc=example,dc=com\" read by * none",
    "to attrs=userPassword by anonymous auth by * none",
    "to * by * none",
];

/// A server with an entry `app`, an admin, and the rules above.
pub(crate) fn with_admin() -> LdapBuilder {
    ACCESS.into_iter().fold(bare(), LdapBuilder::access)
}

/// A server with an entry `app` that may change itself, as Debian's package sets it up; and an admin who may
/// not do anything.
pub(crate) fn bare() -> LdapBuilder {
    LdapServer::builder().user("app", FIRST).entry(&format!(
        "dn: {ADMIN_NAME}\nobjectClass: device\nobjectClass: simpleSecurityObject\ncn: rotator\n\
         userPassword: {ADMIN}"
    ))
}

/// A connection of the test's own, without the code under test.
pub(crate) struct Client(Ldap);

impl Client {
    /// A TLS connection, without a login.
    pub(crate) async fn connect(server: &LdapServer) -> Self {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).expect("PEM");
        roots.add(ca).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let url = format!("ldaps://{}:{}", server.host(), server.port());
        let settings = LdapConnSettings::new().set_config(Arc::new(config));
        Self::open(settings, &url).await
    }

    /// A connection without TLS, without a login.
    pub(crate) async fn plaintext(server: &LdapServer) -> Self {
        let url = format!("ldap://{}:{}", server.host(), server.plain_port());
        Self::open(LdapConnSettings::new(), &url).await
    }

    async fn open(settings: LdapConnSettings, url: &str) -> Self {
        let opened = LdapConnAsync::with_settings(settings, url).await;
        let (connection, ldap) = opened.expect("it listens");
        tokio::spawn(connection.drive());
        Self(ldap)
    }

    /// Who may do everything.
    pub(crate) async fn root(server: &LdapServer) -> Self {
        let mut client = Self::plaintext(server).await;
        assert_eq!(client.bind(ROOT, ROOT_PASSWORD).await, 0);
        client
    }

    /// The result code.
    pub(crate) async fn bind(&mut self, name: &str, password: &str) -> u32 {
        let answer = self.0.simple_bind(name, password).await;
        answer.expect("an answer").rc
    }

    /// The values of an attribute, as text.
    pub(crate) async fn values(&mut self, entry: &str, attribute: &str) -> Vec<String> {
        let wanted = [attribute];
        let found = self.0.search(entry, Scope::Base, "(objectClass=*)", wanted);
        let (found, _) = found.await.expect("an answer").success().expect("an entry");
        let entry = found.into_iter().next().expect("one entry");
        let mut entry = SearchEntry::construct(entry);
        entry.attrs.remove(attribute).unwrap_or_default()
    }

    pub(crate) async fn passwords(&mut self, entry: &str) -> Vec<String> {
        let mut values = self.values(entry, "userPassword").await;
        values.sort();
        values
    }

    pub(crate) async fn modify(&mut self, entry: &str, change: Mod<&str>) {
        let answer = self.0.modify(entry, vec![change]).await;
        answer.expect("an answer").success().expect("root may");
    }

    /// Gives an attribute these values and no others.
    pub(crate) async fn replace(&mut self, entry: &str, attribute: &str, values: &[&str]) {
        let values = values.iter().copied().collect();
        self.modify(entry, Mod::Replace(attribute, values)).await;
    }

    pub(crate) async fn add_value(&mut self, entry: &str, attribute: &str, value: &str) {
        let values = HashSet::from([value]);
        self.modify(entry, Mod::Add(attribute, values)).await;
    }

    pub(crate) async fn remove_value(&mut self, entry: &str, attribute: &str, value: &str) {
        let values = HashSet::from([value]);
        self.modify(entry, Mod::Delete(attribute, values)).await;
    }

    /// A new entry that logs in with this password.
    pub(crate) async fn add_entry(&mut self, entry: &str, uid: &str, password: &[u8]) {
        let set = |value: &[u8]| HashSet::from([value.to_vec()]);
        let classes = [b"account".to_vec(), b"simpleSecurityObject".to_vec()];
        let attributes = vec![
            (b"objectClass".to_vec(), HashSet::from(classes)),
            (b"uid".to_vec(), set(uid.as_bytes())),
            (b"userPassword".to_vec(), set(password)),
        ];
        let answer = self.0.add(entry, attributes).await;
        answer.expect("an answer").success().expect("root may");
    }

    pub(crate) async fn delete(&mut self, entry: &str) {
        let answer = self.0.delete(entry).await;
        answer.expect("an answer").success().expect("root may");
    }
}

pub(crate) type LdapRotation = Rotation<MemoryStore, SingleUser<MemoryStore>>;

pub(crate) struct Fixture {
    pub(crate) server: LdapServer,
    pub(crate) root: Client,
    pub(crate) stored: Stored,
    pub(crate) entry: String,
}

impl Fixture {
    /// A server, and secrets of the entry `app` and of the admin.
    pub(crate) async fn start(builder: LdapBuilder) -> Self {
        let server = builder.start().await;
        let fixture = Self {
            root: Client::root(&server).await,
            server,
            stored: Stored::new("arn:app"),
            entry: APP.to_owned(),
        };
        fixture.put_admin("first", &json!({"username": ADMIN_NAME, "password": ADMIN}));
        fixture.put_current("first", &fixture.document(&json!({})));
        fixture
    }

    /// The first secret, and `extra`.
    pub(crate) fn document(&self, extra: &Value) -> SecretDocument {
        let mut document = json!({
            "engine": "openldap", "host": self.server.host(), "port": self.server.port(),
            "username": self.entry, "password": FIRST, "masterarn": "arn:admin", "kept": 1.50,
        });
        merge(&mut document, extra);
        SecretDocument::from_text(&document.to_string())
    }

    /// From now on the entry changes itself.
    pub(crate) fn without_admin(&self) {
        self.put_current("own", &self.document(&json!({ "masterarn": null })));
    }

    /// Default settings, but that the server's authority is trusted.
    pub(crate) fn settings(&self) -> LdapSettings {
        let policy = PasswordPolicy::new(&PasswordRules {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            ..PasswordRules::default()
        });
        let mut settings = LdapSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn rotation(&self) -> LdapRotation {
        self.rotation_with(self.settings())
    }

    pub(crate) fn rotation_with(&self, settings: LdapSettings) -> LdapRotation {
        Rotation::new(
            self.store.clone(),
            SingleUser::new(self.store.clone(), settings),
        )
    }

    /// A rotation with default settings that comes to its end.
    pub(crate) async fn rotates(&self, version: &str) {
        self.rotates_with(self.settings(), version).await;
    }

    /// A rotation that comes to its end: then the current and the previous version log in.
    pub(crate) async fn rotates_with(&self, settings: LdapSettings, version: &str) {
        let before = self.password(&Label::Current).await;
        let rotated = self.rotate(&self.rotation_with(settings), version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        let current = self.password(&Label::Current).await;
        assert_ne!(current, before);
        assert_eq!(self.login(&current).await, 0);
        assert_eq!(self.login(&before).await, 0);
    }

    /// A rotation that fails with that kind, code and word in its cause, and hides every password and hash.
    pub(crate) async fn fails(
        &self,
        rotation: &LdapRotation,
        version: &str,
        fault: (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.stored.fails(rotation, version, fault, word).await;
        let shown = hidden::shown(&error);
        assert!(!shown.contains("{SSHA"), "{shown}");
        hidden::assert_absent(&shown, ADMIN);
    }

    /// What the server says to this password, over a connection of the test's own.
    pub(crate) async fn login(&self, password: &str) -> u32 {
        let mut client = Client::connect(&self.server).await;
        client.bind(&self.entry, password).await
    }

    /// The values of the entry's `userPassword`.
    pub(crate) async fn stored(&mut self) -> Vec<String> {
        self.root.passwords(&self.entry).await
    }
}

/// What it does with its secret.
impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}

/// How many binds of this entry a log holds, and how many of them were accepted.
pub(crate) fn binds(log: &str, entry: &str) -> (usize, usize) {
    let bind = format!("BIND dn=\"{entry}\" ");
    let of = |end: &str| log.matches(&format!("{bind}{end}")).count();
    (of("method=128"), of("mech=SIMPLE"))
}

/// How many binds of this entry a log says were refused.
pub(crate) fn refused_binds(log: &str, entry: &str) -> usize {
    let (all, accepted) = binds(log, entry);
    all - accepted
}
