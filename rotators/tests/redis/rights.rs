//! What an admin needs, and what is said where that is missing.

use harness::redis::RedisBuilder;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::{ADMIN, FIRST, Fixture, on_both, sha256};

on_both! {
    three_commands_are_all_that_an_admin_needs,
    without_an_admin_a_user_needs_the_right_to_change_users,
    an_admin_that_cannot_log_in_is_told,
    an_admin_of_another_host_is_refused,
}

/// All tests of this file tree run with this admin; here each of its rights is missing once.
async fn three_commands_are_all_that_an_admin_needs(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let expected = (Kind::Refused, Some("NOPERM"));
    for command in ["acl|getuser", "acl|setuser", "acl|save"] {
        fixture
            .admin
            .set_user("rotator", &[&format!("-{command}")])
            .await;
        let word = format!("+{command}");
        fixture
            .fails(&fixture.rotation(), "second", expected, &word)
            .await;
        assert_eq!(fixture.admin.hashes("app").await, [sha256(FIRST)]);
        fixture.admin.set_user("rotator", &[&word]).await;
    }
    fixture.rotates("second").await;
    fixture.rotates("third").await;
}

async fn without_an_admin_a_user_needs_the_right_to_change_users(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    fixture.put_current("own", &fixture.document(&json!({ "masterarn": null })));
    let expected = (Kind::Refused, Some("NOPERM"));
    fixture
        .fails(&fixture.rotation(), "second", expected, "`masterarn`")
        .await;
    fixture
        .admin
        .set_user("app", &["+acl|getuser", "+acl|setuser", "+acl|save"])
        .await;
    fixture.rotates("second").await;
    fixture.rotates("third").await;
}

async fn an_admin_that_cannot_log_in_is_told(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let expected = (Kind::Misconfigured, Some("WRONGPASS"));
    fixture.put_admin(
        "wrong",
        &json!({"username": "rotator", "password": "sentinel-wrong"}),
    );
    fixture
        .fails(&fixture.rotation(), "second", expected, "`masterarn`")
        .await;
    fixture.put_admin("right", &json!({"username": "rotator", "password": ADMIN}));
    fixture.admin.set_user("rotator", &["off"]).await;
    fixture
        .fails(&fixture.rotation(), "second", expected, "disabled")
        .await;
    assert_eq!(fixture.admin.hashes("app").await, [sha256(FIRST)]);
    assert_eq!(fixture.admin.refused_logins("rotator").await, 2);
}

async fn an_admin_of_another_host_is_refused(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let elsewhere = json!({"username": "rotator", "password": ADMIN, "host": "other.example"});
    fixture.put_admin("elsewhere", &elsewhere);
    let expected = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.rotation(), "second", expected, "another `host`")
        .await;
    assert_eq!(fixture.admin.refused_logins("rotator").await, 0);
}
