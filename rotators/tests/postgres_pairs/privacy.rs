//! What a server that writes everything down gets to know of a pair.

use rotators::postgres::PairLayout;
use secrets_core::store::Label;

use crate::pair::{ADMIN, Pair};
use crate::support::hidden::assert_absent;
use crate::support::{FIRST, on_both_versions, server};

on_both_versions!(no_log_and_no_view_holds_a_password);

async fn no_log_and_no_view_holds_a_password(major: u32) {
    let talkative = server(major)
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("pg_stat_statements.track", "all")
        .setting("pg_stat_statements.track_utility", "on")
        .setting("log_statement", "all")
        .setting("log_min_duration_statement", "0")
        .setting("log_min_messages", "debug1")
        .setting("log_min_error_statement", "debug5");
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(talkative.clone(), "app").await;
        pair.admin("CREATE EXTENSION pg_stat_statements").await;
        pair.admin("SELECT pg_stat_statements_reset()").await;
        let start = pair.server.log().len();
        let rotation = pair.pair_rotation(layout);
        let mut passwords = vec![FIRST.to_owned(), ADMIN.to_owned()];
        for version in ["second", "third", "fourth"] {
            pair.rotate(&rotation, version).await.expect("a rotation");
            passwords.push(pair.login(&Label::Current).await.1);
        }
        // A change that is refused is written down as well.
        pair.admin("GRANT CREATE ON SCHEMA work TO app_clone; CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO app_clone").await;
        pair.rotate(&rotation, "fifth")
            .await
            .expect_err("rights differ");
        let views = "SELECT string_agg(query, E'\\n') FROM (SELECT query FROM pg_stat_statements \
                     UNION ALL SELECT query FROM pg_stat_activity) AS kept";
        let kept = format!(
            "{}\n{}",
            pair.ask::<String>(views).await,
            &pair.server.log()[start..]
        );
        for word in [
            "SCRAM-SHA-256$4096:",
            "ALTER ROLE \"app_clone\" LOGIN PASSWORD",
        ] {
            assert!(kept.contains(word), "it does write things down: {word}");
        }
        for password in passwords {
            assert_absent(&kept, &password);
        }
    }
}
