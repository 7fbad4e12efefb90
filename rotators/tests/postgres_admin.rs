//! Expiry dates, and the admin whom `masterarn` names.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use rotators::postgres::PasswordForm;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::{Value, json};
use support::{FIRST, Fixture, merge, on_both_versions, server};

on_both_versions!(
    a_role_that_may_pushes_its_date,
    a_role_that_may_not_keeps_its_date_and_is_warned_about,
    an_admin_pushes_the_date,
    an_admin_that_cannot_help_is_named,
    an_admin_needs_the_right,
);

/// The date of a role, in days from now.
async fn days_left(fixture: &Fixture, role: &str) -> Option<f64> {
    let question = format!(
        "SELECT (extract(epoch FROM rolvaliduntil - now()) / 86400)::float8 FROM pg_roles \
         WHERE rolname = '{role}'"
    );
    fixture.ask(&question).await
}

fn near(days: Option<f64>, expected: f64) -> bool {
    days.is_some_and(|days| (days - expected).abs() < 0.01)
}

async fn a_role_that_may_pushes_its_date(major: u32) {
    let mut fixture = Fixture::start(server(major)).await;
    fixture.add_role("boss", "SUPERUSER").await;
    // A date is written in the role's own style and zone, and must be read in none of them.
    fixture
        .admin("ALTER ROLE boss SET datestyle = 'German, DMY'")
        .await;
    fixture
        .admin("ALTER ROLE boss SET timezone = 'Asia/Tokyo'")
        .await;

    fixture.rotates("without a date").await;
    assert_eq!(days_left(&fixture, "boss").await, None);

    fixture
        .admin("ALTER ROLE boss VALID UNTIL 'infinity'")
        .await;
    fixture.rotates("with no end").await;
    let endless = "SELECT rolvaliduntil = 'infinity' FROM pg_roles WHERE rolname = 'boss'";
    assert!(fixture.ask::<bool>(endless).await);

    for (days, expected) in [(90, 90.0), (0, 1.0), (u16::MAX, 65_535.0)] {
        let soon = "DO $$ BEGIN EXECUTE format('ALTER ROLE boss VALID UNTIL %L', now() + '1 hour'); END $$";
        fixture.admin(soon).await;
        for form in [PasswordForm::Scram, PasswordForm::Plain] {
            let mut settings = fixture.settings();
            settings.password_valid_days = days;
            settings.password_form = form;
            let rotation = fixture.rotation_with(settings);
            fixture
                .rotates_with(&rotation, &format!("{days} {form:?}"))
                .await;
            let left = days_left(&fixture, "boss").await;
            assert!(near(left, expected), "{left:?} instead of {expected}");
        }
    }
    // What is later than that stays.
    fixture.rotates("with a late date").await;
    assert!(near(days_left(&fixture, "boss").await, 65_535.0));
}

