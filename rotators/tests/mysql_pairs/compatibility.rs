//! Rotations that AWS's functions began, and that ours did.
//!
//! What theirs do is taken from their published source (aws-samples/aws-secrets-manager-rotation-lambdas,
//! `SecretsManagerRDSMySQLRotationMultiUser` and `..MariaDBRotationMultiUser`).

use harness::mysql::Edition;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::store::Label;
use serde_json::json;

use crate::pair::{Pair, on_both};

on_both![scenarios:
    a_pair_that_theirs_left_in_the_middle,
    a_pair_that_theirs_had_only_to_publish,
    a_pair_that_ours_left_half_done,
];

/// createSecret of theirs.
async fn they_create<E: Edition>(pair: &Pair<E>, user: &str) {
    let patch = Patch::key("username", user.into()).and("password", "theirs".into());
    pair.put_pending("second", &patch).await;
}

async fn the_rest<E: Edition>(pair: &Pair<E>, expected: Outcome) {
    let rotation = pair.alternating();
    let set = pair.send(&rotation, Step::Set, "second").await;
    assert_eq!(set, Ok(expected));
    for step in [Step::Test, Step::Finish] {
        pair.send(&rotation, step, "second")
            .await
            .expect("it goes on");
    }
}

/// The user, its password, and the first of its rights.
async fn a_pair_that_theirs_left_in_the_middle<E: Edition>(pair: &mut Pair<E>) {
    pair.plain(
        "middle",
        &[
            "GRANT SELECT, INSERT ON shop.* TO $",
            "GRANT DELETE ON shop.goods TO $",
        ],
    )
    .await;
    they_create(pair, "middle_clone").await;
    for statement in [
        "CREATE USER middle_clone IDENTIFIED BY 'theirs'",
        "GRANT SELECT, INSERT ON shop.* TO middle_clone",
    ] {
        pair.root(statement).await;
    }
    let early = pair.send(&pair.alternating(), Step::Test, "second").await;
    assert!(early.is_err(), "{early:?}");
    the_rest(pair, Outcome::Set).await;
    assert_eq!(
        pair.listing("middle").await,
        pair.listing("middle_clone").await
    );
    assert_eq!(pair.log_in("middle_clone", "theirs").await, Ok(()));
    pair.rotates(&pair.alternating(), "third").await;
    assert_eq!(pair.current_user().await, "middle");
}

/// The clone is made and its password set; it is not published.
async fn a_pair_that_theirs_had_only_to_publish<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("ready", &["GRANT SELECT, INSERT ON shop.* TO $"])
        .await;
    they_create(pair, "ready_clone").await;
    for statement in [
        "CREATE USER ready_clone IDENTIFIED BY 'theirs'",
        "GRANT SELECT, INSERT ON shop.* TO ready_clone",
    ] {
        pair.root(statement).await;
    }
    the_rest(pair, Outcome::AlreadySet).await;
    assert_eq!(pair.current_user().await, "ready_clone");
    pair.rotates(&pair.alternating(), "third").await;
    assert_eq!(pair.current_user().await, "ready");
}

async fn a_pair_that_ours_left_half_done<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("shopper", &["GRANT SELECT ON shop.* TO $"])
        .await;
    let rotation = pair.alternating();
    let begun = pair.store.begin_rotation(&pair.secret, &"second".into());
    begun.expect("no other rotation");
    for step in [Step::Create, Step::Set] {
        pair.send(&rotation, step, "second").await.expect("ours");
    }
    // Theirs finds the user under the name that it expects, and that it logs in: it has only to publish it.
    let user = pair.value(&Label::Pending, "username").await;
    assert_eq!(user.as_deref(), Some("shopper_clone"));
    assert_eq!(pair.label_logs_in(&Label::Pending).await, Ok(()));
    pair.send(&rotation, Step::Finish, "second")
        .await
        .expect("published");
    // The next one is theirs: the admin sets the first user's password.
    pair.root("ALTER USER shopper IDENTIFIED BY 'theirs'").await;
    let current = json!({"masterarn": "arn:admin", "username": "shopper", "password": "theirs"});
    pair.put_current("third", &current);
    pair.rotates(&rotation, "fourth").await;
    assert_eq!(pair.current_user().await, "shopper_clone");
}
