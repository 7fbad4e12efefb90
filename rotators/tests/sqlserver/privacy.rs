//! What comes out: no password, and nothing of what the server says.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use harness::proxy::Fault;
use harness::sqlserver::Action;
use secrets_core::document::SecretDocument;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use secrets_core::testing::sentinel;
use serde_json::json;

use crate::support::{ADMIN, FIRST, Fixture};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The driver logs what the server says of a statement, and that quotes it: here even at the finest level
/// nothing of it is heard.
#[tokio::test]
async fn no_log_line_holds_a_password_or_a_word_of_the_server() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(lines);
    tracing::info!("the log is heard");
    let fixture = Fixture::start().await;
    let rotation = fixture.alternating();
    fixture.rotates(&rotation, "second").await;
    fixture.rotates(&fixture.single(), "third").await;
    fixture.put_current("own", &json!({"masterarn": null}));
    fixture
        .server
        .execute("master", "ALTER LOGIN [app] WITH CHECK_POLICY = OFF");
    let reset = format!(
        "ALTER LOGIN [app] WITH PASSWORD = N'{}'",
        FIRST.replace('\'', "''")
    );
    fixture.server.execute("master", &reset);
    fixture
        .server
        .fault_at(3, Fault::Before(Action::Error(15_118)));
    let kind = (Kind::RejectedByTarget, Some("15118"));
    fixture
        .fails(&fixture.single(), "fourth", kind, "complex")
        .await;
    drop(guard);
    let bytes = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("the log is heard"));
    for word in [
        "as the test wants it",
        "near ",
        "Login failed",
        "ALTER LOGIN",
    ] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let mut passwords = vec![FIRST.to_owned(), ADMIN.to_owned()];
    for label in [Label::Current, Label::Previous] {
        if let Some((_, password)) = fixture.login(&label).await {
            passwords.push(password);
        }
    }
    for password in passwords {
        assert_eq!(sentinel::found(&password, &text), None);
    }
}

#[tokio::test]
async fn debug_shows_settings_and_places_only() {
    let fixture = Fixture::start().await;
    let secret = json!({
        "engine": "sqlserver", "host": "h", "username": "app", "password": FIRST, "masterarn": "arn:a",
    });
    let secret = SecretDocument::from_text(&secret.to_string());
    let credential = rotators::sqlserver::SqlServerCredential::try_from(&secret);
    let shown = format!(
        "{credential:?} {:?} {:?}",
        fixture.single(),
        fixture.alternating()
    );
    assert_eq!(sentinel::found(FIRST, &shown), None);
    assert!(shown.contains("statement: 10s"), "{shown}");
}
