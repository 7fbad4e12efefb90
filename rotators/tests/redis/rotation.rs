//! Rotations that come to their end, and what they leave at the server.

use harness::redis::RedisBuilder;
use rotators::redis::AclSave;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use secrets_core::testing::Driver;

use crate::support::{Client, FIRST, Fixture, on_both, sha256};

on_both! {
    three_rotations_leave_two_passwords,
    a_password_that_the_secret_does_not_know_stays,
    a_rotation_survives_a_restart_of_the_server_with_an_acl_file,
    a_file_that_cannot_be_written_is_told_before_anything_changes,
    a_server_without_a_file_rotates_all_the_same,
    nothing_is_saved_where_that_is_off,
    a_session_outlives_the_rotation,
    a_retry_after_a_crash_between_set_and_test_publishes_what_was_set,
}

async fn three_rotations_leave_two_passwords(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let mut before = fixture.password(&Label::Current).await;
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        let current = fixture.password(&Label::Current).await;
        let mut expected = [sha256(&before), sha256(&current)];
        let mut seen = fixture.admin.hashes("app").await;
        expected.sort();
        seen.sort();
        assert_eq!(seen, expected);
        before = current;
    }
    let refused = fixture.admin.refused_logins("app").await;
    assert_eq!(refused, 3, "one probe of each new password");
}

async fn a_password_that_the_secret_does_not_know_stays(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    fixture.admin.set_user("app", &[">of somebody else"]).await;
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        assert_eq!(fixture.admin.hashes("app").await.len(), 3);
    }
    assert_eq!(fixture.login("of somebody else").await, "+OK");
}

async fn a_rotation_survives_a_restart_of_the_server_with_an_acl_file(builder: RedisBuilder) {
    let fixture = Fixture::start(builder.acl_file()).await;
    fixture.rotates("second").await;
    let second = fixture.password(&Label::Current).await;
    fixture.rotates("third").await;
    let third = fixture.password(&Label::Current).await;
    let file = fixture.server.acl_file();
    assert!(file.contains(&sha256(&second)) && file.contains(&sha256(&third)));
    assert!(!file.contains(&sha256(FIRST)), "retired");

    fixture.server.start_again().await;
    assert_eq!(fixture.login(&second).await, "+OK");
    assert_eq!(fixture.login(&third).await, "+OK");
    fixture.rotates("fourth").await;
}

async fn a_file_that_cannot_be_written_is_told_before_anything_changes(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder.acl_file()).await;
    let folder = fixture.admin.call(&["CONFIG", "GET", "dir"]).await;
    let folder = folder.lines().last().expect("name and value").to_owned();
    // A folder in the place of the file: nothing can be renamed onto it.
    let file = std::path::Path::new(&folder).join("users.acl");
    std::fs::remove_file(&file).expect("there is a file");
    std::fs::create_dir(&file).expect("a folder");
    let expected = (Kind::Refused, Some("ERR"));
    for _ in 0..2 {
        let rotation = fixture.rotation();
        fixture
            .fails(&rotation, "second", expected, "`aclfile`")
            .await;
        assert_eq!(fixture.admin.hashes("app").await.len(), 1, "unchanged");
    }
    std::fs::remove_dir(&file).expect("the folder");
    fixture.rotates("second").await;
    assert!(
        fixture
            .server
            .acl_file()
            .contains(&sha256(&fixture.password(&Label::Current).await))
    );
}

async fn a_server_without_a_file_rotates_all_the_same(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    assert!(
        fixture
            .admin
            .call(&["ACL", "SAVE"])
            .await
            .contains("not configured")
    );
    fixture.rotates("second").await;
    fixture.rotates("third").await;
}

async fn nothing_is_saved_where_that_is_off(builder: RedisBuilder) {
    let fixture = Fixture::start(builder.acl_file()).await;
    let before = fixture.server.acl_file();
    let mut settings = fixture.settings();
    settings.acl_save = AclSave::Never;
    let rotation = fixture.rotation_with(settings);
    for version in ["second", "third"] {
        let rotated = fixture.rotate(&rotation, version).await;
        assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    }
    assert_eq!(fixture.server.acl_file(), before);
}

async fn a_session_outlives_the_rotation(builder: RedisBuilder) {
    let fixture = Fixture::start(builder).await;
    let mut session = Client::connect(&fixture.server).await;
    assert_eq!(session.call(&["AUTH", "app", FIRST]).await, "+OK");
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    assert_eq!(session.call(&["PING"]).await, "+PONG");
}

async fn a_retry_after_a_crash_between_set_and_test_publishes_what_was_set(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let rotation = fixture.rotation();
    let version = "second".into();
    let driver = Driver::new(&fixture.store, &rotation, &fixture.secret);
    driver.begin(&version).expect("none is under way");
    let first = driver.send(Step::Create, &version).await;
    assert_eq!(first, Ok(Outcome::Created));
    assert_eq!(driver.send(Step::Set, &version).await, Ok(Outcome::Set));
    let pending = fixture.password(&Label::Pending).await;
    let again = fixture.rotate(&fixture.rotation(), "second").await;
    let expected = [
        Outcome::Kept,
        Outcome::AlreadySet,
        Outcome::Tested,
        Outcome::Promoted,
    ];
    assert_eq!(again, Ok(expected));
    assert_eq!(fixture.password(&Label::Current).await, pending);
    assert_eq!(fixture.admin.hashes("app").await.len(), 2);
}
