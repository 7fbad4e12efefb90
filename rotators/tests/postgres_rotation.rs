//! Rotations that come to their end, whatever the role, the password and the server look like.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::time::Duration;

use rotators::postgres::{PasswordForm, PostgresCredential, SingleUser};
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::Label;
use serde_json::json;
use support::{FIRST, Fixture, on_both_versions, server};
use tokio::time::Instant;

on_both_versions!(
    every_name_rotates,
    every_character_of_a_password_is_kept,
    only_the_password_changes,
    a_repeated_step_changes_nothing,
    the_previous_password_is_a_way_in,
    a_rotation_of_aws_function_is_finished,
    settings_of_the_role_do_not_stand_in_the_way,
    a_session_is_gone_when_its_call_ends,
);

async fn every_name_rotates(major: u32) {
    let mut fixture = Fixture::start(server(major)).await;
    let longest = format!("x{}", "é".repeat(31));
    assert_eq!(longest.len(), 63);
    for name in [
        r#"ro"le"#,
        "rôle",
        "a b",
        r"x'y\z",
        "Upper",
        "100%",
        "role TO x",
        &longest,
    ] {
        fixture.add_role(name, "").await;
        for form in [PasswordForm::Scram, PasswordForm::Plain] {
            let mut settings = fixture.settings();
            settings.password_form = form;
            let rotation = fixture.rotation_with(settings);
            fixture.rotates_with(&rotation, &format!("{form:?}")).await;
        }
    }
}

async fn every_character_of_a_password_is_kept(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    // Backslashes mean something else to a server that is set up like this.
    for conforming in ["on", "off"] {
        let set = format!("ALTER ROLE app SET standard_conforming_strings = {conforming}");
        fixture.admin(&set).await;
        for form in [PasswordForm::Scram, PasswordForm::Plain] {
            let mut settings = fixture.settings();
            settings.password_form = form;
            let rotation = fixture.rotation_with(settings);
            let every: String = (' '..='~').chain([' ', '\\', '\'', '"']).collect();
            let version = format!("every character, {form:?}, {conforming}");
            fixture.put_pending(&version, &every).await;
            fixture.rotates_with(&rotation, &version).await;
            assert_eq!(fixture.password(&Label::Current).await, every);
            // And the way back: such a password is also one to log in with.
            fixture
                .rotates_with(&rotation, &format!("after {version}"))
                .await;
        }
    }
}

async fn only_the_password_changes(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let outcomes = fixture.rotate(&fixture.rotation(), "second").await;
    let full = [
        Outcome::Created,
        Outcome::Set,
        Outcome::Tested,
        Outcome::Promoted,
    ];
    assert_eq!(outcomes, Ok(full));
    let password = fixture.password(&Label::Current).await;
    assert_eq!(password.len(), 32);
    assert!(!password.contains(['/', '@', '"', '\'', '\\', ':', ' ']));
    let expected = fixture.document(&json!({ "password": password }));
    let current = secrets_core::store::SecretReader::get(
        &fixture.store,
        &fixture.secret,
        &secrets_core::store::Version::CURRENT,
    );
    let current = current.await.expect("a value").document;
    assert_eq!(current.differing_keys(&expected), Vec::<String>::new());
    assert_eq!(fixture.password(&Label::Previous).await, FIRST);
    fixture.current_logs_in().await;
    fixture.refuses("app", FIRST, "28P01").await;
}

async fn a_repeated_step_changes_nothing(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    let stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'app'";
    fixture.put_pending("second", "a pending password").await;
    for (step, first, again) in [
        (Step::Set, Outcome::Set, Outcome::AlreadySet),
        (Step::Test, Outcome::Tested, Outcome::Tested),
        (Step::Finish, Outcome::Promoted, Outcome::AlreadyCurrent),
    ] {
        assert_eq!(fixture.send(&rotation, step, "second").await, Ok(first));
        let verifier: String = fixture.ask(stored).await;
        assert_eq!(fixture.send(&rotation, step, "second").await, Ok(again));
        assert_eq!(fixture.ask::<String>(stored).await, verifier, "{step}");
    }
}

