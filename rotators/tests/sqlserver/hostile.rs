//! Names that are fragments of statements: whoever may name a table must not thereby give orders to the admin.
//!
//! AWS's function puts names from the catalogue into statements that its admin runs.

use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN_IN_A_DATABASE, FIRST, Fixture};

const NAMES: [&str; 9] = [
    "x]; ALTER SERVER ROLE [sysadmin] ADD MEMBER [app]; --",
    "]]; DROP LOGIN [sa]; --",
    "it's'; EXEC sp_addsrvrolemember N'app', N'sysadmin'; --",
    "' + (SELECT 1) + N'",
    "[brackets]",
    "a \"quoted\" TO [public] WITH GRANT OPTION",
    "ünïcode ▒ 名前 \u{202e}",
    "back\\slash\\\nand a line",
    "/* comment */ -- more",
];

/// As long as a name may be.
fn longest() -> String {
    "n']".repeat(42) + "lo"
}

fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A login of that name, with the name in all places where there may be one.
fn surround(fixture: &Fixture, login: &str, name: &str) {
    let server = &fixture.server;
    let (it, user) = (quoted(name), quoted(login));
    server.add_database(name);
    for statement in ADMIN_IN_A_DATABASE {
        server.execute(name, statement);
    }
    server.add_role(None, name);
    server.add_role(Some(name), name);
    server.add_endpoint(name);
    server.execute(
        "master",
        "GRANT ALTER ANY SERVER ROLE TO [rotator] WITH GRANT OPTION",
    );
    let on_endpoint = format!("GRANT CONNECT ON ENDPOINT::{it}");
    server.execute(
        "master",
        &format!("{on_endpoint} TO [rotator] WITH GRANT OPTION"),
    );
    server.execute("master", &format!("{on_endpoint} TO {user}"));
    server.execute(
        "master",
        &format!("ALTER SERVER ROLE {it} ADD MEMBER {user}"),
    );
    server.execute(
        "master",
        &format!("ALTER LOGIN {user} WITH DEFAULT_DATABASE = {it}"),
    );
    server.add_thing(name, "SCHEMA", None, name);
    server.add_thing(name, "OBJECT_OR_COLUMN", Some(name), name);
    server.add_column(name, name, name, name);
    server.add_thing(name, "CERTIFICATE", None, name);
    server.add_thing(name, "SERVICE", None, name);
    for statement in [
        format!("CREATE USER {user} FOR LOGIN {user} WITH DEFAULT_SCHEMA = {it}"),
        format!("ALTER ROLE {it} ADD MEMBER {user}"),
        format!("GRANT SELECT ON OBJECT::{it}.{it} ({it}) TO {user} WITH GRANT OPTION"),
        format!("DENY INSERT ON SCHEMA::{it} TO {user} CASCADE"),
        format!("GRANT CONTROL ON CERTIFICATE::{it} TO {user}"),
        format!("GRANT SEND ON SERVICE::{it} TO {user}"),
        format!("GRANT CONTROL ON ROLE::{it} TO {user}"),
    ] {
        server.execute(name, &statement);
    }
}

#[tokio::test]
async fn names_in_the_catalogue_are_names_and_nothing_else() {
    let long = longest();
    assert_eq!(long.encode_utf16().count(), 128);
    let fixture = Fixture::start().await;
    for name in NAMES.into_iter().chain([long.as_str()]) {
        surround(&fixture, "app", name);
    }
    let rotation = fixture.alternating();
    fixture.rotates(&rotation, "second").await;
    let rights = fixture.server.rights("app");
    assert_eq!(rights.len(), 2 + NAMES.len() + 1);
    assert_eq!(fixture.server.rights("app_clone"), rights);
    fixture.rotates(&rotation, "third").await;
    fixture.rotates(&rotation, "fourth").await;
    assert!(fixture.server.has_login("sa"));
}

/// The users themselves; those with control characters are refused where the secret is read.
#[tokio::test]
async fn names_of_users_are_names_and_nothing_else() {
    let mut fixture = Fixture::start().await;
    let usable = NAMES.into_iter().filter(|name| !name.contains('\n'));
    let longest: String = longest().chars().take(122).collect();
    for (n, name) in usable.chain([longest.as_str()]).enumerate() {
        fixture.add_login(name);
        fixture.user = name.to_owned();
        fixture.put_current(&format!("user{n}"), &json!({}));
        let alternating = fixture.alternating();
        fixture.rotates(&alternating, &format!("{n}-second")).await;
        fixture.rotates(&alternating, &format!("{n}-third")).await;
        fixture
            .rotates(&fixture.single(), &format!("{n}-fourth"))
            .await;
        let (_, password) = fixture.login(&Label::Current).await.expect("a value");
        fixture.put_current(
            &format!("own{n}"),
            &json!({"masterarn": null, "password": password}),
        );
        fixture
            .rotates(&fixture.single(), &format!("{n}-fifth"))
            .await;
        let clone = format!("{name}_clone");
        assert_eq!(fixture.server.rights(&clone), fixture.server.rights(name));
    }
    let line = NAMES
        .into_iter()
        .find(|name| name.contains('\n'))
        .expect("one");
    fixture.put_current("line", &json!({"username": line, "password": FIRST}));
    let refused = fixture.rotate(&fixture.single(), "last").await;
    let refused = format!("{:?}", refused.expect_err("no such name"));
    assert!(refused.contains("username"), "{refused}");
}

/// Names of databases in the secret are values, too.
#[tokio::test]
async fn the_database_of_the_secret_is_a_name_and_nothing_else() {
    let fixture = Fixture::start().await;
    for (n, name) in NAMES
        .into_iter()
        .filter(|name| !name.contains('\n'))
        .enumerate()
    {
        surround(&fixture, "app", name);
        let (_, password) = fixture.login(&Label::Current).await.expect("a value");
        let secret = json!({"dbname": name, "password": password});
        fixture.put_current(&format!("in{n}"), &secret);
        fixture
            .rotates(&fixture.single(), &format!("in{n}-second"))
            .await;
    }
}
