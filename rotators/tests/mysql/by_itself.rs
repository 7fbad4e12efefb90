//! A user of `MySQL` that changes itself.

use harness::mysql::MySql;
use rotators::mysql::OldPassword;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::single_user::gives_up;
use crate::support::{Fixture, account};

#[tokio::test]
async fn a_user_of_mysql_by_itself() {
    let mut fixture = Fixture::<MySql>::start().await;
    let fixture = &mut fixture;
    a_user_of_mysql_gives_itself_a_second_password(fixture.renewed("second").await).await;
    gives_up(fixture.renewed("gives up").await).await;
    a_password_history_is_no_obstacle(fixture.renewed("history").await).await;
    what_a_user_lacks_is_said_by_the_statement_that_gives_it(fixture.renewed("lacks").await).await;
    a_user_of_several_hosts_that_can_see_them_needs_an_admin(fixture.renewed("hosts").await).await;
    a_user_with_system_user_needs_an_admin_with_it(fixture.renewed("system user").await).await;
}

async fn a_user_of_mysql_gives_itself_a_second_password(fixture: &mut Fixture<MySql>) {
    let rotation = fixture.single(OldPassword::default());
    let mut before = fixture.rotates(&rotation, "second").await;
    for version in ["third", "fourth"] {
        assert_eq!(fixture.log_in("app", &before).await, Ok(()));
        let older = before;
        before = fixture.rotates(&rotation, version).await;
        assert_eq!(fixture.log_in("app", &older).await, Err(1045));
    }
}

/// The server writes down both passwords at the same moment, which it refuses.
async fn a_password_history_is_no_obstacle(fixture: &mut Fixture<MySql>) {
    fixture
        .root("ALTER USER app PASSWORD HISTORY 6 PASSWORD REUSE INTERVAL 1 DAY")
        .await;
    fixture
        .rotates(&fixture.single(OldPassword::default()), "by-itself")
        .await;
    assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
    let password = fixture.value(&Label::Current, "password").await;
    fixture
        .add_admin(crate::support::ADMIN_OF_ONE.get::<MySql>())
        .await;
    fixture.put_current(
        "admin",
        &json!({"masterarn": "arn:admin", "password": password}),
    );
    for version in ["second", "third"] {
        fixture
            .rotates(&fixture.single(OldPassword::default()), version)
            .await;
        assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
    }
    fixture
        .rotates(&fixture.single(OldPassword::Replaced), "replaced")
        .await;
}

async fn what_a_user_lacks_is_said_by_the_statement_that_gives_it(fixture: &mut Fixture<MySql>) {
    fixture.add_user("o'x", &["%"]).await;
    let rotation = fixture.single(OldPassword::default());
    let grant = format!(
        "GRANT APPLICATION_PASSWORD_ADMIN ON *.* TO {}",
        account("o'x", "%")
    );
    fixture
        .fails(&rotation, "second", (Kind::Refused, Some("1227")), &grant)
        .await;
    assert_eq!(fixture.current_logs_in().await, Ok(()));
    fixture.root(&grant).await;
    let retried = fixture.rotate(&rotation, "second").await;
    assert_eq!(retried.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
}

async fn a_user_of_several_hosts_that_can_see_them_needs_an_admin(fixture: &mut Fixture<MySql>) {
    fixture.add_user("wide", &["%", "localhost"]).await;
    fixture
        .root("GRANT SELECT ON mysql.user TO wide@localhost, wide@'%'")
        .await;
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Misconfigured, None),
            "several hosts",
        )
        .await;
}

async fn a_user_with_system_user_needs_an_admin_with_it(fixture: &mut Fixture<MySql>) {
    fixture.root("GRANT SYSTEM_USER ON *.* TO app").await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    let denied = (Kind::Refused, Some("1227"));
    fixture
        .fails(&rotation, "second", denied, "SYSTEM_USER")
        .await;
    fixture.root("GRANT SYSTEM_USER ON *.* TO admin").await;
    fixture.rotates(&rotation, "second").await;
}
