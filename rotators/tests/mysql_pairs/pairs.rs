//! Two users that take turns.

use harness::mysql::{Edition, MySql, Server};
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{ADMIN_OF_PAIRS, Pair, alternating};
use crate::support::{Fixture, account, is_mysql, on_both};

on_both![
    the_second_user_gets_all_that_the_first_has,
    what_the_second_user_has_too_much_of_is_taken_away,
    a_half_made_clone_is_not_published,
    rights_that_change_between_two_rotations_are_followed,
    an_account_for_a_host_of_its_own_is_named,
    an_admin_with_the_documented_rights,
    an_admin_that_lacks_rights_is_told_which,
    an_admin_that_is_one_of_the_two_is_refused,
    a_pending_version_of_somebody_else_is_refused,
    names_that_are_too_long_are_refused_before_anything_is_made,
];

async fn the_second_user_gets_all_that_the_first_has<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let rotation = pair.alternating();
    for (version, user) in [
        ("second", "o'x_clone"),
        ("third", "o'x"),
        ("fourth", "o'x_clone"),
    ] {
        pair.rotates(&rotation, version).await;
        assert_eq!(
            pair.value(&Label::Current, "username").await.as_deref(),
            Some(user)
        );
        pair.same_rights("o'x", "o'x_clone").await;
        pair.current_works().await;
        assert_eq!(pair.label_logs_in(&Label::Previous).await, Ok(()));
    }
}

async fn what_the_second_user_has_too_much_of_is_taken_away<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    for host in ["%", "localhost"] {
        let user = account("o'x", host);
        for statement in [
            "GRANT ALL PRIVILEGES ON shop.* TO $ WITH GRANT OPTION",
            "GRANT SELECT, DELETE ON mysql.* TO $",
            "GRANT SUPER, FILE, SELECT ON *.* TO $ WITH GRANT OPTION",
            "GRANT INSERT (b), REFERENCES ON shop.goods TO $",
            "GRANT reader TO $ WITH ADMIN OPTION",
            "GRANT PROXY ON root@localhost TO $",
            "REVOKE ALL PRIVILEGES ON `odd``db`.`t TO x` FROM $",
            "REVOKE writer FROM $",
            "ALTER USER $ REQUIRE SSL WITH MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE NEVER",
        ] {
            pair.root(&statement.replace('$', &user)).await;
        }
        if is_mysql::<E>() {
            for statement in [
                "GRANT ALL PRIVILEGES ON *.* TO $ WITH GRANT OPTION",
                "GRANT BACKUP_ADMIN, CONNECTION_ADMIN ON *.* TO $ WITH GRANT OPTION",
                "REVOKE INSERT ON shop.* FROM $",
                "ALTER USER $ FAILED_LOGIN_ATTEMPTS 0 PASSWORD HISTORY DEFAULT",
                "SET DEFAULT ROLE NONE TO $",
            ] {
                pair.root(&statement.replace('$', &user)).await;
            }
        }
    }
    let before = pair.listing("o'x_clone").await;
    pair.rotates(&rotation, "third").await;
    assert_eq!(
        pair.value(&Label::Current, "username").await.as_deref(),
        Some("o'x")
    );
    assert_eq!(
        pair.listing("o'x_clone").await,
        before,
        "the user in use is the measure"
    );
    pair.same_rights("o'x", "o'x_clone").await;
    pair.current_works().await;
}

/// As AWS's functions leave it behind: the clone logs in, and may do nothing.
async fn a_half_made_clone_is_not_published<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let rotation = pair.alternating();
    let password = "sentinel-half-made";
    let patch = Patch::key("username", "o'x_clone".into()).and("password", password.into());
    pair.put_pending("second", &patch).await;
    let create = format!(
        "CREATE USER {} IDENTIFIED BY '{password}'",
        account("o'x_clone", "%")
    );
    pair.root(&create).await;
    assert!(pair.send(&rotation, Step::Test, "second").await.is_err());
    assert!(pair.send(&rotation, Step::Finish, "second").await.is_err());
    assert_eq!(
        pair.send(&rotation, Step::Set, "second").await,
        Ok(Outcome::Set)
    );
    pair.same_rights("o'x", "o'x_clone").await;
    for step in [Step::Test, Step::Finish] {
        pair.send(&rotation, step, "second")
            .await
            .expect("a whole clone");
    }
    pair.current_works().await;
}

