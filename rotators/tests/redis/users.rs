//! Users as they should not be, and names and passwords as nobody expects them.

use harness::redis::RedisBuilder;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::support::{FIRST, Fixture, on_both, sha256};

on_both! {
    a_user_with_any_password_is_refused_and_stays_as_it_is,
    a_disabled_user_is_told_as_one,
    a_user_that_is_not_there_is_told_as_one,
    a_user_that_is_replaced_by_hand_is_refused_at_every_label,
    hostile_names_rotate,
    names_with_spaces_are_refused_before_anything_is_sent,
    hostile_passwords_rotate,
    the_default_user_rotates_itself,
    the_previous_password_is_enough,
}

async fn a_user_with_any_password_is_refused_and_stays_as_it_is(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    fixture.admin.set_user("app", &["nopass"]).await;
    let expected = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.rotation(), "second", expected, "`nopass`")
        .await;
    let account = fixture.admin.call(&["ACL", "GETUSER", "app"]).await;
    assert!(account.contains("nopass"), "{account}");
    assert_eq!(
        fixture.value(&Label::Pending).await,
        None,
        "nothing was made"
    );
}

async fn a_disabled_user_is_told_as_one(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    fixture.admin.set_user("app", &["off"]).await;
    let expected = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.rotation(), "second", expected, "disabled")
        .await;
    assert_eq!(fixture.admin.hashes("app").await, [sha256(FIRST)]);
    fixture.admin.set_user("app", &["on"]).await;
    fixture.rotates("second").await;
}

async fn a_user_that_is_not_there_is_told_as_one(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    assert_eq!(fixture.admin.call(&["ACL", "DELUSER", "app"]).await, ":1");
    let expected = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.rotation(), "second", expected, "no user")
        .await;
    let gone = fixture.admin.call(&["ACL", "GETUSER", "app"]).await;
    assert_eq!(gone, "nothing", "no user is made");
}

async fn a_user_that_is_replaced_by_hand_is_refused_at_every_label(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    fixture
        .admin
        .set_user("app", &["resetpass", ">by hand"])
        .await;
    let refused = fixture.rotate(&fixture.rotation(), "second").await;
    assert!(refused.is_err());
    assert_eq!(fixture.admin.hashes("app").await, [sha256("by hand")]);
    assert_eq!(fixture.admin.refused_logins("app").await, 2, "each once");
}

async fn hostile_names_rotate(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder.acl_file()).await;
    let long = "n".repeat(1000);
    for name in [
        "a\"b'c",
        "%s#>!<~&+@",
        "on",
        "ALLKEYS",
        "*",
        "$9",
        "ünï-códe-ключ",
        "\u{1}",
        &long,
    ] {
        fixture.add_user(name).await;
        fixture.rotates("second").await;
        fixture.rotates("third").await;
    }
    assert_eq!(
        fixture.admin.hashes("app").await,
        [sha256(FIRST)],
        "the other user"
    );
}

async fn names_with_spaces_are_refused_before_anything_is_sent(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let before = fixture.admin.call(&["ACL", "LIST"]).await;
    for (version, name) in [
        ("a", "app on"),
        ("b", "app\n"),
        ("c", "app\tallkeys"),
        ("d", "a\0b"),
    ] {
        fixture.put_current(version, &fixture.document(&json!({ "username": name })));
        let refused = fixture
            .rotate(&fixture.rotation(), &format!("{version}-next"))
            .await;
        let refused = refused.expect_err("a fault");
        let source = std::error::Error::source(&refused).expect("a cause");
        assert!(source.to_string().contains("`username`"), "{source}");
    }
    assert_eq!(fixture.admin.call(&["ACL", "LIST"]).await, before);
}

async fn hostile_passwords_rotate(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let printable: String = (' '..='~').collect();
    let long = "p".repeat(8000);
    let passwords = [
        &printable,
        "ключ-пароль-🔑",
        "two\r\nlines\n*1\r\n$4\r\nPING\r\n",
        "\0",
        " ",
        ">x",
        &long,
    ];
    for (number, password) in passwords.into_iter().enumerate() {
        let user = format!("user-{number}");
        fixture.add_user(&user).await;
        let only = format!("#{}", sha256(password));
        fixture.admin.set_user(&user, &["resetpass", &only]).await;
        fixture.put_current("odd", &fixture.document(&json!({ "password": password })));
        fixture.rotates("second").await;
        fixture.rotates("third").await;
        assert_eq!(fixture.admin.hashes(&user).await.len(), 2);
        assert!(fixture.login(password).await.starts_with("-WRONGPASS"));
    }
}

/// Without `masterarn`: a user that may do everything changes itself.
async fn the_default_user_rotates_itself(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    "default".clone_into(&mut fixture.user);
    let own = json!({
        "host": fixture.server.host(), "port": fixture.server.port().to_string(),
        "password": fixture.server.admin_password(),
    });
    let own = secrets_core::document::SecretDocument::from_text(&own.to_string());
    fixture.put_current("own", &own);
    fixture.rotates("second").await;
    fixture.rotates("third").await;
    let first = fixture.server.admin_password();
    assert!(fixture.login(first).await.starts_with("-WRONGPASS"));
}

async fn the_previous_password_is_enough(builder: RedisBuilder) {
    let mut fixture = Fixture::start(builder).await;
    let wrong = fixture.document(&json!({ "password": "never set at the server" }));
    fixture.put_current("wrong", &wrong);
    let rotated = fixture.rotate(&fixture.rotation(), "next").await;
    assert_eq!(rotated.map(|outcomes| outcomes[1]), Ok(Outcome::Set));
    let current = fixture.password(&Label::Current).await;
    assert_eq!(fixture.login(&current).await, "+OK");

    // The same where the user changes itself.
    fixture.admin.set_user("app", &["+acl"]).await;
    let own = json!({ "password": "never set either", "masterarn": null });
    fixture.put_current("wrong again", &fixture.document(&own));
    let rotated = fixture.rotate(&fixture.rotation(), "last").await;
    assert_eq!(rotated.map(|outcomes| outcomes[1]), Ok(Outcome::Set));
}
