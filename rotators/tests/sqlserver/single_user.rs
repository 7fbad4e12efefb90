//! One user: by itself, and by an admin.

use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::sqlserver::SingleUser;
use secrets_core::event::Step;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::Fixture;

#[tokio::test]
async fn a_login_changes_its_own_password() {
    let fixture = Fixture::start().await;
    fixture.put_current("own", &json!({"masterarn": null}));
    fixture.server.forget_statements();
    fixture.rotates(&fixture.single(), "second").await;
    assert_eq!(
        fixture.changes().await,
        ["ALTER LOGIN [app] WITH PASSWORD = N'<AWSCURRENT>' OLD_PASSWORD = N'<first>'"]
    );
    assert!(
        !fixture.works(&Label::Previous).await,
        "one password a login"
    );
    fixture.rotates(&fixture.single(), "third").await;
    // The probe of setSecret, once a rotation.
    assert_eq!(fixture.server.refused_logins(), 2);
}

#[tokio::test]
async fn an_admin_changes_the_password_of_a_login() {
    let fixture = Fixture::start().await;
    fixture.server.forget_statements();
    fixture.rotates(&fixture.single(), "second").await;
    assert_eq!(
        fixture.changes().await,
        ["ALTER LOGIN [app] WITH PASSWORD = N'<AWSCURRENT>'"]
    );
    fixture.rotates(&fixture.single(), "third").await;
}

/// The whole of what a login needs to be changed by an admin.
#[tokio::test]
async fn such_an_admin_needs_one_right() {
    let fixture = Fixture::start().await;
    let single = "REVOKE VIEW ANY DEFINITION FROM [rotator] CASCADE";
    fixture.server.execute("master", single);
    fixture
        .server
        .execute("shop", "ALTER ROLE [db_owner] DROP MEMBER [rotator]");
    fixture.rotates(&fixture.single(), "second").await;
    let none = "REVOKE ALTER ANY LOGIN FROM [rotator] CASCADE";
    fixture.server.execute("master", none);
    let code = (Kind::Refused, Some("15151"));
    let rotation = fixture.single();
    fixture
        .fails(&rotation, "third", code, "ALTER ANY LOGIN")
        .await;
    assert!(fixture.works(&Label::Current).await);
}

/// What AWS's function left half done: the server has the pending password already.
#[tokio::test]
async fn a_rotation_that_was_half_done_is_finished() {
    let fixture = Fixture::start().await;
    let rotation = fixture.single();
    let begun = fixture
        .store
        .begin_rotation(&fixture.secret.into(), &"second".into());
    begun.expect("no other rotation");
    let sent = fixture.send(&rotation, Step::Create, "second").await;
    sent.expect("a value");
    let (_, pending) = fixture.login(&Label::Pending).await.expect("a value");
    let alter = format!(
        "ALTER LOGIN [app] WITH PASSWORD = N'{}'",
        pending.replace('\'', "''")
    );
    fixture.server.execute("master", &alter);
    fixture.server.forget_statements();
    for step in [Step::Set, Step::Test, Step::Finish] {
        fixture.send(&rotation, step, "second").await.expect("done");
    }
    assert_eq!(
        fixture.changes().await,
        Vec::<String>::new(),
        "probed first"
    );
    assert!(fixture.works(&Label::Current).await);
}

/// Every printable character, in the only message that holds it quoted.
#[tokio::test]
async fn passwords_of_all_characters_are_set() {
    let fixture = Fixture::start().await;
    let rules = PasswordRules {
        exclude_characters: String::new(),
        length: 128,
        ..PasswordRules::default()
    };
    let mut settings = fixture.settings();
    settings.password = PasswordPolicy::new(&rules).expect("rules");
    let mut seen = String::new();
    for (extra, number) in [(json!({}), 1), (json!({"masterarn": null}), 2)] {
        fixture
            .server
            .execute("master", "ALTER LOGIN [app] WITH PASSWORD = N'Start-1234'");
        let mut extra = extra;
        extra["password"] = json!("Start-1234");
        fixture.put_current(&format!("again{number}"), &extra);
        let rotator = SingleUser::new(fixture.store.clone(), settings.clone());
        let rotation = Rotation::new(fixture.store.clone(), rotator);
        for n in 0..8 {
            fixture.rotates(&rotation, &format!("{number}-{n}")).await;
            seen += &fixture.login(&Label::Current).await.expect("a value").1;
        }
        fixture
            .server
            .execute("master", "ALTER LOGIN [app] WITH CHECK_POLICY = OFF");
    }
    let missing: Vec<char> = ('!'..='~').filter(|c| !seen.contains(*c)).collect();
    assert!(missing.is_empty(), "not tried: {missing:?}");
}

#[tokio::test]
async fn a_password_that_no_login_can_have_is_not_made() {
    let fixture = Fixture::start().await;
    let rules = PasswordRules {
        length: 129,
        ..PasswordRules::default()
    };
    let mut settings = fixture.settings();
    settings.password = PasswordPolicy::new(&rules).expect("rules");
    let rotator = SingleUser::new(fixture.store.clone(), settings);
    let rotation = Rotation::new(fixture.store.clone(), rotator);
    let kind = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "second", kind, "PASSWORD_LENGTH")
        .await;
}
