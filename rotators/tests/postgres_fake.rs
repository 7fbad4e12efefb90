//! What no real server at hand does: tested against a protocol fake.
//!
//! The fake speaks the protocol of `PostgreSQL` without TLS, lets everybody in, and answers each
//! statement as the test says.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{PostgresCredential, PostgresSettings, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::event::Step;
use secrets_core::rotation::{Outcome, Reason, Rotation, RotationError};
use secrets_core::rotator::{Context, Rotator, RotatorError, RotatorErrorKind as Kind, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, SecretStore, Version};
use secrets_core::testing::Driver;
use serde_json::json;
use support::hidden;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const OLD: &str = "sentinel-old";
const NEW: &str = "sentinel-new";

/// What the server answers: nothing but the end of the statement, or this SQLSTATE.
type Answer = Option<&'static str>;

/// Instead of a SQLSTATE: no answer, and no end of the connection either.
const NEVER: Answer = Some("never");

/// From user and statement to an answer; `password` stands for a login.
type Script = fn(user: &str, statement: &str) -> Answer;

struct Fake {
    port: u16,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Fake {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let seen = Arc::default();
        let shared: Arc<Mutex<Vec<_>>> = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // An error is a client that has gone away.
                tokio::spawn(serve(stream, script, Arc::clone(&shared)));
            }
        });
        Self { port, seen }
    }

    /// Who has sent what, without what only looks.
    fn changes(&self) -> Vec<(String, String)> {
        let seen = self.seen.lock().expect("not poisoned");
        let changes = seen.iter().filter(|(_, sql)| sql.starts_with("ALTER"));
        changes.cloned().collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Script,
    seen: Arc<Mutex<Vec<(String, String)>>>,
) -> std::io::Result<()> {
    let length = stream.read_u32().await? as usize - 4;
    let mut startup = vec![0; length];
    stream.read_exact(&mut startup).await?;
    // After the version come names and values, each with a zero byte at its end.
    let startup = String::from_utf8_lossy(&startup[4..]).into_owned();
    let mut parts = startup.split('\0');
    let user = parts
        .find(|part| *part == "user")
        .and_then(|_| parts.next())
        .expect("a user")
        .to_owned();
    // Asks for the password in clear text.
    stream.write_all(b"R\0\0\0\x08\0\0\0\x03").await?;
    let (_, password) = read_message(&mut stream).await?;
    if let Some(code) = script(&user, &format!("password {password}")) {
        return stream.write_all(&error(code)).await;
    }
    stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
    loop {
        let (kind, statement) = read_message(&mut stream).await?;
        if kind != b'Q' {
            return Ok(());
        }
        let answer = script(&user, &statement);
        let entry = (user.clone(), statement);
        seen.lock().expect("not poisoned").push(entry);
        if answer == NEVER {
            std::future::pending::<()>().await;
        }
        let mut reply = answer.map_or(b"C\0\0\0\x07OK\0".to_vec(), error);
        reply.extend(b"Z\0\0\0\x05I");
        stream.write_all(&reply).await?;
    }
}

async fn read_message(stream: &mut TcpStream) -> std::io::Result<(u8, String)> {
    let kind = stream.read_u8().await?;
    let mut body = vec![0; stream.read_u32().await? as usize - 4];
    stream.read_exact(&mut body).await?;
    let text = String::from_utf8_lossy(&body);
    Ok((kind, text.trim_end_matches('\0').to_owned()))
}

/// An error message that quotes what it should not.
fn error(code: &str) -> Vec<u8> {
    let fields = format!("SERROR\0VERROR\0C{code}\0Mquotes {OLD}\0Dand {NEW}\0\0");
    let mut message = vec![b'E'];
    message.extend(
        u32::try_from(fields.len() + 4)
            .expect("short")
            .to_be_bytes(),
    );
    message.extend(fields.as_bytes());
    message
}

struct Case {
    fake: Fake,
    store: MemoryStore,
    rotation: Rotation<MemoryStore, SingleUser<MemoryStore>>,
}

fn document(port: u16, extra: &serde_json::Value) -> SecretDocument {
    let mut document = json!({
        "engine": "postgres", "host": "127.0.0.1", "port": port, "ssl": false, "username": "app",
        "password": OLD,
    });
    support::merge(&mut document, extra);
    SecretDocument::from_text(&document.to_string())
}

