//! Entries as they should not be, and names and passwords as nobody expects them.

use ldap3::dn_escape;
use secrets_core::document::SecretDocument;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{APP, FIRST, Fixture, bare, refused_binds, with_admin};

#[tokio::test]
async fn an_entry_that_is_not_there_is_told_as_one() {
    let mut fixture = Fixture::start(with_admin()).await;
    fixture.root.delete(APP).await;
    let expected = (Kind::Misconfigured, Some("noSuchObject"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "no entry")
        .await;
    assert_eq!(
        fixture.value(&Label::Pending).await,
        None,
        "nothing was made"
    );
    assert_eq!(fixture.login(FIRST).await, 49, "as a wrong password");
}

#[tokio::test]
async fn an_entry_whose_password_is_kept_elsewhere_is_told_as_one() {
    let mut fixture = Fixture::start(with_admin()).await;
    fixture
        .root
        .add_value(APP, "userPassword", "{SASL}app@EXAMPLE")
        .await;
    let expected = (Kind::Misconfigured, None);
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "another server")
        .await;
    assert_eq!(fixture.stored().await.len(), 2);
}

#[tokio::test]
async fn an_entry_that_is_changed_by_hand_is_refused_at_every_label() {
    let mut fixture = Fixture::start(with_admin()).await;
    fixture
        .root
        .replace(APP, "userPassword", &["by hand"])
        .await;
    let refused = fixture.rotate(&fixture.rotation(), "second").await;
    assert!(refused.is_err());
    assert_eq!(fixture.stored().await, ["by hand"]);
    let refused = refused_binds(&fixture.server.log(), APP);
    assert_eq!(refused, 3, "one in createSecret, two in setSecret");
}

#[tokio::test]
async fn hostile_names_rotate() {
    let mut fixture = Fixture::start(with_admin()).await;
    let long = "n".repeat(200);
    for uid in [
        "a\"b'c",
        "x,ou=services,dc=example,dc=com",
        "a+cn=b",
        " #<>;\\= ",
        "*)(uid=*",
        "{SSHA}",
        "%s$9",
        "dn.exact=\"cn=root\" write",
        "ünï-códe-ключ-🔑",
        "\u{1}",
        &long,
    ] {
        let entry = format!("uid={},ou=services,dc=example,dc=com", dn_escape(uid));
        fixture.root.add_entry(&entry, uid, FIRST.as_bytes()).await;
        fixture.entry.clone_from(&entry);
        fixture.stored.secret = format!("arn:{uid}").as_str().into();
        fixture.put_current("first", &fixture.document(&json!({})));
        fixture.rotates("second").await;
        fixture.rotates("third").await;
        assert_eq!(fixture.stored().await.len(), 2, "{entry}");
    }
    assert_eq!(
        fixture.root.passwords(APP).await,
        [FIRST],
        "the other entry"
    );
}

/// A name is what the server takes for the same: nothing of it is compared here.
#[tokio::test]
async fn a_name_in_other_words_is_the_same_entry() {
    let mut fixture = Fixture::start(with_admin()).await;
    let other = "UID=App , OU=Services,DC=example,dc=COM";
    fixture.put_current("other", &fixture.document(&json!({ "username": other })));
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    assert_eq!(fixture.stored().await.len(), 2);
}

#[tokio::test]
async fn what_would_let_everyone_in_is_never_sent() {
    let fixture = Fixture::start(bare()).await;
    for (version, extra, key) in [
        ("a", json!({"password": ""}), "`password`"),
        ("b", json!({"username": ""}), "`username`"),
        ("c", json!({"username": "app"}), "`username`"),
    ] {
        fixture.put_current(version, &fixture.document(&extra));
        let rotation = fixture.rotation();
        let refused = fixture.rotate(&rotation, &format!("{version}-next")).await;
        let refused = refused.expect_err("a fault");
        let source = std::error::Error::source(&refused).expect("a cause");
        assert!(source.to_string().contains(key), "{source}");
    }
    fixture.put_admin(
        "empty",
        &json!({"username": "cn=rotator,dc=example,dc=com", "password": ""}),
    );
    fixture.put_current("d", &fixture.document(&json!({})));
    let expected = (Kind::Misconfigured, None);
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "d-next", expected, "`password`")
        .await;
    assert!(
        !fixture.server.log().contains("BIND dn=\"uid"),
        "{}",
        fixture.server.log()
    );
    assert!(!fixture.server.log().contains("BIND dn=\"cn=rotator"));
}

#[tokio::test]
async fn a_name_that_is_none_is_told() {
    let fixture = Fixture::start(bare()).await;
    let name = json!({ "username": "uid=app,,dc", "masterarn": null });
    fixture.put_current("none", &fixture.document(&name));
    let expected = (Kind::Misconfigured, Some("invalidDNSyntax"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "RFC 4514")
        .await;
}

#[tokio::test]
async fn hostile_passwords_rotate() {
    let mut fixture = Fixture::start(with_admin()).await;
    let printable: String = (' '..='~').collect();
    let long = "p".repeat(8000);
    let passwords = [
        &printable,
        "ключ-пароль-🔑",
        "two\r\nlines",
        "a\0b",
        " ",
        "{",
        "{}x",
        &long,
    ];
    for (number, password) in passwords.into_iter().enumerate() {
        let uid = format!("user-{number}");
        let entry = format!("uid={uid},ou=services,dc=example,dc=com");
        fixture
            .root
            .add_entry(&entry, &uid, password.as_bytes())
            .await;
        fixture.entry = entry;
        fixture.stored.secret = format!("arn:{uid}").as_str().into();
        fixture.put_current("odd", &fixture.document(&json!({ "password": password })));
        fixture.rotates("second").await;
        fixture.rotates("third").await;
        assert_eq!(fixture.stored().await.len(), 2, "{number}");
        assert_eq!(fixture.login(password).await, 49, "{number}");
    }
}

#[tokio::test]
async fn the_previous_password_is_enough() {
    for (builder, admin) in [(with_admin(), json!("arn:admin")), (bare(), json!(null))] {
        let fixture = Fixture::start(builder).await;
        let wrong = json!({"password": "never set at the server", "masterarn": admin});
        let right: SecretDocument = fixture.document(&json!({ "masterarn": admin }));
        fixture.put_current("right", &right);
        fixture.put_current("wrong", &fixture.document(&wrong));
        let rotated = fixture.rotate(&fixture.rotation(), "next").await;
        assert_eq!(rotated.map(|outcomes| outcomes[1]), Ok(Outcome::Set));
        let current = fixture.password(&Label::Current).await;
        assert_eq!(fixture.login(&current).await, 0);
    }
}
