//! What a server that writes everything down gets to know of a pair: no password.

use harness::mariadb::MariaDb;
use harness::mysql::{Builder, Edition, MySql, Server};
use mysql_async::Row;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::hidden::assert_absent;
use crate::pair::{ADMIN_OF_PAIRS, Pair};
use crate::support::{ADMIN, FIRST, is_mysql, shown};

#[tokio::test]
async fn no_log_and_no_table_holds_a_password_on_mysql() {
    no_log_and_no_table_holds_a_password::<MySql>().await;
}

#[tokio::test]
async fn no_log_and_no_table_holds_a_password_on_mariadb() {
    no_log_and_no_table_holds_a_password::<MariaDb>().await;
}

fn talkative<E: Edition>() -> Builder<E> {
    let builder = Server::<E>::builder()
        .setting("general_log", "ON")
        .setting("slow_query_log", "ON")
        .setting("slow_query_log_file", "general.log")
        .setting("long_query_time", "0")
        .setting("performance_schema", "ON");
    if is_mysql::<E>() {
        builder.setting("log_error_verbosity", "3")
    } else {
        builder.setting("log_warnings", "9")
    }
}

async fn no_log_and_no_table_holds_a_password<E: Edition>() {
    let mut pair = Pair::start_with(talkative::<E>()).await;
    pair.another_admin("weak", ADMIN_OF_PAIRS.get::<E>()).await;
    for all in [
        "UPDATE performance_schema.setup_instruments SET enabled = 'YES' WHERE name LIKE 'statement/%'",
        "UPDATE performance_schema.setup_consumers SET enabled = 'YES'",
    ] {
        pair.root(all).await;
    }
    pair.another("takes turns").await;
    let rotation = pair.alternating();
    let mut passwords = Vec::new();
    for version in ["second", "third", "fourth"] {
        pair.rotates(&rotation, version).await;
        passwords.push(pair.value(&Label::Current, "password").await);
    }
    // A change that is refused may be written down as well.
    pair.plain("refused", &["GRANT DELETE ON shop.goods TO $"])
        .await;
    pair.put_current("weak", &json!({"masterarn": "arn:weak"}));
    let denied = (Kind::Refused, Some("1142"));
    pair.fails(&rotation, "fifth", denied, "WITH GRANT OPTION")
        .await;
    passwords.push(pair.value(&Label::Pending, "password").await);

    let log = pair.server.log();
    for word in ["CREATE USER", "ALTER USER", "GRANT "] {
        assert!(log.contains(word), "it does write things down: {word}");
    }
    let rotated: Vec<String> = passwords.into_iter().map(|it| it.expect("one")).collect();
    for password in rotated.iter().map(String::as_str).chain([FIRST, ADMIN]) {
        assert_absent(&log, password);
    }
    for table in [
        "events_statements_history_long",
        "events_statements_history",
        "events_statements_current",
        "events_statements_summary_by_digest",
        "threads",
    ] {
        let rows = format!("SELECT * FROM performance_schema.{table}");
        let rows: Vec<Row> = pair.ask(&rows).await;
        assert!(!rows.is_empty(), "{table}");
        let held = shown(rows);
        // The others stand in statements of the tests themselves.
        for password in &rotated {
            assert_absent(&held, password);
        }
    }
}
