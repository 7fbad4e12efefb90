//! One user: who changes it, and what becomes of the old password.

use harness::mysql::Edition;
use rotators::mysql::OldPassword;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::{Label, SecretStore};
use serde_json::json;

use crate::signs::{a_password_may_hold_every_printable_character, names_and_modes_do_not_matter};
use crate::support::{FIRST, Fixture, is_mysql, literal, on_one_of_each};

on_one_of_each![both:
    an_admin_gives_the_user_a_second_password,
    all_hosts_of_a_user_change_together,
    a_rotation_that_was_given_up_leaves_the_current_password,
    a_set_password_is_not_set_again,
    the_old_password_can_be_discarded_after_promotion,
    a_user_whose_password_is_replaced_changes_itself,
    an_admin_replaces_a_password,
    a_password_may_hold_every_printable_character,
    names_and_modes_do_not_matter,
    a_password_is_kept_where_that_is_possible,
    the_admin_of_another_server_is_refused,
    an_account_that_locks_itself_stays_open,
];

async fn an_admin_gives_the_user_a_second_password<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    let mut before = fixture.rotates(&rotation, "second").await;
    assert_eq!(before, FIRST);
    for version in ["third", "fourth"] {
        assert_eq!(
            fixture.log_in("app", &before).await,
            Ok(()),
            "the one before still works"
        );
        let older = before;
        before = fixture.rotates(&rotation, version).await;
        assert_eq!(
            fixture.log_in("app", &older).await,
            Err(1045),
            "and no longer"
        );
    }
    assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
}

/// Without an admin `MariaDB` has no room for two passwords.
async fn a_password_is_kept_where_that_is_possible<E: Edition>(fixture: &mut Fixture<E>) {
    if !is_mysql::<E>() {
        let rotation = fixture.single(OldPassword::default());
        let needs_an_admin = (Kind::Misconfigured, None);
        fixture
            .fails(&rotation, "refused", needs_an_admin, "`masterarn`")
            .await;
        assert_eq!(fixture.current_logs_in().await, Ok(()));
        fixture.put_current("again", &json!({}));
    }
    let rotation = fixture.single(OldPassword::KeptIfPossible);
    let before = fixture.rotates(&rotation, "second").await;
    let works = if is_mysql::<E>() { Ok(()) } else { Err(1045) };
    assert_eq!(fixture.log_in("app", &before).await, works);
    let first = literal(FIRST);
    fixture
        .root(&format!("ALTER USER app IDENTIFIED BY {first}"))
        .await;
    fixture.with_admin().await;
    let before = fixture.rotates(&rotation, "by-an-admin").await;
    assert_eq!(fixture.log_in("app", &before).await, Ok(()));
}

async fn all_hosts_of_a_user_change_together<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.add_user("o'x", &["%", "localhost", "10.1.%"]).await;
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    for version in ["second", "third"] {
        fixture.rotates(&rotation, version).await;
        let table = if is_mysql::<E>() {
            "SELECT user_attributes->>'$.additional_password' FROM mysql.user WHERE user = 'o''x'"
        } else {
            "SELECT JSON_EXTRACT(priv, '$.auth_or') FROM mysql.global_priv WHERE user = 'o''x'"
        };
        let second: Vec<Option<String>> = fixture.ask(table).await;
        assert_eq!(second.len(), 3);
        assert!(second.iter().all(Option::is_some), "{second:?}");
        assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
    }
}

/// The account's first password is then one that no version holds, and the current one its second.
async fn a_rotation_that_was_given_up_leaves_the_current_password<E: Edition>(
    fixture: &mut Fixture<E>,
) {
    fixture.with_admin().await;
    gives_up(fixture).await;
}

pub(crate) async fn gives_up<E: Edition>(fixture: &Fixture<E>) {
    let rotation = fixture.single(OldPassword::default());
    for version in ["given-up", "given-up-too"] {
        let patch = Patch::key("password", version.into());
        fixture.put_pending(version, &patch).await;
        let set = fixture.send(&rotation, Step::Set, version).await;
        assert_eq!(set, Ok(Outcome::Set));
        assert_eq!(fixture.current_logs_in().await, Ok(()));
        let given_up = version.into();
        let discard = fixture.store.discard_pending(&fixture.secret, &given_up);
        discard.await.expect("a pending version");
    }
    let before = fixture.rotates(&rotation, "second").await;
    assert_eq!(before, FIRST);
    assert_eq!(
        fixture.log_in("app", &before).await,
        Ok(()),
        "the one before still works"
    );
    assert_eq!(fixture.log_in("app", "given-up-too").await, Err(1045));
}