async fn rights_that_change_between_two_rotations_are_followed<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    for host in ["%", "localhost"] {
        let user = account("o'x_clone", host);
        pair.root(&format!("GRANT CREATE VIEW ON shop.* TO {user}"))
            .await;
        pair.root(&format!("REVOKE INSERT ON shop.* FROM {user}"))
            .await;
        pair.root(&format!("GRANT INSERT ON shop.goods TO {user}"))
            .await;
    }
    pair.rotates(&rotation, "third").await;
    pair.same_rights("o'x", "o'x_clone").await;
    pair.current_works().await;
}

async fn an_account_for_a_host_of_its_own_is_named<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let extra = account("o'x_clone", "10.%");
    pair.root(&format!("CREATE USER {extra} IDENTIFIED BY 'sentinel'"))
        .await;
    let rotation = pair.alternating();
    pair.fails(&rotation, "second", (Kind::Misconfigured, None), &extra)
        .await;
    assert_eq!(pair.listing("o'x_clone").await.len(), 1, "nothing was made");
    pair.root(&format!("DROP USER {extra}")).await;
    assert!(pair.rotate(&rotation, "second").await.is_ok());
    pair.same_rights("o'x", "o'x_clone").await;
}

async fn an_admin_with_the_documented_rights<E: Edition>() {
    let mut fixture = crate::pair::with_objects(Server::<E>::builder()).await;
    fixture.add_admin(ADMIN_OF_PAIRS.get::<E>()).await;
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO admin WITH GRANT OPTION")
        .await;
    if !is_mysql::<E>() {
        fixture
            .root("GRANT reader TO admin WITH ADMIN OPTION")
            .await;
    }
    fixture.add_user("shopper", &["%"]).await;
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO shopper")
        .await;
    fixture.root("GRANT reader TO shopper").await;
    let default = if is_mysql::<E>() { "TO" } else { "FOR" };
    fixture
        .root(&format!("SET DEFAULT ROLE reader {default} shopper"))
        .await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = alternating(&fixture);
    for version in ["second", "third", "fourth"] {
        fixture.rotates(&rotation, version).await;
    }
}

async fn an_admin_that_lacks_rights_is_told_which<E: Edition>() {
    let mut fixture = crate::pair::with_objects(Server::<E>::builder()).await;
    fixture.add_user("shopper", &["%"]).await;
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO shopper")
        .await;
    fixture.add_admin(&[]).await;
    let rotation = alternating(&fixture);
    let none = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "second", none, "add `masterarn`")
        .await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let denied = (Kind::Refused, Some("1142"));
    fixture
        .fails(
            &rotation,
            "third",
            denied,
            "GRANT SELECT ON mysql.* TO the admin",
        )
        .await;
    fixture.root("GRANT SELECT ON mysql.* TO admin").await;
    let denied = (Kind::Refused, Some("1227"));
    fixture
        .fails(
            &rotation,
            "third",
            denied,
            "GRANT CREATE USER ON *.* TO the admin",
        )
        .await;
    fixture.root("GRANT CREATE USER ON *.* TO admin").await;
    let denied = (Kind::Refused, Some("1044"));
    fixture
        .fails(&rotation, "third", denied, "WITH GRANT OPTION")
        .await;
    assert_eq!(fixture.current_logs_in().await, Ok(()));
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO admin WITH GRANT OPTION")
        .await;
    assert!(fixture.rotate(&rotation, "third").await.is_ok());
}

