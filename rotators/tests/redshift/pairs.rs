//! Two users that take turns.

use std::collections::BTreeSet;

use harness::redshift::{Fault, Kind, RedshiftFake, StoredAs, When};
use secrets_core::event::{Step, VersionId};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use secrets_core::testing::Driver;

use crate::support::{FIRST, Fixture, give_rights};

/// What both users may do, but for what one of them was granted because the other one owns it.
fn same_rights(fixture: &Fixture, users: [&str; 2]) {
    let texts = users.map(|user| {
        let all = fixture.fake.portrait(user).into_iter();
        let own = ["=own", "relation_name=own"];
        all.filter(|text| !own.iter().any(|it| text.contains(it)))
            .collect::<BTreeSet<_>>()
    });
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].len() > 25, "{:?}", texts[0]);
}

#[tokio::test]
async fn the_second_user_gets_all_rights_and_then_its_password() {
    let fixture = Fixture::start("App", StoredAs::Sha256).await;
    give_rights(&fixture.fake, "App");
    let rotation = fixture.pair();
    let (user, _) = fixture.rotates(&rotation, "second").await;
    assert_eq!(user, "App_clone");
    assert!(fixture.fake.takes("App", FIRST), "AWSPREVIOUS works");
    assert_eq!(fixture.fake.stored_as("App_clone"), Some(StoredAs::Sha256));
    same_rights(&fixture, ["App", "App_clone"]);

    let changes = fixture.changes();
    assert_eq!(
        changes[..2],
        ["BEGIN", "CREATE USER \"App_clone\" PASSWORD DISABLE"]
    );
    let [.., password, commit] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert!(password.starts_with("ALTER USER \"App_clone\" PASSWORD 'sha256|"));
    assert_eq!(commit, "COMMIT");
    for expected in [
        r#"ALTER USER "App_clone" CREATEDB"#,
        r#"ALTER USER "App_clone" SYSLOG ACCESS UNRESTRICTED"#,
        r#"ALTER USER "App_clone" CONNECTION LIMIT 9"#,
        r#"ALTER USER "App_clone" SESSION TIMEOUT 120"#,
        r#"ALTER USER "App_clone" SET "search_path" TO '$user', 'Work', 'public'"#,
        r#"ALTER USER "App_clone" SET "query_group" TO 'a "b" c\\d'"#,
        r#"ALTER GROUP "Readers" ADD USER "App_clone""#,
        r#"GRANT ROLE "lead" TO "App_clone" WITH ADMIN OPTION"#,
        r#"GRANT INSERT, SELECT ON TABLE "Work"."Shared" TO "App_clone""#,
        r#"GRANT UPDATE ("Note") ON TABLE "Work"."Shared" TO "App_clone""#,
        r#"GRANT EXECUTE ON PROCEDURE "Work"."p"() TO "App_clone""#,
        r#"GRANT DELETE, DROP, INSERT, REFERENCES, SELECT, UPDATE ON TABLE "Work"."own" TO "App_clone""#,
        r#"ALTER DEFAULT PRIVILEGES FOR USER "App_clone" GRANT EXECUTE ON FUNCTIONS TO PUBLIC"#,
    ] {
        assert!(
            changes.iter().any(|it| it == expected),
            "{expected}: {changes:#?}"
        );
    }
}

#[tokio::test]
async fn users_take_turns_and_what_changed_meanwhile_is_brought_into_line() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    give_rights(&fixture.fake, "app");
    let rotation = fixture.pair();
    fixture.rotates(&rotation, "second").await;
    // The user in use is the measure: what it got is given, and what it lost is taken.
    fixture
        .fake
        .add(Kind::Table, &["Work", "new"], RedshiftFake::SUPERUSER);
    fixture
        .fake
        .add(Kind::Table, &["Work", "made"], "app_clone");
    fixture.fake.run(
        "GRANT SELECT ON TABLE \"Work\".new TO app_clone
         REVOKE GRANT OPTION FOR DELETE ON TABLE \"Work\".\"Shared\" FROM app_clone
         REVOKE ADMIN OPTION FOR ROLE lead FROM app_clone
         REVOKE ROLE analyst FROM app_clone
         ALTER GROUP \"Readers\" DROP USER app_clone
         ALTER USER app_clone RESET query_group
         ALTER USER app_clone RESET SESSION TIMEOUT CONNECTION LIMIT UNLIMITED NOCREATEDB",
    );
    let (user, _) = fixture.rotates(&rotation, "third").await;
    assert_eq!(user, "app");
    assert!(!fixture.fake.takes("app", FIRST));
    let (previous, password) = fixture.login(&Label::Previous).await;
    assert!(fixture.fake.takes(&previous, &password));
    let without = |user: &str| {
        let all = fixture.fake.portrait(user).into_iter();
        let theirs = ["=own", "relation_name=made"];
        all.filter(|text| !theirs.iter().any(|it| text.contains(it)))
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(without("app"), without("app_clone"));
    let made = "relation_name=made";
    let on_made = fixture
        .fake
        .portrait("app")
        .into_iter()
        .filter(|it| it.contains(made));
    assert_eq!(on_made.count(), 6, "what the other one owns");
    let (user, _) = fixture.rotates(&rotation, "fourth").await;
    assert_eq!(user, "app_clone");
}

