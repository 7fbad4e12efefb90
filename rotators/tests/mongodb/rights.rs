//! What the documentation says that users and admins need: with it all works, and without any part of it the
//! error names what is missing, and no password has changed.

use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::{ADMIN_ON_ALL, ADMIN_ON_USERS, DB, FIRST, Stage, with_admin};

const REFUSED: (Kind, Option<&str>) = (Kind::Refused, Some("13"));

fn without<'a>(all: &[&'a str], one: &str) -> Vec<&'a str> {
    all.iter().copied().filter(|it| *it != one).collect()
}

#[tokio::test]
async fn the_admin_of_a_pair_needs_each_of_its_rights() {
    for missing in ADMIN_ON_USERS.into_iter().chain(ADMIN_ON_ALL) {
        let stage = Stage::start(&with_admin()).await;
        // Whatever takes a right differs.
        if matches!(missing, "changeCustomData" | "revokeRole") {
            stage
                .server
                .create_user(DB, "app_clone", "sentinel-before", &[]);
        }
        let on_users = without(&ADMIN_ON_USERS, missing);
        let on_all = without(&ADMIN_ON_ALL, missing);
        stage
            .server
            .create_role("admin", "rotator", &[(DB, &on_users), ("", &on_all)]);
        stage.fails(&stage.pair(), "second", REFUSED, missing).await;
        assert!(stage.server.knows(DB, "app", FIRST));
        let (_, pending) = stage.login(&secrets_core::store::Label::Pending).await;
        assert!(!stage.server.knows(DB, "app_clone", &pending), "{missing}");
        // Given back, the same rotation comes to its end.
        let all = [(DB, &ADMIN_ON_USERS[..]), ("", &ADMIN_ON_ALL[..])];
        stage.server.create_role("admin", "rotator", &all);
        stage.rotates(&stage.pair(), "second").await;
        assert_eq!(stage.rights("app"), stage.rights("app_clone"));
    }
}

#[tokio::test]
async fn the_admin_of_one_user_needs_two_rights() {
    let both = ["viewUser", "changePassword"];
    for missing in both {
        let stage = Stage::start(&with_admin()).await;
        let few = without(&both, missing);
        stage.server.create_role("admin", "rotator", &[(DB, &few)]);
        stage
            .fails(&stage.single(), "second", REFUSED, missing)
            .await;
        assert!(stage.server.knows(DB, "app", FIRST));
        stage.server.create_role("admin", "rotator", &[(DB, &both)]);
        stage.rotates(&stage.single(), "second").await;
    }
}

#[tokio::test]
async fn a_user_that_may_not_change_itself_says_so() {
    let stage = Stage::start(&json!({})).await;
    stage.server.set_roles(DB, "app", &[("readWrite", DB)]);
    stage
        .fails(&stage.single(), "second", REFUSED, "changeOwnPassword")
        .await;
    assert!(stage.server.knows(DB, "app", FIRST));
    stage
        .server
        .set_roles(DB, "app", &[("readWrite", DB), ("itself", DB)]);
    stage.rotates(&stage.single(), "second").await;
}
