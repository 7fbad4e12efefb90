//! One user, whose password is replaced.

use harness::redshift::{Fault, StoredAs, When};
use rotators::redshift::{PasswordHash, SingleUser};
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::hidden;
use crate::support::{ADMIN, FIRST, Fixture, settings};

#[tokio::test]
async fn a_password_is_replaced_and_kept_as_it_was() {
    for (stored, form) in [(StoredAs::Md5, "'md5"), (StoredAs::Sha256, "'sha256|")] {
        let fixture = Fixture::start("App \"user\"", stored).await;
        fixture.put_current("own", &json!({"masterarn": Value::Null}));
        let rotation = fixture.single();
        let mut last = FIRST.to_owned();
        for version in ["second", "third"] {
            let (user, password) = fixture.rotates(&rotation, version).await;
            assert!(!fixture.fake.takes(&user, &last), "the old one is over");
            assert_eq!(fixture.fake.stored_as(&user), Some(stored));
            let changes = fixture.changes();
            let start = format!("ALTER USER \"App \"\"user\"\"\" PASSWORD {form}");
            assert_eq!(changes.len(), 1);
            assert!(changes[0].starts_with(&start));
            assert_eq!(
                changes[0].contains(&password),
                stored == StoredAs::Sha256,
                "a hash of ours holds no password"
            );
            last = password;
        }
        assert_eq!(fixture.fake.sessions("App \"user\""), 0, "sessions end");
    }
}

#[tokio::test]
async fn the_hash_can_be_chosen() {
    for (stored, hash, expected) in [
        (StoredAs::Md5, PasswordHash::Sha256, StoredAs::Sha256),
        (StoredAs::Sha256, PasswordHash::Md5, StoredAs::Md5),
    ] {
        let fixture = Fixture::start("app", stored).await;
        let mut settings = settings();
        settings.password_hash = hash;
        let rotation = fixture.over(SingleUser::new(fixture.store.clone(), settings));
        fixture.rotates(&rotation, "second").await;
        assert_eq!(fixture.fake.stored_as("app"), Some(expected));
    }
}

#[tokio::test]
async fn a_date_is_moved_by_the_admin_and_stays_without_one() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    fixture.fake.expire("app", 86_400 * 3 + 600);
    fixture.rotates(&fixture.single(), "second").await;
    assert_eq!(
        fixture.fake.valid_days("app"),
        Some(89),
        "ninety days from the change"
    );
    let seen = fixture.fake.seen();
    let by: Vec<_> = seen
        .iter()
        .filter(|(_, sql)| sql.starts_with("ALTER"))
        .collect();
    assert!(
        matches!(&by[..], [(user, sql)] if user == "manager" && sql.contains(" VALID UNTIL '"))
    );

    let password = fixture.login(&Label::Current).await.1;
    fixture.fake.expire("app", 86_400 * 3 + 600);
    fixture.put_current(
        "alone",
        &json!({"password": password, "masterarn": Value::Null}),
    );
    fixture.rotates(&fixture.single(), "third").await;
    assert_eq!(fixture.fake.valid_days("app"), Some(3));
}

#[tokio::test]
async fn a_user_that_may_not_change_itself_is_changed_by_the_admin() {
    let fixture = Fixture::start("app", StoredAs::Sha256).await;
    fixture.fake.fix_password("app");
    fixture.rotates(&fixture.single(), "second").await;
    assert_eq!(fixture.fake.stored_as("app"), Some(StoredAs::Sha256));

    let password = fixture.login(&Label::Current).await.1;
    fixture.put_current(
        "alone",
        &json!({"password": password, "masterarn": Value::Null}),
    );
    let refused = (Kind::Refused, Some("42501"));
    fixture
        .fails(&fixture.single(), "third", refused, "add `masterarn`")
        .await;
}

#[tokio::test]
async fn the_permission_alter_user_is_enough_for_an_admin() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    fixture.fake.put_user("helper", ADMIN, StoredAs::Md5);
    fixture.put(
        "arn:helper",
        "first",
        &json!({"username": "helper", "password": ADMIN}),
    );
    fixture.put_current("helped", &json!({"masterarn": "arn:helper"}));
    fixture.fake.fix_password("app");
    let refused = (Kind::Refused, Some("42501"));
    fixture
        .fails(&fixture.single(), "second", refused, "ALTER USER")
        .await;
    fixture.fake.let_alter_users("helper");
    fixture
        .rotate(&fixture.single(), "second")
        .await
        .expect("permitted");
}

#[tokio::test]
async fn what_is_sent_and_lost_is_found_by_the_next_try() {
    for when in [When::Before, When::After] {
        let fixture = Fixture::start("app", StoredAs::Md5).await;
        fixture.fake.plan("ALTER USER", 0, Fault::Drop, when);
        let lost = (Kind::Unreachable, None);
        fixture
            .fails(&fixture.single(), "second", lost, "during a statement")
            .await;
        fixture.rotates(&fixture.single(), "second").await;
        let changes = fixture.changes().len();
        assert_eq!(changes, if when == When::Before { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_new_password_that_is_not_taken_is_discarded() {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    fixture
        .fake
        .plan("ALTER USER", 0, Fault::Refuse("22023"), When::Before);
    let refused = (Kind::RejectedByTarget, Some("22023"));
    fixture
        .fails(&fixture.single(), "second", refused, "password hash to md5")
        .await;
    fixture.rotates(&fixture.single(), "second").await;
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", settings());
    hidden::assert_absent(&shown, FIRST);
}
