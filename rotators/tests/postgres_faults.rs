//! What stands in the way: each fault is named, loses nothing, and once it is gone the rotation goes on.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use harness::postgres::PostgresServer;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::PasswordForm;
use secrets_core::rotation::Reason;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;
use support::{FIRST, Fixture, on_both_versions, server};

on_both_versions!(
    a_role_that_may_not_log_in,
    a_host_without_a_line_in_pg_hba,
    an_expired_role,
    no_connection_left,
    a_wrong_database,
    a_database_without_the_right_to_connect,
    credentials_that_nobody_takes,
    a_password_that_the_server_refuses,
    a_server_that_is_down,
    a_role_that_is_gone,
);

async fn a_role_that_may_not_log_in(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture.admin("ALTER ROLE app NOLOGIN").await;
    let fault = (Kind::Refused, Some("28000"));
    fixture
        .fails(&rotation, "second", fault, "give it LOGIN")
        .await;
    fixture.admin("ALTER ROLE app LOGIN").await;
    fixture.current_logs_in().await;
    fixture.rotates_with(&rotation, "second").await;
    assert_eq!(fixture.password(&Label::Previous).await, FIRST);
}

async fn a_host_without_a_line_in_pg_hba(major: u32) {
    let builder = server(major).hba("hostssl all app 127.0.0.1/32 reject");
    let fixture = Fixture::start(builder).await;
    let fault = (Kind::Refused, Some("28000"));
    let rotation = fixture.rotation();
    let error = fixture
        .fails(&rotation, "second", fault, "pg_hba.conf")
        .await;
    assert_eq!(error.code(), "TargetRefused");
    let plaintext = fixture.document(&json!({"ssl": false}));
    fixture.put_current("plaintext", &plaintext);
    fixture.rotates_with(&rotation, "third").await;
}

async fn an_expired_role(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture
        .admin("ALTER ROLE app VALID UNTIL '2020-01-01'")
        .await;
    let error = fixture
        .rotate(&rotation, "second")
        .await
        .expect_err("expired");
    assert_eq!(error.reason, Reason::NoneAccepted);
    fixture.hides_passwords(&error).await;
    fixture.admin("ALTER ROLE app VALID UNTIL 'infinity'").await;
    fixture.current_logs_in().await;
    fixture.rotates_with(&rotation, "second").await;
}

async fn no_connection_left(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture.admin("ALTER ROLE app CONNECTION LIMIT 1").await;
    let held = fixture
        .log_in("app", FIRST)
        .await
        .expect("the first session");
    let fault = (Kind::Unreachable, Some("53300"));
    fixture
        .fails(&rotation, "second", fault, "CONNECTION LIMIT")
        .await;
    drop(held);
    fixture.admin("ALTER ROLE app CONNECTION LIMIT 10").await;
    fixture.rotates_with(&rotation, "second").await;
}

async fn a_wrong_database(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture.put_current(
        "nowhere",
        &fixture.document(&json!({"dbname": "no\"where"})),
    );
    let fault = (Kind::Misconfigured, Some("3D000"));
    fixture.fails(&rotation, "second", fault, "`dbname`").await;
    // The database comes into being: the same rotation goes on.
    fixture.admin("CREATE DATABASE \"no\"\"where\"").await;
    fixture.rotates_with(&rotation, "second").await;
}

async fn a_database_without_the_right_to_connect(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture
        .admin("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        .await;
    let fault = (Kind::Refused, Some("42501"));
    fixture.fails(&rotation, "second", fault, "CONNECT").await;
    fixture
        .admin("GRANT CONNECT ON DATABASE postgres TO app")
        .await;
    fixture.rotates_with(&rotation, "second").await;
}

async fn credentials_that_nobody_takes(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture.rotates_with(&rotation, "second").await;
    fixture
        .admin("ALTER ROLE app PASSWORD 'known to nobody'")
        .await;
    let refusals = || {
        fixture
            .server
            .log()
            .matches("password authentication failed")
            .count()
    };
    let before = refusals();
    let error = fixture
        .rotate(&rotation, "third")
        .await
        .expect_err("all are wrong");
    assert_eq!(error.code(), "NoCredentialAccepted");
    // Each of pending, current and previous is shown once: more might lock the account.
    assert_eq!(refusals() - before, 3);
    fixture.hides_passwords(&error).await;

    let current = fixture.password(&Label::Current).await;
    fixture
        .admin(&format!("ALTER ROLE app PASSWORD '{current}'"))
        .await;
    fixture.rotates_with(&rotation, "third").await;
}

async fn a_password_that_the_server_refuses(major: u32) {
    let builder = server(major).setting("shared_preload_libraries", "passwordcheck");
    let fixture = Fixture::start(builder).await;
    let mut settings = fixture.settings();
    settings.password_form = PasswordForm::Plain;
    settings.password = PasswordPolicy::new(&PasswordRules {
        length: 7,
        ..PasswordRules::default()
    })
    .expect("can be followed");
    let error = fixture
        .rotate(&fixture.rotation_with(settings.clone()), "second")
        .await
        .expect_err("too short for that server");
    let Reason::ValueRefused {
        discarded: true,
        source,
    } = &error.reason
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (source.kind(), source.code()),
        (Kind::RejectedByTarget, Some("22023"))
    );
    support::hidden::assert_absent(&support::hidden::shown(&error), FIRST);
    fixture.current_logs_in().await;
    assert_eq!(fixture.password(&Label::Current).await, FIRST);

    settings.password = fixture.settings().password;
    fixture
        .rotates_with(&fixture.rotation_with(settings), "third")
        .await;
    // A verifier tells nothing of its password: such a server takes it.
    fixture.rotates("fourth").await;
}

async fn a_server_that_is_down(major: u32) {
    let fixture = Fixture::start(PostgresServer::builder().major(major)).await;
    let rotation = fixture.rotation();
    fixture.server.stop().await;
    let fault = (Kind::Unreachable, None);
    fixture
        .fails(&rotation, "second", fault, "refuses connections")
        .await;
    fixture.server.start_again().await;
    let rotated = fixture.rotate(&rotation, "second").await;
    assert!(rotated.is_ok(), "{rotated:?}");
}

async fn a_role_that_is_gone(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    fixture.admin("ALTER ROLE app RENAME TO app_gone").await;
    let error = fixture
        .rotate(&rotation, "second")
        .await
        .expect_err("no such role");
    assert_eq!(error.reason, Reason::NoneAccepted);
    fixture.admin("ALTER ROLE app_gone RENAME TO app").await;
    fixture.rotates_with(&rotation, "second").await;
}
