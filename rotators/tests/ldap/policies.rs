//! Password policies of the server (the overlay `ppolicy`).

use std::time::Duration;

use harness::ldap::LdapBuilder;
use rotators::ldap::{LdapSettings, PasswordScheme};
use secrets_core::rotator::{RotatorError, RotatorErrorKind as Kind};
use secrets_core::store::Label;
use serde_json::json;
use tokio::time::Instant;

use crate::support::{APP, FIRST, Fixture, bare, with_admin};

fn lockout() -> LdapBuilder {
    with_admin()
        .policy("pwdLockout: TRUE")
        .policy("pwdMaxFailure: 3")
}

fn plain(fixture: &Fixture) -> LdapSettings {
    let mut settings = fixture.settings();
    settings.password_scheme = PasswordScheme::Plain;
    settings
}

#[tokio::test]
async fn probes_lock_nothing() {
    for most in [2, 3] {
        let builder = with_admin().policy("pwdLockout: TRUE");
        let builder = builder.policy(&format!("pwdMaxFailure: {most}"));
        let mut fixture = Fixture::start(builder).await;
        for version in ["a", "b", "c", "d"] {
            // Somebody has used up all tries but one.
            for _ in 1..most {
                assert_eq!(fixture.login("wrong").await, 49);
            }
            fixture.rotates(version).await;
            let failures = fixture.root.values(APP, "pwdFailureTime").await;
            assert_eq!(failures, Vec::<String>::new(), "none is left over");
        }
    }
}

#[tokio::test]
async fn a_locked_entry_is_told_where_the_server_says_so() {
    let builder = lockout().policies("olcPPolicyUseLockout: TRUE");
    let mut fixture = Fixture::start(builder).await;
    for _ in 0..3 {
        assert_eq!(fixture.login("wrong").await, 49);
    }
    let expected = (Kind::Refused, Some("accountLocked"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "pwdAccountLockedTime")
        .await;
    assert_eq!(fixture.stored().await, [FIRST], "nothing is changed");
    fixture.root.replace(APP, "pwdAccountLockedTime", &[]).await;
    fixture.rotates("second").await;
}

/// Then all passwords are refused as wrong, and nothing is changed.
#[tokio::test]
async fn a_locked_entry_is_left_alone_where_the_server_does_not_say_so() {
    let mut fixture = Fixture::start(lockout()).await;
    for _ in 0..3 {
        assert_eq!(fixture.login("wrong").await, 49);
    }
    assert!(fixture.rotate(&fixture.rotation(), "second").await.is_err());
    assert_eq!(fixture.stored().await, [FIRST]);
    fixture.root.replace(APP, "pwdAccountLockedTime", &[]).await;
    assert_eq!(fixture.login(FIRST).await, 0, "which ends the count");
    fixture.rotates("second").await;
}

#[tokio::test]
async fn an_expired_password_is_told() {
    let old = "uid=old,ou=services,dc=example,dc=com";
    let builder = with_admin().policy("pwdMaxAge: 3600").entry(&format!(
        "dn: {old}\nobjectClass: account\nobjectClass: simpleSecurityObject\nuid: old\n\
         userPassword: {FIRST}\npwdChangedTime: 20200101000000Z"
    ));
    let mut fixture = Fixture::start(builder).await;
    fixture.put_current("old", &fixture.document(&json!({ "username": old })));
    let expected = (Kind::Refused, Some("passwordExpired"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "pwdMaxAge")
        .await;
    assert_eq!(fixture.root.passwords(old).await, [FIRST]);
}

#[tokio::test]
async fn a_policy_that_must_see_passwords_is_sent_them_where_that_is_set() {
    let builder = with_admin()
        .policies("olcPPolicyHashCleartext: TRUE")
        .policy("pwdCheckQuality: 2")
        .policy("pwdMinLength: 20");
    let mut fixture = Fixture::start(builder).await;
    let expected = (Kind::Misconfigured, Some("insufficientPasswordQuality"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "PASSWORD_SCHEME=plain")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
    for version in ["second", "third", "fourth"] {
        fixture.rotates_with(plain(&fixture), version).await;
        assert_eq!(fixture.stored().await.len(), 2);
    }
    let stored = fixture.stored().await;
    assert!(
        stored.iter().all(|value| value.starts_with("{SSHA}")),
        "hashed by the server: {stored:?}"
    );
}

#[tokio::test]
async fn a_password_that_the_policy_never_takes_is_given_up() {
    let builder = with_admin()
        .policies("olcPPolicyHashCleartext: TRUE")
        .policy("pwdCheckQuality: 2")
        .policy("pwdMinLength: 33");
    let mut fixture = Fixture::start(builder).await;
    let expected = (Kind::RejectedByTarget, Some("passwordTooShort"));
    let rotation = fixture.rotation_with(plain(&fixture));
    fixture
        .fails(&rotation, "second", expected, "PASSWORD_LENGTH")
        .await;
    assert_eq!(fixture.value(&Label::Pending).await, None, "discarded");
    assert_eq!(fixture.stored().await, [FIRST]);
}

#[tokio::test]
async fn a_policy_without_room_for_a_second_password_is_told() {
    let mut fixture = Fixture::start(with_admin().policy("pwdSafeModify: TRUE")).await;
    let expected = (Kind::Misconfigured, Some("mustSupplyOldPassword"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "pwdSafeModify")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
}

#[tokio::test]
async fn a_policy_that_lets_no_entry_change_itself_wants_an_admin() {
    let builder = bare().policy("pwdAllowUserChange: FALSE");
    let mut fixture = Fixture::start(builder).await;
    fixture.without_admin();
    let expected = (Kind::Misconfigured, Some("passwordModNotAllowed"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "`masterarn`")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
}

#[tokio::test]
async fn a_policy_against_quick_changes_is_told_and_both_passwords_go_on() {
    let mut fixture = Fixture::start(with_admin().policy("pwdMinAge: 3600")).await;
    fixture.rotates("second").await;
    let expected = (Kind::Refused, Some("passwordTooYoung"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "third", expected, "pwdMinAge")
        .await;
    assert_eq!(fixture.stored().await.len(), 2);
    assert_eq!(fixture.login(FIRST).await, 0);
}

/// The history gets the first of the values at each change, and one line a second.
#[tokio::test]
async fn a_history_of_passwords_is_no_obstacle_but_within_a_second() {
    let mut fixture = Fixture::start(with_admin().policy("pwdInHistory: 3")).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    for version in ["second", "third", "fourth"] {
        while let Err(error) = fixture.rotate(&fixture.rotation(), version).await {
            let source = std::error::Error::source(&error).expect("a cause");
            let fault: &RotatorError = source.downcast_ref().expect("of the rotator");
            let seen = (fault.kind(), fault.code());
            assert_eq!(seen, (Kind::Unreachable, Some("attributeOrValueExists")));
            assert!(Instant::now() < deadline, "seconds pass");
        }
        assert_eq!(fixture.stored().await.len(), 2);
    }
}

/// The next change ends it.
#[tokio::test]
async fn an_entry_that_must_change_its_password_rotates() {
    let builder = with_admin().policy("pwdMustChange: TRUE");
    let mut fixture = Fixture::start(builder).await;
    fixture.root.replace(APP, "pwdReset", &["TRUE"]).await;
    fixture.rotates("second").await;
    let reset = fixture.root.values(APP, "pwdReset").await;
    assert_eq!(reset, Vec::<String>::new());
}
