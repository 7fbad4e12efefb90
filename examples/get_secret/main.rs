//! An application that uses a secret while it is rotated: a casual read, a typed handle, and a login that never
//! fails. Everything is in this process; nothing has to be installed.
//!
//! ```text
//! cargo run --example get_secret
//! ```
//!
//! Exits with 1 if a login failed.
#![allow(clippy::print_stdout, reason = "a program for people to watch")]

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::client::{Current, SecretsClient};
use secrets_core::document::{DocumentError, SecretDocument};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::SecretStore;
use secrets_core::store::memory::MemoryStore;

type Fault = Box<dyn std::error::Error>;

/// What the application makes of the secret: checked once a version, wiped with it.
struct DbLogin {
    username: SecretString,
    password: SecretString,
}

impl TryFrom<&SecretDocument> for DbLogin {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            username: secret.text("username")?,
            password: secret.text("password")?,
        })
    }
}

/// Stands for a database that holds one password a user.
#[derive(Clone)]
struct Database(Arc<Mutex<String>>);

#[derive(Debug, thiserror::Error)]
#[error("the database refuses the password")]
struct WrongPassword;

impl Database {
    fn set_password(&self, password: &str) {
        password.clone_into(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn connect(&self, login: Current<DbLogin>) -> Result<VersionId, WrongPassword> {
        tokio::task::yield_now().await;
        let password = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = login.username.expose_secret() == "app";
        if known && *password == login.password.expose_secret() {
            Ok(login.version_id().clone())
        } else {
            Err(WrongPassword)
        }
    }
}

fn secret(version: u32) -> SecretDocument {
    SecretDocument::from_text(&format!(
        r#"{{"engine": "demo", "username": "app", "password": "password {version}"}}"#
    ))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Fault> {
    let (store, id) = (MemoryStore::new(), SecretId::from("prod/app/db"));
    store.put_current(&id, &"v1".into(), &secret(1))?;
    let database = Database(Arc::default());
    database.set_password("password 1");

    // Against AWS: SecretsClient::builder_from_env()?.try_pending().build()
    let secrets = SecretsClient::builder(store.clone()).try_pending().build();

    // The casual read: text, JSON or bytes. The second one does not leave the process.
    let casual = secrets.get_secret("prod/app/db").await?;
    println!("read    {casual:?}");

    // The handle: kept, cloned into whatever needs it, told of changes.
    let db = secrets.secret::<DbLogin>("prod/app/db").await?;
    println!("handle  {:?}, {:?} old", db.current()?, db.current()?.age());
    let watcher = tokio::spawn({
        let mut db = db.clone();
        async move {
            loop {
                db.changed().await;
                if let Ok(current) = db.current() {
                    println!("        told of {}", current.version_id());
                }
            }
        }
    });

    let mut failed = 0;
    for version in 2..=3 {
        let (from, to) = (format!("v{}", version - 1), format!("v{version}"));
        let (from, to) = (VersionId::from(from), VersionId::from(to));
        store.begin_rotation(&id, &to)?;
        store.put_pending(&id, &to, &secret(version), None).await?;
        failed += log_in("created ", &db, &database).await;
        database.set_password(&format!("password {version}"));
        failed += log_in("set     ", &db, &database).await;
        store.promote(&id, &from, &to).await?;
        failed += log_in("finished", &db, &database).await;
        // Real rotations are hours apart; the client asks out of turn once a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        failed += log_in("later   ", &db, &database).await;
    }
    watcher.abort();
    println!("\n{:#?}\n\nfailed logins: {failed}", secrets.stats());
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Logs in a hundred times; gives how many of them failed.
async fn log_in(
    when: &str,
    db: &secrets_core::client::SecretHandle<DbLogin>,
    database: &Database,
) -> usize {
    let (mut failed, mut used) = (0, None);
    for _ in 0..100 {
        match db
            .connect_with(|login| database.connect(login), |_| true)
            .await
        {
            Ok(version) => used = Some(version),
            Err(_) => failed += 1,
        }
    }
    match used {
        Some(version) => println!("{when} logged in with {version}"),
        None => println!("{when} could not log in"),
    }
    failed
}
