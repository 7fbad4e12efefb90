//! What is told in the log, since it is no reason to stop.

use std::io::Write;
use std::sync::{Arc, Mutex};

use secrets_core::rotation::Outcome;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{ACCESS, APP, Fixture, bare, with_admin};

/// All that was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Rotates, and gives what was logged.
async fn logged(fixture: &Fixture, version: &str) -> String {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_writer(log.clone());
    let guard = tracing::subscriber::set_default(lines.finish());
    let rotated = fixture.rotate(&fixture.rotation(), version).await;
    drop(guard);
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    let bytes = log.0.lock().expect("no panic").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn passwords_of_somebody_else_are_counted() {
    let mut fixture = Fixture::start(with_admin()).await;
    let log = logged(&fixture, "second").await;
    assert!(!log.contains("others"), "{log}");
    for foreign in ["of somebody else", "of another one"] {
        fixture.root.add_value(APP, "userPassword", foreign).await;
    }
    let log = logged(&fixture, "third").await;
    assert!(log.contains("others=2"), "{log}");
    assert!(
        !log.contains("somebody else,") && !log.contains("SSHA"),
        "{log}"
    );
}

#[tokio::test]
async fn hashes_that_cannot_be_told_apart_are_counted() {
    let mut fixture = Fixture::start(with_admin()).await;
    // Of "secret" and of "test".
    let md5 = [
        "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
        "{MD5}CY9rzUYh03PK3k6DJie09g==",
    ];
    fixture.root.replace(APP, "userPassword", &md5).await;
    let own = json!({ "password": "test" });
    fixture.put_current("test", &fixture.document(&own));
    let log = logged(&fixture, "second").await;
    assert!(log.contains("values=2"), "{log}");
}

/// Where the admin may see that.
#[tokio::test]
async fn a_lock_that_is_there_is_told() {
    let rules = ACCESS.map(|rule| {
        rule.replace(
            "attrs=entry,objectClass",
            "attrs=entry,objectClass,pwdAccountLockedTime",
        )
    });
    let builder = rules
        .iter()
        .fold(bare(), |builder, rule| builder.access(rule));
    let builder = builder
        .policy("pwdLockout: TRUE")
        .policy("pwdMaxFailure: 3");
    let mut fixture = Fixture::start(builder.policy("pwdLockoutDuration: 1")).await;
    let log = logged(&fixture, "second").await;
    assert!(!log.contains("pwdAccountLockedTime"), "{log}");
    // Long over, and not looked at since.
    fixture
        .root
        .replace(APP, "pwdAccountLockedTime", &["20200101000000Z"])
        .await;
    let log = logged(&fixture, "third").await;
    assert!(log.contains("pwdAccountLockedTime"), "{log}");
}