fn settings() -> PostgresSettings {
    let policy = PasswordPolicy::new(&PasswordRules::default());
    PostgresSettings::new(policy.expect("the default"))
}

impl Case {
    /// A rotation before setSecret, with this key more in the secret.
    async fn new(script: Script, extra: serde_json::Value) -> Self {
        let fake = Fake::start(script).await;
        let store = MemoryStore::new();
        let first = document(fake.port, &extra);
        store
            .put_current(&"s".into(), &"first".into(), &first)
            .expect("new");
        let admin = json!({
            "host": "127.0.0.1", "username": "manager", "password": "sentinel-admin",
        })
        .to_string();
        let admin = SecretDocument::from_text(&admin);
        store
            .put_current(&"admin".into(), &"first".into(), &admin)
            .expect("new");
        store
            .begin_rotation(&"s".into(), &"second".into())
            .expect("no other");
        let mut pending = extra;
        pending["password"] = NEW.into();
        let pending = document(fake.port, &pending);
        store
            .put_pending(&"s".into(), &"second".into(), &pending, None)
            .await
            .expect("an empty version");
        let rotation = Rotation::new(store.clone(), SingleUser::new(store.clone(), settings()));
        Self {
            fake,
            store,
            rotation,
        }
    }

    async fn set(&self) -> Result<Outcome, RotationError> {
        let driver = Driver::new(&self.store, &self.rotation, &"s".into());
        driver.send(Step::Set, &"second".into()).await
    }

    /// setSecret fails like that, and quotes nothing of what the server says.
    async fn fails(&self, kind: Kind, code: &str, word: &str) -> RotationError {
        let error = self.set().await.expect_err("a fault");
        let source = std::error::Error::source(&error).expect("a cause");
        let fault: &secrets_core::rotator::RotatorError =
            source.downcast_ref().expect("a rotator's");
        assert_eq!((fault.kind(), fault.code()), (kind, Some(code)), "{fault}");
        assert!(fault.to_string().contains(word), "{fault}");
        for secret in [OLD, NEW, "sentinel-admin"] {
            hidden::assert_absent(&hidden::shown(&error), secret);
        }
        error
    }
}

/// The old password is right; `ALTER ROLE` is answered with that.
macro_rules! alter_answers {
    ($code:expr) => {
        |user, statement| match statement {
            statement if statement.starts_with("ALTER") && user == "app" => $code,
            "password sentinel-new" => Some("28P01"),
            _ => None,
        }
    };
}

