//! A server, a store with one secret, and what the tests ask of them.

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::Arc;

use harness::redis::{RedisBuilder, RedisServer};
use ring::digest::{SHA256, digest};
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::redis::{CaCertificates, EXCLUDED_CHARACTERS, RedisSettings, SingleUser};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrets_core::document::SecretDocument;
use secrets_core::rotation::{Outcome, Rotation};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use secrets_core::store::memory::MemoryStore;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::hidden;
use crate::stored::{Stored, merge};

/// The password that every user starts with.
pub(crate) const FIRST: &str = "sentinel-First~1 %&+=/?";

/// The password of the admin, who has the least rights that do.
pub(crate) const ADMIN: &str = "sentinel-admin-password";

/// What the documentation says that an admin needs.
pub(crate) const ADMIN_RIGHTS: [&str; 4] = ["-@all", "+acl|getuser", "+acl|setuser", "+acl|save"];

/// Each of these tests, against both servers.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[tokio::test]
            async fn on_redis() {
                super::$test(harness::redis::RedisServer::builder()).await;
            }
            #[tokio::test]
            async fn on_valkey() {
                super::$test(harness::redis::RedisServer::builder().valkey()).await;
            }
        }
    )+};
}
pub(crate) use on_both;

pub(crate) fn sha256(password: &str) -> String {
    let mut hex = String::new();
    for byte in digest(&SHA256, password.as_bytes()).as_ref() {
        write!(hex, "{byte:02x}").expect("strings take everything");
    }
    hex
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

/// A connection of the test's own, without the code under test.
pub(crate) struct Client(BufReader<Box<dyn Stream>>);

impl Client {
    /// A TLS connection, without a login.
    pub(crate) async fn connect(server: &RedisServer) -> Self {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).expect("PEM");
        roots.add(ca).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect((server.host(), server.port())).await;
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream =
            TlsConnector::from(Arc::new(config)).connect(name, stream.expect("it listens"));
        Self(BufReader::new(Box::new(stream.await.expect("TLS"))))
    }

    /// A connection to a server without TLS, without a login.
    pub(crate) async fn plaintext(server: &RedisServer) -> Self {
        let stream = TcpStream::connect((server.host(), server.port())).await;
        Self(BufReader::new(Box::new(stream.expect("it listens"))))
    }

    /// The user `default` of the harness, who may do everything.
    pub(crate) async fn admin(server: &RedisServer) -> Self {
        let mut client = if server.admin_url().starts_with("rediss:") {
            Self::connect(server).await
        } else {
            Self::plaintext(server).await
        };
        let login = client.call(&["AUTH", server.admin_password()]).await;
        assert_eq!(login, "+OK");
        client
    }

    /// The answer: its first line with the mark of its kind, or of strings and lists the elements alone,
    /// one a line.
    pub(crate) async fn call(&mut self, words: &[&str]) -> String {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            write!(request, "${}\r\n{word}\r\n", word.len()).expect("strings take everything");
        }
        self.0.write_all(request.as_bytes()).await.expect("sent");
        self.0.flush().await.expect("sent");
        Box::pin(self.answer()).await
    }

    pub(crate) async fn answer(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("an answer");
        let line = line.trim_end();
        let (kind, rest) = line.split_at(1);
        match kind {
            "$" | "*" if rest == "-1" => "nothing".to_owned(),
            "$" => {
                let length: usize = rest.parse().expect("a length");
                let mut text = vec![0; length + 2];
                self.0.read_exact(&mut text).await.expect("a text");
                text.truncate(length);
                String::from_utf8(text).expect("UTF-8")
            }
            "*" => {
                let mut lines = Vec::new();
                for _ in 0..rest.parse().expect("a length") {
                    lines.push(Box::pin(self.answer()).await);
                }
                lines.join("\n")
            }
            _ => line.to_owned(),
        }
    }

    pub(crate) async fn set_user(&mut self, user: &str, rules: &[&str]) {
        let answer = self
            .call(&[&["ACL", "SETUSER", user], rules].concat())
            .await;
        assert_eq!(answer, "+OK");
    }

    /// The hashes of the user's passwords.
    pub(crate) async fn hashes(&mut self, user: &str) -> Vec<String> {
        let account = self.call(&["ACL", "GETUSER", user]).await;
        account
            .lines()
            .skip_while(|line| *line != "passwords")
            .skip(1)
            .take_while(|line| *line != "commands")
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// How many logins of the user the server has refused (`ACL LOG`).
    pub(crate) async fn refused_logins(&mut self, user: &str) -> usize {
        let log = self.call(&["ACL", "LOG", "1000"]).await;
        let (mut count, mut total) = (0, 0);
        let mut lines = log.lines();
        while let Some(line) = lines.next() {
            match line {
                "count" => {
                    let number = lines.next().expect("a number");
                    count = number.trim_start_matches(':').parse().expect("a number");
                }
                "username" if lines.next() == Some(user) => total += count,
                _ => {}
            }
        }
        total
    }
}

