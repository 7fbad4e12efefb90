//! Rotations that AWS's functions began, and that ours did.
//!
//! What theirs do is taken from their published source (aws-samples/aws-secrets-manager-rotation-lambdas,
//! `SecretsManagerRDSMySQLRotationSingleUser` and `..MultiUser`).

use harness::mysql::{Edition, Server};
use mysql_async::prelude::Queryable;
use rotators::mysql::OldPassword;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{OMNIPOTENT, alternating, with_objects};
use crate::support::{Fixture, is_mysql, literal, on_both};

on_both![
    a_single_user_that_theirs_left_half_done,
    a_single_user_that_ours_left_half_done,
    a_pair_that_theirs_made,
    a_pair_that_ours_left_half_done,
];

/// setSecret of theirs: the user sets its own password.
async fn they_set<E: Edition>(fixture: &Fixture<E>, login: &Label, password: &str) {
    let user = fixture.value(login, "username").await.expect("a user");
    let with = fixture.value(login, "password").await.expect("a password");
    let mut conn = fixture.connect(&user, &with).await.expect("a login");
    let set = match is_mysql::<E>() {
        true => format!("SET PASSWORD = {}", literal(password)),
        false => format!("SET PASSWORD = PASSWORD({})", literal(password)),
    };
    conn.query_drop(set).await.expect("a new password");
}

async fn a_single_user_that_theirs_left_half_done<E: Edition>() {
    let fixture = Fixture::<E>::start().await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    let patch = Patch::key("password", "theirs".into());
    fixture.put_pending("second", &patch).await;
    they_set(&fixture, &Label::Current, "theirs").await;
    assert_eq!(
        fixture.send(&rotation, Step::Set, "second").await,
        Ok(Outcome::AlreadySet)
    );
    for step in [Step::Test, Step::Finish] {
        fixture
            .send(&rotation, step, "second")
            .await
            .expect("it goes on");
    }
    assert_eq!(fixture.current_logs_in().await, Ok(()));
    fixture.rotates(&rotation, "third").await;
    assert_eq!(fixture.log_in("app", "theirs").await, Ok(()));
}

async fn a_single_user_that_ours_left_half_done<E: Edition>() {
    let fixture = Fixture::<E>::start().await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    let patch = Patch::key("password", "ours".into());
    fixture.put_pending("second", &patch).await;
    fixture
        .send(&rotation, Step::Set, "second")
        .await
        .expect("set");
    // Theirs finds that the pending one logs in, and publishes it; then it rotates once more.
    assert_eq!(fixture.label_logs_in(&Label::Pending).await, Ok(()));
    fixture
        .send(&rotation, Step::Finish, "second")
        .await
        .expect("published");
    they_set(&fixture, &Label::Current, "theirs").await;
    fixture.put_current(
        "third",
        &json!({"masterarn": "arn:admin", "password": "theirs"}),
    );
    fixture.rotates(&rotation, "fourth").await;
    assert_eq!(fixture.log_in("app", "theirs").await, Ok(()));
}

async fn a_pair_that_theirs_made<E: Edition>() {
    let mut fixture = with_objects(Server::<E>::builder()).await;
    fixture.add_admin(OMNIPOTENT.get::<E>()).await;
    fixture.add_user("shopper", &["%"]).await;
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO shopper")
        .await;
    fixture.root("GRANT DELETE ON shop.goods TO shopper").await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = alternating(&fixture);
    // Up to here theirs came: the user, its password, and the first of its rights.
    let patch = Patch::key("username", "shopper_clone".into()).and("password", "theirs".into());
    fixture.put_pending("second", &patch).await;
    fixture
        .root("CREATE USER shopper_clone IDENTIFIED BY 'theirs'")
        .await;
    fixture
        .root("GRANT SELECT, INSERT ON shop.* TO shopper_clone")
        .await;
    assert!(fixture.send(&rotation, Step::Test, "second").await.is_err());
    assert_eq!(
        fixture.send(&rotation, Step::Set, "second").await,
        Ok(Outcome::Set)
    );
    for step in [Step::Test, Step::Finish] {
        fixture
            .send(&rotation, step, "second")
            .await
            .expect("it goes on");
    }
    assert_eq!(fixture.log_in("shopper_clone", "theirs").await, Ok(()));
    fixture.rotates(&rotation, "third").await;
    assert_eq!(
        fixture.value(&Label::Current, "username").await.as_deref(),
        Some("shopper")
    );
}

async fn a_pair_that_ours_left_half_done<E: Edition>() {
    let mut fixture = with_objects(Server::<E>::builder()).await;
    fixture.add_admin(OMNIPOTENT.get::<E>()).await;
    fixture.add_user("shopper", &["%"]).await;
    fixture.root("GRANT SELECT ON shop.* TO shopper").await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = alternating(&fixture);
    let begun = fixture
        .store
        .begin_rotation(&fixture.secret, &"second".into());
    begun.expect("no other rotation");
    for step in [Step::Create, Step::Set] {
        fixture.send(&rotation, step, "second").await.expect("ours");
    }
    // Theirs finds the user under the name that it expects, and that it logs in.
    let user = fixture.value(&Label::Pending, "username").await;
    assert_eq!(user.as_deref(), Some("shopper_clone"));
    assert_eq!(fixture.label_logs_in(&Label::Pending).await, Ok(()));
    fixture
        .send(&rotation, Step::Finish, "second")
        .await
        .expect("published");
    // The next one is theirs: the admin sets the first user's password.
    fixture
        .root("ALTER USER shopper IDENTIFIED BY 'theirs'")
        .await;
    let current = json!({"masterarn": "arn:admin", "username": "shopper", "password": "theirs"});
    fixture.put_current("third", &current);
    fixture.rotates(&rotation, "fourth").await;
    let user = fixture.value(&Label::Current, "username").await;
    assert_eq!(user.as_deref(), Some("shopper_clone"));
}