#[tokio::test]
async fn a_role_that_may_not_change_itself_is_changed_by_the_admin() {
    let case = Case::new(alter_answers!(Some("42501")), json!({"masterarn": "admin"})).await;
    assert_eq!(case.set().await, Ok(Outcome::Set));
    let changes = case.fake.changes();
    let [(own, _), (admin, change)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((own.as_str(), admin.as_str()), ("app", "manager"));
    let start = r#"ALTER ROLE "app" PASSWORD 'SCRAM-SHA-256$4096:"#;
    assert!(change.starts_with(start), "{change}");
}

#[tokio::test]
async fn without_an_admin_it_is_asked_for() {
    let case = Case::new(alter_answers!(Some("42501")), json!({})).await;
    case.fails(Kind::Refused, "42501", "add `masterarn`").await;
    assert_eq!(case.fake.changes().len(), 1);
}

#[tokio::test]
async fn a_replica_is_told_from_the_primary() {
    let case = Case::new(alter_answers!(Some("25006")), json!({})).await;
    case.fails(Kind::Misconfigured, "25006", "writer endpoint")
        .await;
}

#[tokio::test]
async fn a_server_that_is_going_down_is_tried_again() {
    let case = Case::new(alter_answers!(Some("57P01")), json!({})).await;
    case.fails(Kind::Unreachable, "57P01", "try again later")
        .await;
}

#[tokio::test]
async fn a_verifier_that_is_not_taken_is_discarded() {
    let case = Case::new(alter_answers!(Some("0A000")), json!({})).await;
    let word = "password form to plain";
    let error = case.fails(Kind::RejectedByTarget, "0A000", word).await;
    assert!(matches!(
        error.reason,
        Reason::ValueRefused {
            discarded: true,
            ..
        }
    ));
    let pending = Version::Labelled(Label::Pending);
    assert!(case.store.get(&"s".into(), &pending).await.is_err());
    let current = case.store.get(&"s".into(), &Version::CURRENT).await;
    assert_eq!(current.expect("untouched").id, "first".into());
}

#[tokio::test]
async fn a_server_that_shows_no_roles_is_served_all_the_same() {
    let script: Script = |_, statement| match statement {
        "password sentinel-new" => Some("28P01"),
        statement if statement.contains("pg_roles") => Some("42501"),
        _ => None,
    };
    let case = Case::new(script, json!({})).await;
    assert_eq!(case.set().await, Ok(Outcome::Set));
    let changes = case.fake.changes();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(!changes[0].1.contains("VALID UNTIL"), "{changes:?}");
}

#[tokio::test]
async fn nothing_is_known_while_the_answer_to_a_login_is_not_clear() {
    const CODES: [&str; 7] = [
        "53300", "57P03", "28000", "3D000", "42501", "XX000", "58030",
    ];
    for code in CODES {
        // A function pointer takes nothing along: the code comes as the password.
        let script: Script = |_, statement| {
            let password = statement.strip_prefix("password ")?;
            CODES.into_iter().find(|code| *code == password)
        };
        let fake = Fake::start(script).await;
        let extra = json!({ "password": code });
        let test = test(&settings(), fake.port, &extra).await;
        assert_eq!(test.expect_err("no verdict").code(), Some(code));
    }
}

#[tokio::test]
async fn nothing_outlives_a_session_without_an_end() {
    let fake = Fake::start(|_, statement| NEVER.filter(|_| statement == "SELECT 1")).await;
    let mut settings = settings();
    settings.timeouts.statement = Duration::from_millis(50);
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    let test = test(&settings, fake.port, &json!({})).await;
    assert_eq!(test.expect_err("no answer").kind(), Kind::Unreachable);
    // The task of the fake's connection stays; ours ends, and its socket with it.
    let ours_has_ended = async {
        while alive() > before + 1 {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), ours_has_ended).await;
    assert!(ended.is_ok(), "{} tasks instead of {}", alive(), before + 1);
}

/// Asks a server that speaks no TLS whether it takes the secret, with these keys more.
async fn test(
    settings: &PostgresSettings,
    port: u16,
    extra: &serde_json::Value,
) -> Result<Verdict, RotatorError> {
    let rotator = SingleUser::new(MemoryStore::new(), settings.clone());
    let candidate = PostgresCredential::try_from(&document(port, extra)).expect("complete");
    let deadline = Instant::now() + Duration::from_secs(10);
    let cx = Context::new("s".into(), "v".into(), deadline);
    rotator.test(&candidate, &cx).await
}

#[tokio::test]
async fn what_is_no_postgresql_is_named_as_such() {
    for (ssl, greeting, kind) in [
        (
            true,
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            Kind::Misconfigured,
        ),
        // Taken for a message of 1.4 GB that never comes to its end.
        (false, "HTTP/1.1 400 Bad Request\r\n\r\n", Kind::Unreachable),
        (false, "Z\0\0\0\x01", Kind::Misconfigured),
        (true, "E\0\0\0\x08out\0", Kind::Unreachable),
        (true, "", Kind::Unreachable),
        (false, "", Kind::Unreachable),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let server = async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.expect("a request");
            stream.write_all(greeting.as_bytes()).await.expect("open");
            stream.shutdown().await.expect("open");
            // Until the client has gone: an early end would cut off the greeting.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        };
        let (settings, extra) = (settings(), json!({ "ssl": ssl }));
        let (test, ()) = tokio::join!(test(&settings, port, &extra), server);
        let fault = test.expect_err("no verdict");
        assert_eq!(fault.kind(), kind, "{ssl} {greeting:?}: {fault}");
        assert!(
            fault.to_string().contains(&format!("127.0.0.1:{port}")),
            "{fault}"
        );
    }
}
