//! What stops a rotation of a pair, and says who must act. The user in use goes on working each time.

use rotators::postgres::PairLayout;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{ADMIN, Pair, works};
use crate::support::{Fixture, hidden, on_both_versions, server};

on_both_versions!(
    an_admin_without_the_rights,
    an_admin_who_cannot_be_used,
    a_role_of_that_name_that_is_somebody_elses,
    users_that_may_not_do_the_same,
    what_an_owner_role_would_break,
    a_pending_version_that_names_somebody_else,
    users_that_the_secret_names_and_nobody_made,
    the_documentation_tells_what_to_grant_and_how_to_list,
);

/// No role was made, and the user in use works.
async fn unchanged(pair: &Pair) {
    let made = "SELECT count(*) FROM pg_roles WHERE rolname IN ('app_clone', 'app_owner')";
    assert_eq!(pair.ask::<i64>(made).await, 0);
    let session = pair.session(&Label::Current).await;
    works(&session).await.expect("the user in use");
}

async fn an_admin_without_the_rights(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let rotation = pair.pair_rotation(layout);
        if major >= 16 {
            pair.admin("REVOKE app FROM manager").await;
            let grant = "GRANT \"app\" TO the admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
            let error = pair
                .fails(&rotation, "second", (Kind::Refused, None), grant)
                .await;
            hidden::assert_absent(&hidden::shown(&error), ADMIN);
            unchanged(&pair).await;
        }
        pair.admin("ALTER ROLE manager NOCREATEROLE").await;
        pair.fails(&rotation, "second", (Kind::Refused, None), "CREATEROLE")
            .await;
        unchanged(&pair).await;

        // Attributes and settings that the admin may not pass on.
        pair.admin("ALTER ROLE manager CREATEROLE").await;
        pair.grant_admin("app").await;
        let refused = (Kind::Refused, Some("42501"));
        pair.admin("ALTER ROLE app BYPASSRLS").await;
        pair.fails(&rotation, "second", refused, "attributes").await;
        unchanged(&pair).await;
        pair.admin("ALTER ROLE app NOBYPASSRLS; ALTER ROLE app SET log_statement = 'none'")
            .await;
        pair.fails(&rotation, "second", refused, "setting").await;
        unchanged(&pair).await;
        pair.admin("GRANT SET ON PARAMETER log_statement TO manager")
            .await;
        pair.turns_to(&rotation, "second", "app_clone")
            .await
            .expect("a rotation");
    }
}

async fn an_admin_who_cannot_be_used(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let rotation = pair.pair_rotation(PairLayout::Owner);
    let secret = |extra: serde_json::Value| {
        let mut all = json!({"host": pair.server.host(), "username": "manager", "password": ADMIN});
        crate::support::merge(&mut all, &extra);
        all
    };
    for (version, extra, kind, code, word) in [
        (
            "wrong",
            json!({"password": "sentinel-wrong"}),
            Kind::Misconfigured,
            Some("28P01"),
            "`masterarn`",
        ),
        (
            "elsewhere",
            json!({"host": "localhost"}),
            Kind::Misconfigured,
            None,
            "another `host`",
        ),
        (
            "the user",
            json!({"username": "app", "password": crate::support::FIRST}),
            Kind::Refused,
            None,
            "one of the two users",
        ),
    ] {
        pair.put_admin(version, &secret(extra));
        let error = pair.fails(&rotation, "second", (kind, code), word).await;
        hidden::assert_absent(&hidden::shown(&error), ADMIN);
        unchanged(&pair).await;
    }
    pair.put_admin("right", &secret(json!({})));
    pair.turns_to(&rotation, "second", "app_clone")
        .await
        .expect("a rotation");

    let other = Fixture::start(server(major)).await;
    let rotator = rotators::postgres::AlternatingUsers::new(
        other.store.clone(),
        other.settings(),
        rotators::postgres::PairSettings::default(),
    );
    let rotation = secrets_core::rotation::Rotation::new(other.store.clone(), rotator);
    other
        .fails(
            &rotation,
            "second",
            (Kind::Misconfigured, None),
            "`masterarn`",
        )
        .await;
}

