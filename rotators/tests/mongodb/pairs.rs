//! Two users that take turns.

use bson::{Bson, doc};
use harness::mongodb::FakeMongo;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{ADMIN, DB, FIRST, Stage, add_user, put_admin, with_admin};

#[tokio::test]
async fn users_take_turns_and_both_work() {
    let stage = Stage::start(&with_admin()).await;
    for (version, user) in [
        ("second", "app_clone"),
        ("third", "app"),
        ("fourth", "app_clone"),
    ] {
        stage.rotates(&stage.pair(), version).await;
        assert_eq!(stage.login(&Label::Current).await.0, user);
        let (previous, password) = stage.login(&Label::Previous).await;
        assert!(stage.server.knows(DB, &previous, &password));
        assert_eq!(stage.rights("app"), stage.rights("app_clone"));
    }
    assert_eq!(stage.server.users(DB), ["app", "app_clone"]);
}

#[tokio::test]
async fn the_user_in_use_is_the_measure() {
    let stage = Stage::start(&with_admin()).await;
    stage.rotates(&stage.pair(), "second").await;
    // The one in use has less by now, the other one more.
    stage.server.set_roles(DB, "app_clone", &[("read", DB)]);
    let anywhere = stage.server.user(DB, "app").expect("a user");
    assert!(
        anywhere
            .get_array("authenticationRestrictions")
            .is_ok_and(|all| all.len() == 1)
    );
    stage
        .server
        .describe_user(DB, "app_clone", doc! {}, Vec::<Bson>::new());
    stage.rotates(&stage.pair(), "third").await;
    let rights = stage.rights("app");
    assert_eq!(rights, stage.rights("app_clone"));
    assert_eq!(rights.get_array("roles").expect("roles").len(), 1);
    let restrictions = rights.get_array("authenticationRestrictions");
    assert!(restrictions.is_ok_and(Vec::is_empty));
}

/// Theirs knows of roles alone, and only when it makes the user.
#[tokio::test]
async fn what_awss_function_left_half_done_is_finished() {
    for exists_already in [false, true] {
        let stage = Stage::start(&with_admin()).await;
        stage
            .put_pending("second", "app_clone", "sentinel-of-aws")
            .await;
        if exists_already {
            stage
                .server
                .create_user(DB, "app_clone", "sentinel-of-aws", &[("read", "other")]);
        }
        let rotated = stage.rotate(&stage.pair(), "second").await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        assert_eq!(stage.rights("app"), stage.rights("app_clone"));
        assert!(stage.server.knows(DB, "app_clone", "sentinel-of-aws"));
    }
}

#[tokio::test]
async fn both_users_can_be_named_and_are_never_made_then() {
    let mut extra = with_admin();
    extra["usernames"] = json!(["app", "b"]);
    let stage = Stage::start(&extra).await;
    let misconfigured = (Kind::Misconfigured, None);
    stage
        .fails(&stage.pair(), "second", misconfigured, "`usernames`")
        .await;
    assert_eq!(stage.server.users(DB), ["app"]);
    add_user(&stage.server, "b");
    stage.server.set_roles(DB, "b", &[]);
    let rotated = stage.rotate(&stage.pair(), "second").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    assert_eq!(stage.login(&Label::Current).await.0, "b");
    assert_eq!(stage.rights("app"), stage.rights("b"));
}

#[tokio::test]
async fn mechanisms_of_both_are_the_same() {
    let stage = Stage::start(&with_admin()).await;
    stage.server.keep_mechanisms(DB, "app", &["SCRAM-SHA-256"]);
    stage.rotates(&stage.pair(), "second").await;
    assert_eq!(stage.rights("app"), stage.rights("app_clone"));
    stage
        .server
        .keep_mechanisms(DB, "app_clone", &["SCRAM-SHA-256"]);
    stage
        .server
        .create_user(DB, "app", FIRST, &[("readWrite", DB), ("itself", DB)]);
    stage.rotates(&stage.pair(), "third").await;
    assert_eq!(stage.rights("app"), stage.rights("app_clone"));
}

#[tokio::test]
async fn document_db_keeps_roles_alone() {
    let builder = FakeMongo::builder().document_db();
    let mut extra = with_admin();
    extra["authentication_database"] = "admin".into();
    extra["engine"] = "documentdb".into();
    let stage = Stage::start_with(builder, &extra).await;
    stage
        .server
        .create_user("admin", "app", FIRST, &[("readWrite", DB)]);
    stage
        .server
        .create_user("admin", "rotator", ADMIN, &[("root", "admin")]);
    for version in ["second", "third"] {
        let rotated = stage.rotate(&stage.pair(), version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
        let (user, password) = stage.login(&Label::Current).await;
        assert!(stage.server.knows("admin", &user, &password));
    }
    let roles = |user| {
        stage
            .server
            .user("admin", user)
            .expect("a user")
            .remove("roles")
    };
    assert_eq!(roles("app"), roles("app_clone"));
}

#[tokio::test]
async fn a_pair_that_cannot_be_is_named_before_anything_is_made() {
    let no_admin = Stage::start(&json!({})).await;
    let misconfigured = (Kind::Misconfigured, None);
    no_admin
        .fails(&no_admin.pair(), "second", misconfigured, "`masterarn`")
        .await;

    let stage = Stage::start(&with_admin()).await;
    put_admin(
        &stage.store,
        &json!({"username": "app_clone", "authSource": DB}),
    );
    let word = "one of the two users";
    stage
        .fails(&stage.pair(), "second", misconfigured, word)
        .await;

    let mut extra = with_admin();
    extra["engine"] = "docdb".into();
    extra["username"] = "n".repeat(58).into();
    let long = Stage::start(&extra).await;
    long.fails(&long.pair(), "second", misconfigured, "63 characters")
        .await;
    for stage in [no_admin, stage, long] {
        assert_eq!(stage.server.users(DB), ["app"]);
    }
}

#[tokio::test]
async fn a_pending_version_that_names_a_stranger_changes_nothing() {
    let stage = Stage::start(&with_admin()).await;
    add_user(&stage.server, "stranger");
    stage
        .put_pending("second", "stranger", "sentinel-of-a-thief")
        .await;
    let error = stage.rotate(&stage.pair(), "second").await;
    assert!(error.is_err());
    assert!(stage.server.knows(DB, "stranger", FIRST));
    assert!(stage.server.knows(DB, "app", FIRST));
}
