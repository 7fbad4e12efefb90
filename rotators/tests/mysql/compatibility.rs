//! Rotations that AWS's functions began, and that ours did.
//!
//! What theirs do is taken from their published source (aws-samples/aws-secrets-manager-rotation-lambdas,
//! `SecretsManagerRDSMySQLRotationSingleUser`).

use harness::mysql::Edition;
use mysql_async::prelude::Queryable;
use rotators::mysql::OldPassword;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{Fixture, is_mysql, literal, on_both};

on_both![
    a_single_user_that_theirs_left_half_done,
    a_single_user_that_ours_left_half_done,
];

/// setSecret of theirs: the user sets its own password.
async fn they_set<E: Edition>(fixture: &Fixture<E>, login: &Label, password: &str) {
    let user = fixture.value(login, "username").await.expect("a user");
    let with = fixture.value(login, "password").await.expect("a password");
    let mut conn = fixture.connect(&user, &with).await.expect("a login");
    let set = if is_mysql::<E>() {
        format!("SET PASSWORD = {}", literal(password))
    } else {
        format!("SET PASSWORD = PASSWORD({})", literal(password))
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