async fn a_role_of_that_name_that_is_somebody_elses(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    pair.admin("CREATE ROLE app_clone LOGIN SUPERUSER PASSWORD 'sentinel-of-another'")
        .await;
    pair.admin("ALTER ROLE manager SUPERUSER").await;
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let rotation = pair.pair_rotation(layout);
        let fault = (Kind::Misconfigured, None);
        pair.fails(&rotation, "second", fault, "does not belong to the first")
            .await;
    }
    let login = pair.log_in("app_clone", "sentinel-of-another").await;
    assert!(login.is_ok(), "its password was not touched");
}

async fn users_that_may_not_do_the_same(major: u32) {
    for layout in [PairLayout::Owner, PairLayout::Member] {
        let pair = Pair::start(server(major), "app").await;
        let rotation = pair.pair_rotation(layout);
        pair.turns_to(&rotation, "second", "app_clone")
            .await
            .expect("a rotation");
        let mut version = 2;
        for (give, take, kind) in [
            (
                "GRANT SELECT ON x TO {}",
                "REVOKE SELECT ON x FROM {}",
                "tables",
            ),
            (
                "GRANT UPDATE (id) ON x TO {}",
                "REVOKE UPDATE (id) ON x FROM {}",
                "columns",
            ),
            (
                "ALTER TABLE x OWNER TO {}",
                "ALTER TABLE x OWNER TO postgres",
                "ownership",
            ),
            (
                "GRANT CREATE ON DATABASE postgres TO {}",
                "REVOKE CREATE ON DATABASE postgres FROM {}",
                "databases",
            ),
            (
                "GRANT CREATE ON SCHEMA s TO {}",
                "REVOKE CREATE ON SCHEMA s FROM {}",
                "schemas",
            ),
            (
                "GRANT EXECUTE ON FUNCTION s.f() TO {}",
                "REVOKE EXECUTE ON FUNCTION s.f() FROM {}",
                "functions",
            ),
            (
                "GRANT USAGE ON SEQUENCE s.q TO {}",
                "REVOKE USAGE ON SEQUENCE s.q FROM {}",
                "sequences",
            ),
            (
                "GRANT SET ON PARAMETER log_statement TO {}",
                "REVOKE SET ON PARAMETER log_statement FROM {}",
                "parameters",
            ),
            (
                "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO {}",
                "ALTER DEFAULT PRIVILEGES IN SCHEMA s REVOKE SELECT ON TABLES FROM {}",
                "default privileges",
            ),
            (
                "CREATE POLICY p ON x TO {} USING (true)",
                "DROP POLICY p ON x",
                "row security policies",
            ),
        ] {
            if version == 2 {
                pair.admin("CREATE TABLE x (id int); CREATE SCHEMA s; CREATE SEQUENCE s.q")
                    .await;
                pair.admin("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
                    .await;
                pair.admin("REVOKE EXECUTE ON FUNCTION s.f() FROM PUBLIC")
                    .await;
            }
            version += 1;
            let version = version.to_string();
            // The member has what is given to the user whose member it is.
            let alone = match layout {
                PairLayout::Owner => ["app", "app_clone"].as_slice(),
                PairLayout::Member => &["app_clone"],
            };
            for user in alone {
                pair.admin(&give.replace("{}", user)).await;
                pair.fails(&rotation, &version, (Kind::Misconfigured, None), kind)
                    .await;
                pair.both_work().await;
                pair.admin(&take.replace("{}", user)).await;
            }
            pair.rotate(&rotation, &version)
                .await
                .expect("the same again");
        }
    }
}

async fn what_an_owner_role_would_break(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    let rotation = pair.pair_rotation(PairLayout::Owner);
    for (there, gone, word) in [
        ("CREATE SCHEMA app", "DROP SCHEMA app", "$user"),
        (
            "CREATE ROLE app_owner",
            "DROP ROLE app_owner",
            "there already",
        ),
        (
            "CREATE ROLE dev; GRANT app TO dev",
            "DROP ROLE dev",
            "members of the user",
        ),
        (
            "CREATE POLICY mine ON work.rows USING (who = current_user)",
            "DROP POLICY mine ON work.rows",
            "row security",
        ),
        (
            "CREATE POLICY mine ON work.own WITH CHECK (note = user)",
            "DROP POLICY mine ON work.own",
            "row security",
        ),
    ] {
        pair.admin(there).await;
        pair.fails(&rotation, "second", (Kind::Misconfigured, None), word)
            .await;
        let session = pair.session(&Label::Current).await;
        works(&session).await.expect(there);
        pair.admin(gone).await;
    }
    unchanged(&pair).await;
    pair.turns_to(&rotation, "second", "app_clone")
        .await
        .expect("a rotation");
}

async fn a_pending_version_that_names_somebody_else(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    pair.admin(
        "CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'sentinel-boss'; ALTER ROLE manager SUPERUSER",
    )
    .await;
    let version = "second".into();
    pair.store
        .begin_rotation(&pair.secret, &version)
        .expect("no other rotation");
    let patch = json!({"username": "boss", "password": "sentinel-mine"});
    let value = pair.secret(&patch);
    let put = secrets_core::store::SecretStore::put_pending(
        &pair.store,
        &pair.secret,
        &version,
        &value,
        None,
    );
    put.await.expect("an empty version");
    let rotation = pair.pair_rotation(PairLayout::Member);
    pair.fails(
        &rotation,
        "second",
        (Kind::Misconfigured, None),
        "take turns",
    )
    .await;
    let login = pair.log_in("boss", "sentinel-boss").await;
    assert!(login.is_ok(), "its password was not touched");
}

async fn users_that_the_secret_names_and_nobody_made(major: u32) {
    let pair = Pair::start(server(major), "app").await;
    pair.put_current(
        "named",
        &pair.secret(&json!({"usernames": ["app", "green"]})),
    );
    let rotation = pair.pair_rotation(PairLayout::Member);
    pair.fails(
        &rotation,
        "second",
        (Kind::Misconfigured, None),
        "create it",
    )
    .await;
    pair.admin("CREATE ROLE green").await;
    pair.grant_admin("green").await;
    if major >= 16 {
        let refused = (Kind::Refused, Some("42501"));
        pair.fails(&rotation, "second", refused, "memberships")
            .await;
        pair.grant_admin("readers").await;
    }
    let fault = pair
        .fails(&rotation, "second", (Kind::Misconfigured, None), "tables")
        .await;
    assert!(
        !hidden::shown(&fault).contains("shared"),
        "no names of objects"
    );
    pair.admin("GRANT app TO green").await;
    pair.turns_to(&rotation, "second", "green")
        .await
        .expect("a rotation");
    let made = "SELECT count(*) FROM pg_roles WHERE rolname LIKE '%\\_clone'";
    assert_eq!(pair.ask::<i64>(made).await, 0);
}

async fn the_documentation_tells_what_to_grant_and_how_to_list(major: u32) {
    let docs = include_str!("../../../docs/postgres.md");
    for statement in [
        "CREATE ROLE manager LOGIN CREATEROLE PASSWORD '",
        "GRANT app TO manager WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;",
        "GRANT SET ON PARAMETER my_app.mode TO manager",
    ] {
        assert!(docs.contains(statement), "{statement}");
    }
    let (_, list) = docs
        .split_once("```sql\nSELECT r.rolname")
        .expect("a query");
    let (list, _) = list.split_once("```").expect("its end");
    let pair = Pair::start(server(major), "app").await;
    let rotation = pair.pair_rotation(PairLayout::Owner);
    let turned = pair.turns_to(&rotation, "second", "app_clone").await;
    turned.expect("a rotation");
    pair.admin("CREATE TABLE x (id int); GRANT SELECT ON x TO app_clone")
        .await;
    let list = format!("SELECT r.rolname{list}");
    let rows = pair.admin.query(&list, &[]).await.expect("rows");
    assert_eq!(rows.len(), 1, "and nothing else");
    let row = |column| rows[0].get::<_, String>(column);
    assert_eq!(
        [row(0), row(2), row(3)],
        ["app_clone", "right", "table x"].map(str::to_owned)
    );
}