async fn an_admin_that_is_one_of_the_two_is_refused<E: Edition>() {
    let mut fixture = crate::pair::with_objects(Server::<E>::builder()).await;
    fixture.add_admin(crate::pair::OMNIPOTENT.get::<E>()).await;
    fixture.user = "admin".to_owned();
    fixture.secret = "arn:admin-itself".into();
    let itself = json!({"masterarn": "arn:admin", "password": crate::support::ADMIN});
    fixture.put_current("first", &itself);
    let rotation = alternating(&fixture);
    let refused = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "second", refused, "one of the two users")
        .await;
}

async fn a_pending_version_of_somebody_else_is_refused<E: Edition>() {
    let pair = Pair::<E>::start().await;
    let rotation = pair.alternating();
    let patch = Patch::key("username", "other".into()).and("password", "sentinel".into());
    pair.put_pending("second", &patch).await;
    pair.root("CREATE USER other_clone IDENTIFIED BY 'sentinel-clone'")
        .await;
    let before = pair.listing("other").await;
    pair.fails(
        &rotation,
        "second",
        (Kind::Misconfigured, None),
        "does not take turns",
    )
    .await;
    assert_eq!(pair.listing("other").await, before);
}

async fn names_that_are_too_long_are_refused_before_anything_is_made<E: Edition>() {
    let mut fixture = crate::pair::with_objects(Server::<E>::builder()).await;
    let longest = if is_mysql::<E>() { 32 } else { 128 };
    fixture.add_admin(crate::pair::OMNIPOTENT.get::<E>()).await;
    fixture.add_user(&"é".repeat(longest - 5), &["%"]).await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = alternating(&fixture);
    let limit = format!("{longest} characters");
    fixture
        .fails(&rotation, "second", (Kind::Misconfigured, None), &limit)
        .await;
    assert_eq!(fixture.value(&Label::Pending, "password").await, None);
    fixture.add_user(&"é".repeat(longest - 6), &["%"]).await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    fixture.rotates(&rotation, "second").await;
}

/// Nobody tries a password that the server's tables say is wrong.
#[tokio::test]
async fn an_account_that_locks_itself_stays_open() {
    let pair = Pair::<MySql>::start().await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    for host in ["%", "localhost"] {
        pair.root(&format!(
            "GRANT SHUTDOWN ON *.* TO {}",
            account("o'x_clone", host)
        ))
        .await;
    }
    pair.root("REVOKE SHUTDOWN ON *.* FROM admin").await;
    let denied = (Kind::Refused, Some("1045"));
    for _ in 0..8 {
        pair.fails(&rotation, "third", denied, "WITH GRANT OPTION")
            .await;
    }
    pair.root("GRANT SHUTDOWN ON *.* TO admin WITH GRANT OPTION")
        .await;
    assert!(pair.rotate(&rotation, "third").await.is_ok());
    pair.current_works().await;
}

#[tokio::test]
async fn a_password_that_was_the_second_of_a_user_ends() {
    let mut fixture: Fixture<MySql> = crate::pair::with_objects(Server::builder()).await;
    fixture
        .add_admin(crate::pair::OMNIPOTENT.get::<MySql>())
        .await;
    fixture.add_user("turns", &["%"]).await;
    fixture
        .root("ALTER USER turns IDENTIFIED BY 'sentinel-2' RETAIN CURRENT PASSWORD")
        .await;
    let first = json!({"masterarn": "arn:admin", "password": "sentinel-2"});
    fixture.put_current("with-admin", &first);
    let rotation = alternating(&fixture);
    fixture.rotates(&rotation, "second").await;
    assert_eq!(fixture.log_in("turns", crate::support::FIRST).await, Ok(()));
    fixture.rotates(&rotation, "third").await;
    for old in [crate::support::FIRST, "sentinel-2"] {
        assert_eq!(fixture.log_in("turns", old).await, Err(1045));
    }
}
