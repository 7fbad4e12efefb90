//! Two users that take turns.

use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{FIRST, Fixture};

#[tokio::test]
async fn the_second_login_may_do_what_the_first_may_before_it_has_a_password() {
    let fixture = Fixture::start().await;
    fixture.server.forget_statements();
    let rotation = fixture.alternating();
    fixture.rotates(&rotation, "second").await;
    let mut changes = fixture.changes().await;
    // Its first password is nobody's.
    let start = "CREATE LOGIN [app_clone] WITH PASSWORD = N'";
    let rest = "', DEFAULT_DATABASE = [shop], DEFAULT_LANGUAGE = [us_english], CHECK_EXPIRATION = OFF, \
                CHECK_POLICY = ON";
    let create = changes.remove(0);
    assert!(
        create.starts_with(start) && create.ends_with(rest),
        "{create}"
    );
    assert!(!create.contains("AWSCURRENT"));
    assert_eq!(
        changes,
        [
            "GRANT VIEW SERVER STATE TO [app_clone]",
            "CREATE USER [app_clone] FOR LOGIN [app_clone] WITH DEFAULT_SCHEMA = [sales]",
            "ALTER ROLE [clerks] ADD MEMBER [app_clone]",
            "ALTER ROLE [db_datareader] ADD MEMBER [app_clone]",
            "GRANT CREATE TABLE TO [app_clone]",
            "GRANT EXECUTE ON SCHEMA::[sales] TO [app_clone] WITH GRANT OPTION",
            "GRANT SELECT ON OBJECT::[sales].[orders] TO [app_clone]",
            "DENY SELECT ON OBJECT::[sales].[orders] ([total]) TO [app_clone] CASCADE",
            "GRANT VIEW DEFINITION ON ROLE::[clerks] TO [app_clone]",
            "ALTER LOGIN [app_clone] WITH PASSWORD = N'<AWSCURRENT>'",
        ]
    );
    let rights = fixture.server.rights("app");
    assert_eq!(fixture.server.rights("app_clone"), rights);
    assert_eq!(rights.len(), 2);
    assert!(fixture.works(&Label::Previous).await);

    // And back, with nothing to do but the password.
    fixture.server.forget_statements();
    fixture.rotates(&rotation, "third").await;
    let (user, _) = fixture.login(&Label::Current).await.expect("a version");
    assert_eq!(user, "app");
    assert_eq!(
        fixture.changes().await,
        ["ALTER LOGIN [app] WITH PASSWORD = N'<AWSCURRENT>'"]
    );
    assert!(fixture.works(&Label::Previous).await);
    fixture.rotates(&rotation, "fourth").await;
    // The probes of setSecret alone, but for a login that is not there or lacks something.
    assert_eq!(fixture.server.refused_logins(), 2);
}

/// Rights come and go with those of the user in use.
#[tokio::test]
async fn what_is_too_much_is_taken_and_what_lacks_is_given() {
    let fixture = Fixture::start().await;
    let rotation = fixture.alternating();
    fixture.rotates(&rotation, "second").await;
    fixture.rotates(&rotation, "third").await;
    let server = &fixture.server;
    server.add_database("stock");
    for statement in crate::support::ADMIN_IN_A_DATABASE {
        server.execute("stock", statement);
    }
    for (database, statement) in [
        // Too much.
        ("shop", "GRANT ALTER TO [app_clone] WITH GRANT OPTION"),
        (
            "shop",
            "GRANT SELECT ON OBJECT::[sales].[orders] TO [app_clone] WITH GRANT OPTION",
        ),
        ("shop", "ALTER ROLE [db_owner] ADD MEMBER [app_clone]"),
        ("stock", "CREATE USER [app_clone] FOR LOGIN [app_clone]"),
        ("stock", "ALTER ROLE [db_datawriter] ADD MEMBER [app_clone]"),
        // Too little.
        (
            "shop",
            "DENY EXECUTE ON SCHEMA::[sales] TO [app_clone] CASCADE",
        ),
        ("shop", "REVOKE CREATE TABLE FROM [app_clone] CASCADE"),
        ("shop", "ALTER USER [app_clone] WITH DEFAULT_SCHEMA = [dbo]"),
        (
            "master",
            "REVOKE VIEW SERVER STATE FROM [app_clone] CASCADE",
        ),
        ("master", "ALTER LOGIN [app_clone] DISABLE"),
        ("master", "ALTER LOGIN [app_clone] WITH CHECK_POLICY = OFF"),
    ] {
        server.execute(database, statement);
    }
    fixture.rotates(&rotation, "fourth").await;
    let mut rights = server.rights("app_clone");
    // Whose user stays, and may not even enter.
    let last = rights.pop().expect("its user in `stock`");
    assert_eq!(last, "in stock Some(\"dbo\") {} {}");
    assert_eq!(rights, server.rights("app"));
    fixture.rotates(&rotation, "fifth").await;
}

