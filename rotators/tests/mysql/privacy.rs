//! What is left behind at a server: no password.

use harness::mysql::{Edition, Server};
use mysql_async::prelude::Queryable;
use rotators::mysql::OldPassword;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::store::Label;
use serde_json::json;

use crate::hidden::assert_absent;
use crate::support::{ADMIN, ADMIN_OF_ONE, FIRST, Fixture, is_mysql, literal, on_both, shown};

on_both![
    no_log_and_no_table_of_the_server_holds_a_password,
    no_statement_under_way_shows_one
];

fn talkative<E: Edition>() -> harness::mysql::Builder<E> {
    let builder = Server::<E>::builder()
        .setting("general_log", "ON")
        .setting("slow_query_log", "ON")
        .setting("slow_query_log_file", "general.log")
        .setting("long_query_time", "0")
        .setting("performance_schema", "ON")
        .setting("performance_schema_instrument", "statement/%=ON")
        .setting(
            "performance_schema_consumer_events_statements_history_long",
            "ON",
        );
    if is_mysql::<E>() {
        builder.setting("log_error_verbosity", "3")
    } else {
        builder.setting("log_warnings", "9")
    }
}

async fn no_log_and_no_table_of_the_server_holds_a_password<E: Edition>() {
    let mut fixture = Fixture::<E>::start_with(talkative()).await;
    fixture.add_admin(ADMIN_OF_ONE.get::<E>()).await;
    for all in [
        "UPDATE performance_schema.setup_instruments SET enabled = 'YES' WHERE name LIKE 'statement/%'",
        "UPDATE performance_schema.setup_consumers SET enabled = 'YES'",
    ] {
        fixture.root(all).await;
    }
    let mut passwords = vec![FIRST.to_owned(), ADMIN.to_owned()];
    for (user, old, admin) in [
        ("by itself", OldPassword::UntilNextRotation, false),
        ("discards", OldPassword::UntilPromotion, false),
        ("replaces", OldPassword::Replaced, false),
        ("by an admin", OldPassword::UntilNextRotation, true),
        ("for an admin", OldPassword::UntilPromotion, true),
    ] {
        fixture.add_user(user, &["%"]).await;
        if is_mysql::<E>() {
            let grant = format!("GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO '{user}'");
            fixture.root(&grant).await;
        } else if !admin && old != OldPassword::Replaced {
            continue;
        }
        let admin = admin.then_some("arn:admin");
        fixture.put_current("other", &json!({"masterarn": admin}));
        let rotation = fixture.single(old);
        for version in ["second", "third"] {
            passwords.push(fixture.rotates(&rotation, version).await);
        }
        passwords.push(
            fixture
                .value(&Label::Current, "password")
                .await
                .expect("a password"),
        );
    }
    let log = &fixture.server.log();
    assert!(
        log.contains("ALTER USER"),
        "the log holds statements: {log}"
    );
    for password in &passwords {
        assert_absent(log, password);
    }
    for table in [
        "events_statements_history_long",
        "events_statements_history",
        "events_statements_current",
        "events_statements_summary_by_digest",
        "threads",
    ] {
        let rows = format!("SELECT * FROM performance_schema.{table}");
        let rows: Vec<mysql_async::Row> = fixture.ask(&rows).await;
        assert!(!rows.is_empty(), "{table}");
        let held = shown(rows);
        // The others stand in statements of the tests themselves.
        let rotated = passwords
            .iter()
            .filter(|it| ![FIRST, ADMIN].contains(&it.as_str()));
        for password in rotated {
            assert_absent(&held, password);
        }
    }
}

/// While another session holds the lock that the statement needs, everybody who may can see it.
async fn no_statement_under_way_shows_one<E: Edition>() {
    let fixture = Fixture::<E>::start().await;
    let old = if is_mysql::<E>() {
        OldPassword::default()
    } else {
        OldPassword::Replaced
    };
    let mut rotations = 0;
    for admin in [false, true] {
        if admin {
            fixture.add_admin(ADMIN_OF_ONE.get::<E>()).await;
            fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
            fixture
                .root(&format!("ALTER USER app IDENTIFIED BY {}", literal(FIRST)))
                .await;
        }
        let version = format!("second-{admin}");
        let new = "sentinel-new-password";
        fixture
            .put_pending(&version, &Patch::key("password", new.into()))
            .await;
        let mut root = fixture.root_session().await;
        root.query_drop("FLUSH TABLES WITH READ LOCK")
            .await
            .expect("a lock");
        let rotation = fixture.single(old);
        let set = fixture.send(&rotation, Step::Set, &version);
        let watch = async {
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(8);
            loop {
                let list: Vec<mysql_async::Row> =
                    root.query("SHOW FULL PROCESSLIST").await.expect("a list");
                let list = shown(list);
                assert_absent(&list, new);
                assert_absent(&list, FIRST);
                if list.contains("ALTER USER") || list.contains("SET PASSWORD") {
                    break;
                }
                assert!(std::time::Instant::now() < deadline, "{list}");
            }
            root.query_drop("UNLOCK TABLES").await.expect("an end");
        };
        let (set, ()) = tokio::join!(set, watch);
        set.expect("a statement that waited");
        rotations += 1;
    }
    assert_eq!(rotations, 2);
}