async fn a_set_password_is_not_set_again<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.with_admin().await;
    let rotation = fixture.single(OldPassword::default());
    fixture
        .put_pending("second", &Patch::key("password", "sentinel-second".into()))
        .await;
    assert_eq!(
        fixture.send(&rotation, Step::Set, "second").await,
        Ok(Outcome::Set)
    );
    let again = fixture.send(&rotation, Step::Set, "second").await;
    assert_eq!(again, Ok(Outcome::AlreadySet));
    for password in [FIRST, "sentinel-second"] {
        assert_eq!(fixture.log_in("app", password).await, Ok(()));
    }
}

async fn the_old_password_can_be_discarded_after_promotion<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = fixture.single(OldPassword::UntilPromotion);
    if is_mysql::<E>() {
        let before = fixture.rotates(&rotation, "by-itself").await;
        assert_eq!(fixture.log_in("app", &before).await, Err(1045));
        fixture.root("ALTER USER app PASSWORD HISTORY 5").await;
        // Then which of the two passwords is the first cannot be told: the old one stays.
        let before = fixture.rotates(&rotation, "by-itself-with-history").await;
        assert_eq!(fixture.log_in("app", &before).await, Ok(()));
        fixture.root("ALTER USER app PASSWORD HISTORY 0").await;
        let first = literal(FIRST);
        fixture
            .root(&format!("ALTER USER app IDENTIFIED BY {first}"))
            .await;
    }
    fixture.with_admin().await;
    for version in ["second", "third"] {
        let before = fixture.rotates(&rotation, version).await;
        assert_eq!(fixture.log_in("app", &before).await, Err(1045));
    }
}

async fn a_user_whose_password_is_replaced_changes_itself<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = fixture.single(OldPassword::Replaced);
    if is_mysql::<E>() {
        fixture
            .root("REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM app")
            .await;
    }
    for version in ["second", "third"] {
        let before = fixture.rotates(&rotation, version).await;
        assert_eq!(fixture.log_in("app", &before).await, Err(1045));
    }
    if is_mysql::<E>() {
        fixture
            .root("ALTER USER app PASSWORD REQUIRE CURRENT")
            .await;
        fixture.rotates(&rotation, "fourth").await;
    }
}

async fn an_admin_replaces_a_password<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.add_user("two hosts", &["%", "localhost"]).await;
    fixture.with_admin().await;
    fixture
        .rotates(&fixture.single(OldPassword::default()), "kept")
        .await;
    let rotation = fixture.single(OldPassword::Replaced);
    let previous = fixture
        .value(&Label::Previous, "password")
        .await
        .expect("a password");
    let before = fixture.rotates(&rotation, "replaced").await;
    for gone in [previous, before] {
        assert_eq!(fixture.log_in("two hosts", &gone).await, Err(1045));
    }
}

async fn the_admin_of_another_server_is_refused<E: Edition>(fixture: &mut Fixture<E>) {
    let secret = json!({"username": "root", "password": "p", "host": "other.example"});
    let secret = secrets_core::document::SecretDocument::from_text(&secret.to_string());
    let put = fixture
        .store
        .put_current(&"arn:admin".into(), &"1".into(), &secret);
    put.expect("a new version");
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Misconfigured, None),
            "another `host`",
        )
        .await;
}

/// A user that the server locks after three wrong passwords in a row is never near that.
async fn an_account_that_locks_itself_stays_open<E: Edition>(fixture: &mut Fixture<E>) {
    if is_mysql::<E>() {
        fixture
            .root("ALTER USER app FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1")
            .await;
        fixture
            .root("REVOKE APPLICATION_PASSWORD_ADMIN ON *.* FROM app")
            .await;
    } else {
        fixture.root("SET GLOBAL max_password_errors = 3").await;
    }
    let rotation = fixture.single(OldPassword::default());
    let fault = if is_mysql::<E>() {
        (Kind::Refused, Some("1227"))
    } else {
        (Kind::Misconfigured, None)
    };
    // The pending password is refused once each time, and then the current one taken.
    for _ in 0..8 {
        fixture
            .fails(&rotation, "second", fault, "`masterarn`")
            .await;
    }
    fixture.with_admin().await;
    fixture.rotates(&rotation, "third").await;
    if !is_mysql::<E>() {
        fixture
            .root("SET GLOBAL max_password_errors = DEFAULT")
            .await;
    }
}
