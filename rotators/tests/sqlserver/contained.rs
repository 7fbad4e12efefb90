//! Users whose passwords a contained database keeps.

use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN_IN_A_DATABASE, FIRST, Fixture};

async fn fixture() -> Fixture {
    let mut fixture = Fixture::start().await;
    let server = &fixture.server;
    server.add_contained_database("own");
    for statement in ADMIN_IN_A_DATABASE {
        server.execute("own", statement);
    }
    server.add_thing("own", "SCHEMA", None, "sales");
    let password = FIRST.replace('\'', "''");
    let create =
        format!("CREATE USER [shopper] WITH PASSWORD = N'{password}', DEFAULT_SCHEMA = [sales]");
    for statement in [
        create.as_str(),
        "ALTER ROLE [db_datareader] ADD MEMBER [shopper]",
        "GRANT EXECUTE ON SCHEMA::[sales] TO [shopper] WITH GRANT OPTION",
    ] {
        server.execute("own", statement);
    }
    "shopper".clone_into(&mut fixture.user);
    fixture.put_current("contained", &json!({"dbname": "own"}));
    fixture.server.forget_statements();
    fixture
}

async fn current_works(fixture: &Fixture) {
    let (user, password) = fixture.login(&Label::Current).await.expect("a value");
    assert!(fixture.server.has_password("own", &user, &password));
    fixture.is_understood();
}

#[tokio::test]
async fn a_user_changes_its_own_password() {
    let fixture = fixture().await;
    fixture.put_current("by itself", &json!({"dbname": "own", "masterarn": null}));
    let rotated = fixture.rotate(&fixture.single(), "second").await;
    rotated.expect("a rotation");
    assert_eq!(
        fixture.changes().await,
        ["ALTER USER [shopper] WITH PASSWORD = N'<AWSCURRENT>' OLD_PASSWORD = N'<first>'"]
    );
    current_works(&fixture).await;
}

#[tokio::test]
async fn an_admin_changes_the_password_of_a_user() {
    let fixture = fixture().await;
    let rotated = fixture.rotate(&fixture.single(), "second").await;
    rotated.expect("a rotation");
    assert_eq!(
        fixture.changes().await,
        ["ALTER USER [shopper] WITH PASSWORD = N'<AWSCURRENT>'"]
    );
    current_works(&fixture).await;
    // A login in such a database is none of its users.
    fixture.server.add_login("guest2", FIRST);
    fixture
        .server
        .execute("own", "CREATE USER [guest2] FOR LOGIN [guest2]");
    fixture.put_current("login", &json!({"dbname": "own", "username": "guest2"}));
    fixture.rotates(&fixture.single(), "third").await;
}

#[tokio::test]
async fn two_users_take_turns() {
    let fixture = fixture().await;
    let rotation = fixture.alternating();
    let rotated = fixture.rotate(&rotation, "second").await;
    rotated.expect("a rotation");
    let mut changes = fixture.changes().await;
    let create = changes.remove(0);
    assert!(
        create.starts_with("CREATE USER [shopper_clone] WITH PASSWORD = N'"),
        "{create}"
    );
    assert!(create.ends_with("', DEFAULT_SCHEMA = [sales]"), "{create}");
    assert_eq!(
        changes,
        [
            "ALTER ROLE [db_datareader] ADD MEMBER [shopper_clone]",
            "GRANT EXECUTE ON SCHEMA::[sales] TO [shopper_clone] WITH GRANT OPTION",
            "ALTER USER [shopper_clone] WITH PASSWORD = N'<AWSCURRENT>'",
        ]
    );
    let rights = fixture.server.rights("shopper");
    assert_eq!(fixture.server.rights("shopper_clone"), rights);
    current_works(&fixture).await;
    let rotated = fixture.rotate(&rotation, "third").await;
    rotated.expect("a rotation");
    current_works(&fixture).await;
    assert!(!fixture.server.has_login("shopper_clone"));
}

#[tokio::test]
async fn an_admin_that_may_not_enter_is_told_so() {
    let fixture = fixture().await;
    fixture
        .server
        .execute("own", "ALTER ROLE [db_owner] DROP MEMBER [rotator]");
    fixture
        .server
        .execute("own", "REVOKE CONNECT FROM [rotator] CASCADE");
    let kind = (Kind::Refused, Some("916"));
    for n in ["second", "third"] {
        if n == "third" {
            fixture.put_current("again", &json!({"dbname": "own"}));
        }
        fixture
            .fails(&fixture.single(), n, kind, "may not enter")
            .await;
    }
}
