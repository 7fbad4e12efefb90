//! What the server refuses, told apart by its number.

use harness::proxy::Fault;
use harness::sqlserver::{Action, Condition};
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::Fixture;

/// Nothing is changed where the current login is kept out for another reason than its password.
#[tokio::test]
async fn logins_that_are_kept_out_end_the_rotation() {
    for (condition, number, word) in [
        (Condition::Locked, "18486", "UNLOCK"),
        (Condition::Expired, "18487", "expired"),
        (Condition::MustChange, "18488", "MUST_CHANGE"),
    ] {
        let fixture = Fixture::start().await;
        fixture.put_current("own", &json!({"masterarn": null}));
        fixture.server.set_condition("app", condition);
        fixture.server.forget_statements();
        let kind = (Kind::Refused, Some(number));
        fixture.fails(&fixture.single(), "second", kind, word).await;
        assert_eq!(fixture.server.statements(), Vec::<String>::new());
    }
    let fixture = Fixture::start().await;
    fixture.put_current("own", &json!({"masterarn": null}));
    fixture
        .server
        .execute("master", "ALTER LOGIN [app] DISABLE");
    // Said of the right password only: the pending one is wrong.
    let kind = (Kind::Refused, Some("18470"));
    fixture
        .fails(&fixture.single(), "second", kind, "disabled")
        .await;
}

#[tokio::test]
async fn a_database_that_may_not_be_entered_is_no_wrong_password() {
    let fixture = Fixture::start().await;
    fixture.server.add_database("other");
    fixture.put_current("other", &json!({"dbname": "other", "masterarn": null}));
    let kind = (Kind::Refused, Some("4060"));
    fixture
        .fails(&fixture.single(), "second", kind, "`dbname`")
        .await;
    fixture.put_current("other2", &json!({"dbname": "none"}));
    let rotation = fixture.single();
    fixture.fails(&rotation, "third", kind, "`dbname`").await;
}

#[tokio::test]
async fn passwords_that_the_policy_refuses_are_given_up() {
    for (number, kind, word) in [
        (15_114, Kind::Refused, "minimum password age"),
        (15_115, Kind::RejectedByTarget, "history"),
        (15_116, Kind::RejectedByTarget, "too short"),
        (15_118, Kind::RejectedByTarget, "complex"),
    ] {
        let fixture = Fixture::start().await;
        // The probe with the current password asks nothing; the admin's first question is another's.
        fixture.put_current("own", &json!({"masterarn": null}));
        fixture
            .server
            .fault_at(3, Fault::Before(Action::Error(number)));
        let number = number.to_string();
        let rotation = fixture.single();
        fixture
            .fails(&rotation, "second", (kind, Some(&number)), word)
            .await;
        assert!(fixture.works(&Label::Current).await);
    }
    let fixture = Fixture::start().await;
    fixture.put_current("own", &json!({"masterarn": null}));
    fixture.server.set_condition("app", Condition::TooRecent);
    let kind = (Kind::Refused, Some("15114"));
    let rotation = fixture.single();
    fixture.fails(&rotation, "second", kind, "an admin").await;
}

/// A server that cannot serve now is no reason to try another password.
#[tokio::test]
async fn a_server_in_trouble_is_out_of_reach() {
    for number in [1205, 17_142, 40_613] {
        let fixture = Fixture::start().await;
        fixture
            .server
            .fault_at(1, Fault::Before(Action::Error(number)));
        let number = number.to_string();
        let kind = (Kind::Unreachable, Some(number.as_str()));
        let rotation = fixture.single();
        fixture
            .fails(&rotation, "second", kind, "at the moment")
            .await;
    }
}

#[tokio::test]
async fn an_admin_whose_rights_are_too_few_is_told_which_lack() {
    for (database, statement, kind, word) in [
        (
            "master",
            "REVOKE VIEW ANY DEFINITION FROM [rotator] CASCADE",
            (Kind::Refused, None),
            "VIEW ANY DEFINITION",
        ),
        (
            "master",
            "REVOKE ALTER ANY LOGIN FROM [rotator] CASCADE",
            (Kind::Refused, Some("15247")),
            "ALTER ANY LOGIN",
        ),
        (
            "master",
            "REVOKE GRANT OPTION FOR VIEW SERVER STATE FROM [rotator] CASCADE",
            (Kind::Refused, Some("4613")),
            "WITH GRANT OPTION",
        ),
        (
            "shop",
            "ALTER ROLE [db_owner] DROP MEMBER [rotator]",
            (Kind::Refused, Some("15247")),
            "db_owner",
        ),
        (
            "shop",
            "REVOKE CONNECT FROM [rotator] CASCADE",
            (Kind::Refused, None),
            "`dbname`",
        ),
    ] {
        let fixture = Fixture::start().await;
        if statement.contains("CONNECT") {
            fixture
                .server
                .execute("shop", "ALTER ROLE [db_owner] DROP MEMBER [rotator]");
        }
        fixture.server.execute(database, statement);
        let rotation = fixture.alternating();
        fixture.fails(&rotation, "second", kind, word).await;
        // Nobody knows a password of what was made so far.
        assert!(!fixture.works(&Label::Pending).await, "{statement}");
        assert!(fixture.works(&Label::Current).await);
    }
    let fixture = Fixture::start().await;
    fixture.put_admin_again(&json!({"password": "wrong"}));
    let kind = (Kind::Misconfigured, Some("18456"));
    fixture
        .fails(&fixture.alternating(), "second", kind, "`masterarn`")
        .await;
}