async fn a_role_that_may_not_keeps_its_date_and_is_warned_about(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    fixture
        .admin(
            "DO $$ BEGIN EXECUTE format('ALTER ROLE app VALID UNTIL %L', now() + '5 days'); END $$",
        )
        .await;
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || written.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    fixture.rotates("second").await;
    drop(guard);
    assert!(near(days_left(&fixture, "app").await, 5.0));
    let log = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("UTF-8");
    let warnings: Vec<_> = log
        .lines()
        .filter(|line| line.contains("VALID UNTIL"))
        .collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARN"), "{log}");
    assert!(warnings[0].contains("arn:app"), "{log}");
    for label in [Label::Current, Label::Previous] {
        support::hidden::assert_absent(&log, &fixture.password(&label).await);
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A role with a date it may not move, and an admin `manager`, who has the right.
async fn with_admin(major: u32) -> Fixture {
    let fixture = Fixture::start(server(major)).await;
    fixture
        .admin(&format!(
            "CREATE ROLE manager LOGIN CREATEROLE PASSWORD '{ADMIN}'"
        ))
        .await;
    fixture
        .admin(
            "DO $$ BEGIN EXECUTE format('ALTER ROLE app VALID UNTIL %L', now() + '5 days'); END $$",
        )
        .await;
    fixture.put_current(
        "with an admin",
        &fixture.document(&json!({"masterarn": "arn:admin"})),
    );
    fixture
}

const ADMIN: &str = "sentinel-Admin-4711";

async fn grant_admin(fixture: &Fixture) {
    if fixture.server.major() >= 16 {
        let grant = "GRANT app TO manager WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
        fixture.admin(grant).await;
    }
}

fn admin_secret(fixture: &Fixture, extra: &Value) -> Value {
    let mut secret = json!({
        "engine": "postgres", "host": fixture.server.host(), "username": "manager", "password": ADMIN,
    });
    merge(&mut secret, extra);
    secret
}

async fn an_admin_pushes_the_date(major: u32) {
    let fixture = with_admin(major).await;
    grant_admin(&fixture).await;
    fixture.put_admin("complete", &admin_secret(&fixture, &json!({})));
    fixture.rotates("second").await;
    assert!(near(days_left(&fixture, "app").await, 90.0));

    // Neither port nor database nor TLS are the admin's: the server is the rotated secret's.
    let elsewhere = json!({"port": 1, "dbname": "none", "ssl": false, "ca_certificate": null});
    fixture.put_admin("elsewhere", &admin_secret(&fixture, &elsewhere));
    fixture
        .admin("ALTER ROLE app VALID UNTIL '2100-01-01'")
        .await;
    let mut settings = fixture.settings();
    settings.password_valid_days = u16::MAX;
    fixture
        .rotates_with(&fixture.rotation_with(settings), "third")
        .await;
    assert!(near(days_left(&fixture, "app").await, 65_535.0));
}

async fn an_admin_that_cannot_help_is_named(major: u32) {
    let fixture = with_admin(major).await;
    grant_admin(&fixture).await;
    let rotation = fixture.rotation();

    let missing = (Kind::Misconfigured, Some("ResourceNotFoundException"));
    fixture
        .fails(&rotation, "second", missing, "arn:admin")
        .await;
    for (version, extra, code, word) in [
        (
            "other host",
            json!({"host": "localhost"}),
            None,
            "another `host`",
        ),
        ("other engine", json!({"engine": "mysql"}), None, "`engine`"),
        // Nobody was set up to ask whose it is.
        ("no host", json!({"host": null}), None, "has no `host`"),
        (
            "no name",
            json!({"username": null}),
            None,
            "`username` is missing",
        ),
        (
            "wrong",
            json!({"password": "wrong"}),
            Some("28P01"),
            "`masterarn`",
        ),
    ] {
        fixture.put_admin(version, &admin_secret(&fixture, &extra));
        let fault = (Kind::Misconfigured, code);
        let error = fixture.fails(&rotation, "second", fault, word).await;
        support::hidden::assert_absent(&support::hidden::shown(&error), ADMIN);
        fixture.current_logs_in().await;
    }
    fixture.admin("ALTER ROLE manager NOLOGIN").await;
    fixture.put_admin("locked out", &admin_secret(&fixture, &json!({"x": 1})));
    let locked = (Kind::Refused, Some("28000"));
    fixture
        .fails(&rotation, "second", locked, "as the admin")
        .await;
    fixture.admin("ALTER ROLE manager LOGIN").await;
    fixture.rotates_with(&rotation, "second").await;
    assert_eq!(fixture.password(&Label::Previous).await, FIRST);
}

async fn an_admin_needs_the_right(major: u32) {
    let fixture = with_admin(major).await;
    fixture.put_admin("complete", &admin_secret(&fixture, &json!({})));
    if fixture.server.major() < 16 {
        fixture.admin("ALTER ROLE manager NOCREATEROLE").await;
    }
    let rotation = fixture.rotation();
    let refused = (Kind::Refused, Some("42501"));
    fixture
        .fails(&rotation, "second", refused, "WITH ADMIN TRUE")
        .await;
    fixture.current_logs_in().await;
    assert!(near(days_left(&fixture, "app").await, 5.0));

    fixture.admin("ALTER ROLE manager CREATEROLE").await;
    grant_admin(&fixture).await;
    let rotated = fixture.rotate(&rotation, "second").await;
    let expected = [
        Outcome::Kept,
        Outcome::Set,
        Outcome::Tested,
        Outcome::Promoted,
    ];
    assert_eq!(rotated, Ok(expected));
    assert!(near(days_left(&fixture, "app").await, 90.0));
    fixture.current_logs_in().await;
}
