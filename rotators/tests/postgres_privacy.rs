//! What a server that writes everything down gets to know.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use harness::postgres::PostgresBuilder;
use rotators::postgres::PasswordForm;
use secrets_core::store::Label;
use serde_json::json;
use support::hidden::assert_absent;
use support::{FIRST, Fixture, on_both_versions, server};

on_both_versions!(
    no_log_and_no_view_holds_a_password,
    a_role_without_the_right_leaves_no_password_behind,
    plain_passwords_are_what_a_log_would_hold,
);

fn talkative(major: u32) -> PostgresBuilder {
    server(major)
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track", "all")
        .setting("pg_stat_statements.track_utility", "on")
        .setting("log_statement", "all")
        .setting("log_min_duration_statement", "0")
        .setting("log_min_messages", "debug1")
        .setting("log_min_error_statement", "debug5")
        .setting("log_connections", "on")
        .setting("log_disconnections", "on")
}

/// Everything that the server has kept of the statements that it was sent.
async fn all_that_was_kept(fixture: &Fixture) -> String {
    fixture
        .admin("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        .await;
    let views = "SELECT string_agg(query, E'\\n') FROM (SELECT query FROM pg_stat_statements \
                 UNION ALL SELECT query FROM pg_stat_activity) AS kept";
    let views: String = fixture.ask(views).await;
    let kept = format!("{views}\n{}", fixture.server.log());
    for word in ["ALTER ROLE", "secret rotation"] {
        assert!(kept.contains(word), "it does write things down: {kept}");
    }
    kept
}

async fn no_log_and_no_view_holds_a_password(major: u32) {
    let mut fixture = Fixture::start(talkative(major)).await;
    fixture
        .add_role("boss", "SUPERUSER VALID UNTIL '2030-01-01'")
        .await;
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    let kept = all_that_was_kept(&fixture).await;
    assert!(views_of(&kept).contains("SCRAM-SHA-256$4096:"), "{kept}");
    for label in [Label::Current, Label::Previous] {
        assert_absent(&kept, &fixture.password(&label).await);
    }
}

fn views_of(kept: &str) -> &str {
    kept.split_once("LOG:").map_or(kept, |(views, _)| views)
}

async fn a_role_without_the_right_leaves_no_password_behind(major: u32) {
    let fixture = Fixture::start(talkative(major)).await;
    fixture
        .admin("CREATE ROLE manager LOGIN SUPERUSER PASSWORD 'sentinel-Admin-4711'")
        .await;
    fixture
        .admin("ALTER ROLE app VALID UNTIL '2030-01-01'")
        .await;
    // Even where the password is sent in clear text, no statement that is refused holds it: servers
    // log those by default.
    let mut settings = fixture.settings();
    settings.password_form = PasswordForm::Plain;
    settings.password_valid_days = u16::MAX;
    let errors = |log: &str| {
        let mut refused = Vec::new();
        let mut lines = log.lines();
        while let Some(line) = lines.find(|line| line.contains("ERROR:")) {
            refused.push(line.to_owned());
            refused.extend(
                lines
                    .by_ref()
                    .find(|line| line.contains("STATEMENT:"))
                    .map(str::to_owned),
            );
        }
        refused.join("\n")
    };
    fixture
        .rotates_with(&fixture.rotation_with(settings.clone()), "second")
        .await;
    let with_admin = fixture.document(&json!({
        "masterarn": "arn:admin", "password": fixture.password(&Label::Current).await,
    }));
    fixture.put_current("with an admin", &with_admin);
    fixture.put_admin(
        "admin",
        &json!({
            "host": fixture.server.host(), "username": "manager", "password": "sentinel-Admin-4711",
        }),
    );
    fixture
        .rotates_with(&fixture.rotation_with(settings), "third")
        .await;
    let refused = errors(&fixture.server.log());
    assert!(refused.contains("VALID UNTIL"), "{refused}");
    for label in [Label::Current, Label::Previous] {
        assert_absent(&refused, &fixture.password(&label).await);
    }
}

/// The counter-check: the tests above can fail.
async fn plain_passwords_are_what_a_log_would_hold(major: u32) {
    let fixture = Fixture::start(talkative(major)).await;
    let mut settings = fixture.settings();
    settings.password_form = PasswordForm::Plain;
    fixture
        .rotates_with(&fixture.rotation_with(settings), "second")
        .await;
    let kept = all_that_was_kept(&fixture).await;
    let password = fixture.password(&Label::Current).await;
    assert!(kept.contains(&password), "{kept}");
    assert_absent(&kept, "a text that nobody has sent");
    assert_ne!(password, FIRST);
}
