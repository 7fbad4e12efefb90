//! Rotations that come to their end, and what they leave at the server.

use rotators::ldap::PasswordScheme;
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::{Label, SecretStore};
use secrets_core::testing::Driver;
use serde_json::json;

use crate::support::{APP, Client, FIRST, Fixture, bare, refused_binds, with_admin};

/// What `slappasswd -h {ARGON2} -s 'sentinel-First~1 %&+=/?'` makes.
const ARGON2: &str = "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$hNv6UjI19dKvCyTklNmoNQ$4fsPazIfdGtFrjZj8AKbXW6S6bNOX+xdzpHQ1mliXY8";

#[tokio::test]
async fn three_rotations_leave_two_passwords() {
    let mut fixture = Fixture::start(with_admin()).await;
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        let stored = fixture.stored().await;
        assert_eq!(stored.len(), 2, "{stored:?}");
    }
    let stored = fixture.stored().await;
    assert!(
        stored.iter().all(|value| value.starts_with("{SSHA}")),
        "{stored:?}"
    );
    let refused = refused_binds(&fixture.server.log(), APP);
    assert_eq!(refused, 3, "one probe of each new password");
    assert_ne!(fixture.login(FIRST).await, 0, "retired");
}

#[tokio::test]
async fn an_entry_changes_itself() {
    let mut fixture = Fixture::start(bare()).await;
    fixture.without_admin();
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        assert_eq!(fixture.stored().await.len(), 2);
    }
    assert!(!fixture.server.log().contains("BIND dn=\"cn=rotator"));
}

#[tokio::test]
async fn start_tls_and_plaintext_rotate_too() {
    for extra in [json!({"start_tls": true}), json!({"ssl": false})] {
        let mut fixture = Fixture::start(with_admin()).await;
        let mut extra = extra;
        extra["port"] = json!(fixture.server.plain_port());
        fixture.put_current("other port", &fixture.document(&extra));
        fixture.rotates("second").await;
        fixture.rotates("third").await;
        assert_eq!(fixture.stored().await.len(), 2);
    }
}

#[tokio::test]
async fn a_password_that_the_secret_does_not_know_stays() {
    let mut fixture = Fixture::start(with_admin()).await;
    for value in ["of somebody else", ARGON2] {
        fixture.root.add_value(APP, "userPassword", value).await;
    }
    for version in ["second", "third", "fourth"] {
        fixture.rotates(version).await;
        assert_eq!(fixture.stored().await.len(), 4);
    }
    assert_eq!(fixture.login("of somebody else").await, 0);
}

/// The server hashes as it likes until the first rotation.
#[tokio::test]
async fn a_hash_that_is_not_known_here_is_exchanged_for_one_that_is() {
    let mut fixture = Fixture::start(with_admin().module("argon2")).await;
    fixture.root.replace(APP, "userPassword", &[ARGON2]).await;
    assert_eq!(fixture.login(FIRST).await, 0, "the server knows it");
    fixture.rotates("second").await;
    let stored = fixture.stored().await;
    assert!(
        stored.iter().all(|value| value.starts_with("{SSHA}")),
        "{stored:?}"
    );
    assert_eq!(stored.len(), 2);
    fixture.rotates("third").await;
    assert_ne!(fixture.login(FIRST).await, 0, "retired");
    assert_eq!(fixture.stored().await.len(), 2);
}

/// What cannot be told apart is left alone.
#[tokio::test]
async fn two_hashes_that_are_not_known_stay() {
    let mut fixture = Fixture::start(with_admin().module("argon2")).await;
    let md5 = "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==";
    fixture
        .root
        .replace(APP, "userPassword", &[ARGON2, md5])
        .await;
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    let stored = fixture.stored().await;
    assert_eq!(stored.len(), 4, "{stored:?}");
    assert!(stored.contains(&ARGON2.to_owned()) && stored.contains(&md5.to_owned()));
}

#[tokio::test]
async fn other_schemes_are_sent_where_that_is_set() {
    let mut fixture = Fixture::start(with_admin().module("pw-sha2")).await;
    let mut settings = fixture.settings();
    settings.password_scheme = PasswordScheme::Ssha512;
    fixture.rotates_with(settings.clone(), "second").await;
    fixture.rotates_with(settings.clone(), "third").await;
    let stored = fixture.stored().await;
    assert!(
        stored.iter().all(|value| value.starts_with("{SSHA512}")),
        "{stored:?}"
    );
    settings.password_scheme = PasswordScheme::Plain;
    fixture.rotates_with(settings.clone(), "fourth").await;
    fixture.rotates_with(settings, "fifth").await;
    let mut expected = [
        fixture.password(&Label::Previous).await,
        fixture.password(&Label::Current).await,
    ];
    expected.sort();
    assert_eq!(fixture.stored().await, expected, "as this server keeps it");
}