async fn the_previous_password_is_a_way_in(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    fixture.rotates("second").await;
    let previous = fixture.password(&Label::Previous).await;
    // As after a restore of the database from before the last rotation.
    fixture
        .admin(&format!("ALTER ROLE app PASSWORD '{previous}'"))
        .await;
    let current = fixture.password(&Label::Current).await;
    fixture.refuses("app", &current, "28P01").await;
    let rotated = fixture.rotate(&fixture.rotation(), "third").await;
    assert_eq!(rotated.map(|outcomes| outcomes[1]), Ok(Outcome::Set));
    fixture.current_logs_in().await;
}

async fn a_rotation_of_aws_function_is_finished(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let rotation = fixture.rotation();
    // createSecret: `json.dumps` of the same dictionary, with the value of GetRandomPassword.
    let made_there = "kZ5#n(8Wq.T{x2_Lr$vB7}Ym&4]Pd!Hs";
    fixture.put_pending("second", made_there).await;
    // setSecret, after which that function stopped.
    let change = format!("ALTER USER app WITH PASSWORD '{made_there}'");
    fixture.admin(&change).await;
    let rotated = fixture.rotate(&rotation, "second").await;
    let expected = [
        Outcome::Kept,
        Outcome::AlreadySet,
        Outcome::Tested,
        Outcome::Promoted,
    ];
    assert_eq!(rotated, Ok(expected));
    assert_eq!(fixture.password(&Label::Current).await, made_there);
    fixture.current_logs_in().await;
    // Stopped one step earlier: the value is there, the server does not know it.
    fixture
        .put_pending("third", "kZ5#n(8Wq.T{x2_Lr$vB7}Ym&4]Pd!H3")
        .await;
    fixture.rotates("third").await;
}

async fn settings_of_the_role_do_not_stand_in_the_way(major: u32) {
    let mut fixture = Fixture::start(server(major)).await;
    fixture.admin("CREATE ROLE owner NOLOGIN").await;
    fixture.admin("GRANT owner TO app").await;
    for (number, setting) in [
        "role = owner",
        "default_transaction_read_only = on",
        "standard_conforming_strings = off",
        "datestyle = 'German, DMY'",
        "timezone = 'Asia/Tokyo'",
        "search_path = evil, pg_catalog",
    ]
    .iter()
    .enumerate()
    {
        fixture
            .admin(&format!("ALTER ROLE app SET {setting}"))
            .await;
        fixture.rotates(&format!("with {number} more")).await;
    }
    // Functions of somebody else's in front of the server's own: none of them is to run.
    fixture
        .admin(
            "CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
            CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT 1/0; SELECT NULL::timestamptz';
            CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT 1/0; SELECT $1';
            CREATE VIEW evil.pg_roles AS SELECT 1/0 AS rolvaliduntil, 'app' AS rolname;
            GRANT SELECT ON evil.pg_roles TO PUBLIC",
        )
        .await;
    fixture.rotates("with functions of somebody else's").await;
    let options = "SUPERUSER VALID UNTIL '2100-01-01 00:00:00+00'";
    fixture.add_role("boss", options).await;
    fixture
        .admin("ALTER ROLE boss SET search_path = evil, pg_catalog")
        .await;
    fixture.rotates("boss").await;
}

/// A server counts a session until its process has ended: where the role may have one only, the next
/// login of a rotation must find it gone.
async fn a_session_is_gone_when_its_call_ends(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    fixture.admin("ALTER ROLE app CONNECTION LIMIT 1").await;
    let rotator = SingleUser::new(fixture.store.clone(), fixture.settings());
    let candidate = fixture.document(&json!({}));
    let candidate = PostgresCredential::try_from(&candidate).expect("complete");
    let deadline = Instant::now() + Duration::from_hours(1);
    let cx = Context::new(fixture.secret.clone(), "v".into(), deadline);
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = alive();
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'";
    // Prepared, so that nothing but the question lies between the call's end and the answer.
    let sessions = fixture
        .admin
        .prepare(sessions)
        .await
        .expect("a view of every server");
    for round in 0..50 {
        assert_eq!(rotator.test(&candidate, &cx).await, Ok(Verdict::Accepted));
        let left = fixture.admin.query_one(&sessions, &[]).await;
        assert_eq!(left.expect("a count").get::<_, i64>(0), 0, "round {round}");
        assert_eq!(alive(), before, "round {round}");
    }
    fixture.rotates("second").await;
}