/// A right is never left out because it is not understood, and nothing that is owned is shared.
#[tokio::test]
async fn what_cannot_be_copied_ends_the_rotation_before_it_changes_anything() {
    type Case = (&'static str, fn(&Fixture));
    let cases: [Case; 6] = [
        ("not understood", |it| {
            let class = "DATABASE_SCOPED_CREDENTIAL";
            it.server
                .set_right("shop", "app", class, "REFERENCES", "GRANT");
        }),
        ("not understood", |it| {
            it.server
                .set_right("shop", "app", "SCHEMA", "SELECT", "REVOKE");
        }),
        ("not understood", |it| {
            let words = "SELECT TO [public]; DROP LOGIN [sa]; --";
            it.server.set_right("shop", "app", "SCHEMA", words, "GRANT");
        }),
        ("not shown", |it| {
            // An object without a schema that is seen.
            it.server
                .set_right("shop", "app", "TYPE", "EXECUTE", "GRANT");
        }),
        ("ALTER AUTHORIZATION", |it| {
            it.server.set_owned("shop", "app", 1);
        }),
        ("ALTER AUTHORIZATION", |it| {
            it.server.add_database("own");
            it.server.set_owner("own", "app");
            for statement in crate::support::ADMIN_IN_A_DATABASE {
                it.server.execute("own", statement);
            }
        }),
    ];
    for (word, prepare) in cases {
        let fixture = Fixture::start().await;
        prepare(&fixture);
        let error = fixture.rotate(&fixture.alternating(), "second").await;
        let error = error.expect_err("a fault");
        let source = std::error::Error::source(&error).expect("a cause");
        assert!(source.to_string().contains(word), "{word}: {source}");
        assert!(!fixture.server.has_login("app_clone"), "{word}");
        fixture.is_understood();
    }
}

#[tokio::test]
async fn a_user_of_somebody_elses_is_not_taken_over() {
    let fixture = Fixture::start().await;
    let server = &fixture.server;
    server.add_login("stranger", "Nobody-knows-1");
    server.execute("shop", "CREATE USER [app_clone] FOR LOGIN [stranger]");
    let kind = (Kind::Misconfigured, Some("15023"));
    fixture
        .fails(&fixture.alternating(), "second", kind, "another login")
        .await;
    assert!(!fixture.works(&Label::Pending).await);

    let fixture = Fixture::start().await;
    fixture.server.add_role(None, "app_clone");
    let kind = (Kind::Unreachable, Some("15025"));
    fixture
        .fails(&fixture.alternating(), "second", kind, "suffix")
        .await;
}

#[tokio::test]
async fn a_read_only_database_is_told() {
    let fixture = Fixture::start().await;
    fixture.server.freeze("shop", true, false);
    let kind = (Kind::Misconfigured, Some("3906"));
    fixture
        .fails(&fixture.alternating(), "second", kind, "read-only")
        .await;
    // One that is offline has nothing to say, unless it is that of the secret.
    let fixture = Fixture::start().await;
    fixture.server.add_database("away");
    fixture.server.freeze("away", false, true);
    fixture.rotates(&fixture.alternating(), "second").await;
}

#[tokio::test]
async fn an_admin_that_takes_turns_itself_is_refused() {
    let fixture = Fixture::start().await;
    fixture.put_admin_again(&json!({"username": "app", "password": crate::support::FIRST}));
    let error = fixture.rotate(&fixture.alternating(), "second").await;
    assert!(error.is_err());
    assert!(!fixture.server.has_login("app_clone"));
    fixture.put_current("none", &json!({"masterarn": null}));
    let kind = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.alternating(), "third", kind, "`masterarn`")
        .await;
}