/// A server without the module takes the text of the hash for the password.
#[tokio::test]
async fn a_scheme_that_the_server_does_not_know_is_never_published() {
    let mut fixture = Fixture::start(with_admin()).await;
    let mut settings = fixture.settings();
    settings.password_scheme = PasswordScheme::Ssha512;
    let rotation = fixture.rotation_with(settings);
    assert!(fixture.rotate(&rotation, "second").await.is_err());
    assert_eq!(fixture.password(&Label::Current).await, FIRST);
    assert_eq!(fixture.login(FIRST).await, 0);
    assert_eq!(fixture.stored().await.len(), 2);
}

/// A password in clear text is hashed by the server, by a scheme that cannot be looked into.
#[tokio::test]
async fn what_could_not_be_removed_later_is_refused_at_once() {
    let mut fixture = Fixture::start(with_admin().module("argon2")).await;
    fixture.root.replace(APP, "userPassword", &[ARGON2]).await;
    let mut settings = fixture.settings();
    settings.password_scheme = PasswordScheme::Plain;
    let rotation = fixture.rotation_with(settings);
    let expected = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "second", expected, "PASSWORD_SCHEME=ssha")
        .await;
    assert_eq!(fixture.stored().await, [ARGON2]);
    assert_eq!(fixture.value(&Label::Pending).await, None);
}

#[tokio::test]
async fn a_password_that_looks_like_a_hash_is_not_sent_in_clear_text() {
    let mut fixture = Fixture::start(with_admin()).await;
    let mut settings = fixture.settings();
    settings.password_scheme = PasswordScheme::Plain;
    // As createSecret would have made it with other settings.
    let pending = fixture.document(&json!({ "password": "{sentinel}" }));
    let version = "second".into();
    let put = fixture
        .store
        .put_pending(&fixture.secret, &version, &pending, None);
    put.await.expect("a pending version");
    let rotation = fixture.rotation_with(settings.clone());
    let expected = (Kind::RejectedByTarget, None);
    fixture
        .fails(&rotation, "second", expected, "EXCLUDE_CHARACTERS")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
    assert_eq!(fixture.value(&Label::Pending).await, None, "discarded");
    fixture.rotates_with(settings, "third").await;
}

#[tokio::test]
async fn a_rotation_survives_a_restart_of_the_server() {
    let fixture = Fixture::start(with_admin()).await;
    fixture.rotates("second").await;
    fixture.server.start_again().await;
    assert_eq!(
        fixture
            .login(&fixture.password(&Label::Current).await)
            .await,
        0
    );
    assert_eq!(fixture.login(FIRST).await, 0);
    fixture.rotates("third").await;
}

#[tokio::test]
async fn a_session_outlives_the_rotation() {
    let fixture = Fixture::start(bare()).await;
    let mut session = Client::connect(&fixture.server).await;
    assert_eq!(session.bind(APP, FIRST).await, 0);
    fixture.without_admin();
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    assert_eq!(
        session.values(APP, "userPassword").await.len(),
        2,
        "it may read itself"
    );
}

#[tokio::test]
async fn a_retry_after_a_crash_between_set_and_test_publishes_what_was_set() {
    let mut fixture = Fixture::start(with_admin()).await;
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
    assert_eq!(fixture.stored().await.len(), 2);
}

/// Both read before either has added: of the same value the server takes one.
#[tokio::test]
async fn two_functions_at_once_add_one_value() {
    let mut fixture = Fixture::start(with_admin()).await;
    for number in 0..10 {
        let version = format!("version {number}").as_str().into();
        let (one, two) = (fixture.rotation(), fixture.rotation());
        let one = Driver::new(&fixture.stored.store, &one, &fixture.stored.secret);
        let two = Driver::new(&fixture.stored.store, &two, &fixture.stored.secret);
        one.begin(&version).expect("none is under way");
        let created = one.send(Step::Create, &version).await;
        assert_eq!(created, Ok(Outcome::Created));
        let before = fixture.root.passwords(APP).await.len();
        let set = tokio::join!(one.send(Step::Set, &version), two.send(Step::Set, &version));
        assert!(set.0.is_ok() && set.1.is_ok(), "{set:?}");
        let after = fixture.root.passwords(APP).await.len();
        assert_eq!(after, before + 1, "{set:?}");
        for step in [Step::Test, Step::Finish] {
            let ended = two.send(step, &version).await;
            assert!(ended.is_ok(), "{ended:?}");
        }
    }
    assert_eq!(fixture.stored().await.len(), 2);
}