#[tokio::test]
async fn a_clone_that_awss_function_left_behind_is_finished() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    give_rights(&fixture.fake, "app");
    // As that function makes it: a password, and rights on databases, tables and schemas, no groups.
    fixture
        .fake
        .put_user("app_clone", "Sentinel-Aws-1", StoredAs::Md5);
    fixture
        .fake
        .run("GRANT SELECT ON TABLE \"Work\".\"Shared\" TO app_clone");
    fixture
        .put_pending("second", "app_clone", "Sentinel-Aws-1")
        .await;
    let (user, password) = fixture.rotates(&fixture.pair(), "second").await;
    assert_eq!(
        (user.as_str(), password.as_str()),
        ("app_clone", "Sentinel-Aws-1")
    );
    same_rights(&fixture, ["app", "app_clone"]);
}

#[tokio::test]
async fn a_superuser_and_a_date_are_shared() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    fixture.fake.run("ALTER USER app CREATEUSER");
    fixture.fake.expire("app", 86_400 * 365);
    fixture.rotates(&fixture.pair(), "second").await;
    assert_eq!(fixture.fake.valid_days("app_clone"), Some(89));
    assert_eq!(
        fixture.fake.portrait("app"),
        fixture.fake.portrait("app_clone")
    );
    fixture.fake.run("ALTER USER app_clone NOCREATEUSER");
    fixture.rotates(&fixture.pair(), "third").await;
    assert_eq!(
        fixture.fake.portrait("app"),
        fixture.fake.portrait("app_clone")
    );
    assert_eq!(
        fixture.fake.valid_days("app"),
        Some(364),
        "it is long enough"
    );
}

#[tokio::test]
async fn names_are_names_whatever_they_hold() {
    let long = "ü".repeat(60);
    for user in ["a'; DROP", "a\"b", "a\\", "A; --", "{}", long.as_str()] {
        let fixture = Fixture::start(user, StoredAs::Md5).await;
        let owner = RedshiftFake::SUPERUSER;
        for name in ["t\"; DROP", "T'\\", "PUBLIC"] {
            fixture.fake.add(Kind::Schema, &[name], owner);
            fixture.fake.add(Kind::Table, &[name, name], owner);
            let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
            let (name, user) = (quoted(name), quoted(user));
            fixture.fake.run(&format!(
                "CREATE GROUP {name}\nCREATE ROLE {name}\nALTER GROUP {name} ADD USER {user}\n\
                 GRANT ROLE {name} TO {user}\nGRANT USAGE ON SCHEMA {name} TO {user}\n\
                 GRANT SELECT ON TABLE {name}.{name} TO {user}"
            ));
        }
        let (clone, _) = fixture.rotates(&fixture.pair(), "second").await;
        assert_eq!(fixture.fake.portrait(user), fixture.fake.portrait(&clone));
        assert_eq!(fixture.fake.portrait(user).len(), 13);
        fixture.rotates(&fixture.pair(), "third").await;
    }
}

/// A new pair for each statement of setSecret's work.
#[tokio::test]
async fn a_cut_at_any_statement_leaves_all_or_nothing() {
    let mut cuts = 0;
    for nth in 0.. {
        let fixture = Fixture::start("app", StoredAs::Md5).await;
        fixture
            .fake
            .run("CREATE GROUP g\nALTER GROUP g ADD USER app\nALTER USER app CREATEDB");
        let rotation = fixture.pair();
        let version = VersionId::from("second");
        let driver = Driver::new(&fixture.store, &rotation, &"s".into());
        driver.begin(&version).expect("no other rotation");
        driver.send(Step::Create, &version).await.expect("a value");
        let when = if nth % 2 == 0 {
            When::Before
        } else {
            When::After
        };
        fixture.fake.plan("", nth, Fault::Drop, when);
        let set = driver.send(Step::Set, &version).await;
        assert!(fixture.fake.takes("app", FIRST));
        if fixture.fake.has_user("app_clone") {
            assert_eq!(
                fixture.fake.portrait("app"),
                fixture.fake.portrait("app_clone")
            );
            assert_eq!(fixture.fake.stored_as("app_clone"), Some(StoredAs::Md5));
        }
        if set.is_ok() {
            break;
        }
        cuts += 1;
        fixture.rotates(&rotation, "second").await;
    }
    assert!(cuts > 40, "{cuts}");
}

#[tokio::test]
async fn two_functions_at_once_leave_one_clone() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    let rotation = fixture.pair();
    let version = VersionId::from("second");
    let driver = Driver::new(&fixture.store, &rotation, &"s".into());
    driver.begin(&version).expect("no other rotation");
    driver.send(Step::Create, &version).await.expect("a value");
    // The commit of the first one comes while the second one is in its transaction.
    fixture
        .fake
        .plan("COMMIT", 0, Fault::Refuse("XX000"), When::Before);
    let fault = driver
        .send(Step::Set, &version)
        .await
        .expect_err("a conflict");
    let source = std::error::Error::source(&fault).and_then(|it| it.downcast_ref());
    let cause: &secrets_core::rotator::RotatorError = source.expect("of the rotator");
    assert_eq!(cause.kind(), RotatorErrorKind::Unreachable);
    assert!(!fixture.fake.has_user("app_clone"));
    fixture.rotates(&rotation, "second").await;
}