/// What AWS's function leaves after a crash: a login with the pending password, without rights.
#[tokio::test]
async fn a_half_made_clone_is_healed_before_it_is_published() {
    let fixture = Fixture::start().await;
    let rotation = fixture.alternating();
    let begun = fixture
        .store
        .begin_rotation(&fixture.secret.into(), &"second".into());
    begun.expect("no other rotation");
    let sent = fixture.send(&rotation, Step::Create, "second").await;
    sent.expect("a value");
    let (user, password) = fixture.login(&Label::Pending).await.expect("a value");
    fixture.server.add_login(&user, &password);
    // A later step does not take it for whole.
    let tested = fixture.send(&rotation, Step::Test, "second").await;
    assert!(tested.is_err(), "{tested:?}");
    for step in [Step::Set, Step::Test, Step::Finish] {
        fixture.send(&rotation, step, "second").await.expect("done");
    }
    assert_eq!(fixture.server.rights(&user), fixture.server.rights("app"));
    assert!(fixture.works(&Label::Current).await);
    fixture.is_understood();
}

/// A user in a database that is not called as its login takes the suffix, too, as AWS's function has it.
#[tokio::test]
async fn users_with_names_of_their_own_are_paired() {
    let fixture = Fixture::start().await;
    let server = &fixture.server;
    server.add_login("other", FIRST);
    server.execute("shop", "CREATE USER [shopper] FOR LOGIN [other]");
    fixture.put_current("renamed", &json!({"username": "other"}));
    let rotation = fixture.alternating();
    fixture.rotates(&rotation, "second").await;
    assert!(server.users("shop").contains(&"shopper_clone".to_owned()));
    fixture.rotates(&rotation, "third").await;
    assert_eq!(server.users("shop").len(), 4, "{:?}", server.users("shop"));
}

#[tokio::test]
async fn users_that_the_secret_names_are_never_made() {
    let fixture = Fixture::start().await;
    fixture.put_current("named", &json!({"usernames": ["app", "blue"]}));
    let rotation = fixture.alternating();
    let kind = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "second", kind, "`usernames`")
        .await;
    assert!(!fixture.server.has_login("blue"));
    fixture.server.add_login("blue", "Nobody-knows-1");
    let driven = fixture.send(&rotation, Step::Set, "second").await;
    driven.expect("brought into line");
    for step in [Step::Test, Step::Finish] {
        fixture.send(&rotation, step, "second").await.expect("done");
    }
    assert_eq!(fixture.server.rights("blue"), fixture.server.rights("app"));
}

/// With lock-out on, and passwords that are checked.
#[tokio::test]
async fn no_login_is_locked_by_rotations() {
    let fixture = Fixture::start().await;
    fixture.server.lock_after(2);
    let rotation = fixture.alternating();
    for n in 0..10 {
        let rotated = fixture.rotate(&rotation, &format!("r{n}")).await;
        assert_eq!(rotated.map(|it| it[3]), Ok(Outcome::Promoted), "{n}");
        assert!(fixture.works(&Label::Current).await);
        assert!(fixture.works(&Label::Previous).await);
    }
}