pub(crate) type RedisRotation = Rotation<MemoryStore, SingleUser<MemoryStore>>;

pub(crate) struct Fixture {
    pub(crate) server: RedisServer,
    pub(crate) admin: Client,
    pub(crate) stored: Stored,
    pub(crate) user: String,
}

impl Fixture {
    /// A server with a user `app`, an admin `rotator` with the least rights, and a secret of each.
    pub(crate) async fn start(builder: RedisBuilder) -> Self {
        let server = builder.start().await;
        let mut fixture = Self {
            admin: Client::admin(&server).await,
            server,
            stored: Stored::new("none yet"),
            user: String::new(),
        };
        let password = format!("#{}", sha256(ADMIN));
        let rules = [&["on", &password][..], &ADMIN_RIGHTS].concat();
        fixture.admin.set_user("rotator", &rules).await;
        fixture.put_admin("first", &json!({"username": "rotator", "password": ADMIN}));
        fixture.add_user("app").await;
        fixture
    }

    /// Another user; its secret is the one that rotates from now on.
    pub(crate) async fn add_user(&mut self, name: &str) {
        let password = format!("#{}", sha256(FIRST));
        let rules = ["on", &password, "~*", "+@read", "+ping"];
        self.admin.set_user(name, &rules).await;
        name.clone_into(&mut self.user);
        self.stored.secret = format!("arn:{name}").into();
        self.put_current("first", &self.document(&json!({})));
    }

    /// The first secret, and `extra`.
    pub(crate) fn document(&self, extra: &Value) -> SecretDocument {
        let mut document = json!({
            "engine": "redis", "host": self.server.host(), "port": self.server.port(),
            "username": self.user, "password": FIRST, "masterarn": "arn:admin", "kept": 1.50,
        });
        merge(&mut document, extra);
        SecretDocument::from_text(&document.to_string())
    }

    /// Default settings, but that the server's authority is trusted.
    pub(crate) fn settings(&self) -> RedisSettings {
        let policy = PasswordPolicy::new(&PasswordRules {
            exclude_characters: EXCLUDED_CHARACTERS.to_owned(),
            ..PasswordRules::default()
        });
        let mut settings = RedisSettings::new(policy.expect("the default"));
        let ca = CaCertificates::from_pem(&self.server.ca_pem());
        settings.ca_certificate = Some(ca.expect("an authority"));
        settings
    }

    pub(crate) fn rotation(&self) -> RedisRotation {
        self.rotation_with(self.settings())
    }

    pub(crate) fn rotation_with(&self, settings: RedisSettings) -> RedisRotation {
        Rotation::new(
            self.store.clone(),
            SingleUser::new(self.store.clone(), settings),
        )
    }

    /// A rotation with default settings that comes to its end: then the current and the previous version
    /// log in, and a session can be used.
    pub(crate) async fn rotates(&self, version: &str) {
        let before = self.password(&Label::Current).await;
        let rotated = self.rotate(&self.rotation(), version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        let current = self.password(&Label::Current).await;
        assert_ne!(current, before);
        assert_eq!(self.login(&current).await, "+OK");
        assert_eq!(self.login(&before).await, "+OK");
    }

    /// A rotation that fails with that kind, code and word in its cause, and hides every password and hash.
    pub(crate) async fn fails(
        &self,
        rotation: &RedisRotation,
        version: &str,
        fault: (RotatorErrorKind, Option<&str>),
        word: &str,
    ) {
        let error = self.stored.fails(rotation, version, fault, word).await;
        let shown = hidden::shown(&error);
        for password in self.passwords().await {
            assert!(!shown.contains(&sha256(&password)), "{shown}");
        }
        hidden::assert_absent(&shown, ADMIN);
    }

    /// What the server says to this password, over a connection of the test's own.
    pub(crate) async fn login(&self, password: &str) -> String {
        let mut client = Client::connect(&self.server).await;
        client.call(&["AUTH", &self.user, password]).await
    }
}

/// What it does with its secret.
impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}
