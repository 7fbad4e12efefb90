//! What a rotation of a pair does not do, and what it says then.

use harness::mysql::Edition;
use secrets_core::document::Patch;
use secrets_core::event::Step;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::json;

use crate::hidden;
use crate::pair::{ADMIN_OF_PAIRS, HOSTS, Pair, on_both};
use crate::support::{ADMIN, FIRST, account, is_mysql};

on_both![scenarios:
    an_account_for_a_host_of_its_own_is_named,
    users_that_the_secret_names_are_never_made,
    an_admin_with_the_documented_rights,
    an_admin_that_lacks_rights_is_told_which,
    an_admin_that_is_one_of_the_two_is_refused,
    a_pending_version_of_somebody_else_is_refused,
    names_that_are_too_long_are_refused_before_anything_is_made,
    a_right_password_that_is_refused_is_no_wrong_one,
    an_account_that_locks_itself_stays_open,
];

const MISCONFIGURED: (Kind, Option<&str>) = (Kind::Misconfigured, None);

async fn an_account_for_a_host_of_its_own_is_named<E: Edition>(pair: &mut Pair<E>) {
    pair.another("hosts").await;
    let extra = account("hosts_clone", "10.%");
    pair.root(&format!("CREATE USER {extra} IDENTIFIED BY 'sentinel'"))
        .await;
    let rotation = pair.alternating();
    pair.fails(&rotation, "second", MISCONFIGURED, &extra).await;
    let accounts = "SELECT host FROM mysql.user WHERE user = 'hosts_clone'";
    assert_eq!(pair.ask::<String>(accounts).await, ["10.%"]);
    pair.root(&format!("DROP USER {extra}")).await;
    pair.rotate(&rotation, "second").await.expect("a rotation");
    let accounts = "SELECT COUNT(*) FROM mysql.user WHERE user = 'hosts_clone'";
    assert_eq!(pair.ask::<usize>(accounts).await, [HOSTS.len()]);
}

async fn users_that_the_secret_names_are_never_made<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("here", &["GRANT SELECT ON shop.* TO $"]).await;
    for (version, usernames, word) in [
        ("second", json!(["here", "missing"]), "'missing'@'%'"),
        ("third", json!(["here", "here"]), "`usernames`"),
        ("fourth", json!(["there", "missing"]), "`usernames`"),
        ("fifth", json!("here, missing"), "`usernames`"),
    ] {
        let named = json!({"masterarn": "arn:admin", "usernames": usernames});
        pair.put_current(&format!("{version}-named"), &named);
        let rotation = pair.alternating();
        pair.fails(&rotation, version, MISCONFIGURED, word).await;
    }
    let made = "SELECT COUNT(*) FROM mysql.user WHERE user = 'missing'";
    assert_eq!(pair.ask::<usize>(made).await, [0]);
}

async fn an_admin_with_the_documented_rights<E: Edition>(pair: &mut Pair<E>) {
    pair.another_admin("exact", ADMIN_OF_PAIRS.get::<E>()).await;
    for grant in [
        "GRANT SELECT, INSERT ON shop.* TO admin WITH GRANT OPTION",
        "GRANT EXECUTE ON FUNCTION shop.f TO admin WITH GRANT OPTION",
    ] {
        pair.grant_admin("exact", grant).await;
    }
    if !is_mysql::<E>() {
        pair.root("GRANT reader TO exact WITH ADMIN OPTION").await;
    }
    let default = if is_mysql::<E>() { "TO" } else { "FOR" };
    let rights = [
        "GRANT SELECT, INSERT ON shop.* TO $",
        "GRANT EXECUTE ON FUNCTION shop.f TO $",
        "GRANT reader TO $",
        &format!("SET DEFAULT ROLE reader {default} $"),
        "ALTER USER $ WITH MAX_USER_CONNECTIONS 20",
    ];
    pair.plain("shopper", &rights).await;
    pair.put_current("exactly", &json!({"masterarn": "arn:exact"}));
    let rotation = pair.alternating();
    for version in ["second", "third", "fourth"] {
        pair.rotates(&rotation, version).await;
    }
    assert_eq!(
        pair.listing("shopper").await,
        pair.listing("shopper_clone").await
    );
    // And takes away what is too much.
    pair.root("REVOKE INSERT ON shop.* FROM shopper_clone; REVOKE reader FROM shopper_clone")
        .await;
    pair.rotates(&rotation, "fifth").await;
    assert_eq!(
        pair.listing("shopper").await,
        pair.listing("shopper_clone").await
    );
}

async fn an_admin_that_lacks_rights_is_told_which<E: Edition>(pair: &mut Pair<E>) {
    pair.plain(
        "buyer",
        &["GRANT SELECT, INSERT ON shop.* TO $", "GRANT reader TO $"],
    )
    .await;
    pair.another_admin("weak", &[]).await;
    let rotation = pair.alternating();
    pair.put_current("without", &json!({}));
    pair.fails(&rotation, "second", MISCONFIGURED, "add `masterarn`")
        .await;
    pair.put_current("weak", &json!({"masterarn": "arn:weak"}));
    let mut steps = vec![
        (
            "1142",
            "GRANT SELECT ON mysql.* TO the admin",
            "GRANT SELECT ON mysql.* TO admin",
        ),
        (
            "1227",
            "GRANT CREATE USER ON *.* TO the admin",
            "GRANT CREATE USER ON *.* TO admin",
        ),
        (
            "1044",
            "WITH GRANT OPTION",
            "GRANT SELECT, INSERT ON shop.* TO admin WITH GRANT OPTION",
        ),
    ];
    steps.push(if is_mysql::<E>() {
        ("1227", "ROLE_ADMIN", "GRANT ROLE_ADMIN ON *.* TO admin")
    } else {
        (
            "1698",
            "WITH ADMIN OPTION",
            "GRANT reader TO admin WITH ADMIN OPTION",
        )
    });
    for (code, word, cure) in steps {
        let denied = (Kind::Refused, Some(code));
        pair.fails(&rotation, "third", denied, word).await;
        assert_eq!(pair.current_logs_in().await, Ok(()));
        pair.grant_admin("weak", cure).await;
    }
    pair.rotate(&rotation, "third").await.expect("a rotation");
}

async fn an_admin_that_is_one_of_the_two_is_refused<E: Edition>(pair: &mut Pair<E>) {
    "admin".clone_into(&mut pair.0.user);
    pair.0.stored.secret = "arn:admin-itself".into();
    let itself = json!({"masterarn": "arn:admin", "password": ADMIN});
    pair.put_current("first", &itself);
    let rotation = pair.alternating();
    pair.fails(&rotation, "second", MISCONFIGURED, "one of the two users")
        .await;
}

async fn a_pending_version_of_somebody_else_is_refused<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("honest", &[]).await;
    let rotation = pair.alternating();
    let patch = Patch::key("username", "other".into()).and("password", "sentinel".into());
    pair.put_pending("second", &patch).await;
    pair.root("CREATE USER other_clone IDENTIFIED BY 'sentinel-clone'")
        .await;
    let before = pair.listing("other").await;
    pair.fails(&rotation, "second", MISCONFIGURED, "does not take turns")
        .await;
    assert_eq!(pair.listing("other").await, before);
    assert_eq!(pair.log_in("other", "sentinel-other").await, Ok(()));
}

async fn names_that_are_too_long_are_refused_before_anything_is_made<E: Edition>(
    pair: &mut Pair<E>,
) {
    let longest = if is_mysql::<E>() { 32 } else { 128 };
    pair.plain(&"é".repeat(longest - 5), &[]).await;
    let rotation = pair.alternating();
    let limit = format!("{longest} characters");
    pair.fails(&rotation, "second", MISCONFIGURED, &limit).await;
    assert_eq!(pair.value(&Label::Pending, "password").await, None);
    if is_mysql::<E>() {
        let mistaken = json!({"masterarn": "arn:admin", "engine": "mariadb"});
        pair.put_current("mistaken", &mistaken);
        let refused = (Kind::Misconfigured, Some("1470"));
        pair.fails(&rotation, "third", refused, "`engine`").await;
    }
    pair.plain(&"é".repeat(longest - 6), &[]).await;
    pair.rotates(&rotation, "second").await;
}

/// Of a user that has to show a certificate the server says that its password is wrong.
async fn a_right_password_that_is_refused_is_no_wrong_one<E: Edition>(pair: &mut Pair<E>) {
    pair.plain("shows", &[]).await;
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    let right = Patch::key("username", "shows".into()).and("password", FIRST.into());
    pair.put_pending("third", &right).await;
    pair.root("ALTER USER shows REQUIRE X509; ALTER USER shows_clone REQUIRE X509")
        .await;
    let test = pair.send(&rotation, Step::Test, "third").await;
    let shown = hidden::shown(&test.expect_err("refused"));
    assert!(shown.contains("REQUIRE asks for no certificate"), "{shown}");
    hidden::assert_absent(&shown, FIRST);
}

/// Nobody tries a password that the server's tables say is wrong.
async fn an_account_that_locks_itself_stays_open<E: Edition>(pair: &mut Pair<E>) {
    pair.another_admin("limited", ADMIN_OF_PAIRS.get::<E>())
        .await;
    let lock_out = if is_mysql::<E>() {
        "ALTER USER $ FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1"
    } else {
        // It counts for all users.
        "SET GLOBAL max_password_errors = 3"
    };
    pair.plain("locks", &[lock_out]).await;
    pair.put_current("limited", &json!({"masterarn": "arn:limited"}));
    let rotation = pair.alternating();
    pair.rotates(&rotation, "second").await;
    pair.root("GRANT SHUTDOWN ON *.* TO locks_clone").await;
    let denied = (Kind::Refused, Some("1045"));
    for _ in 0..8 {
        pair.fails(&rotation, "third", denied, "WITH GRANT OPTION")
            .await;
    }
    pair.grant_admin(
        "limited",
        "GRANT SHUTDOWN ON *.* TO admin WITH GRANT OPTION",
    )
    .await;
    pair.rotate(&rotation, "third").await.expect("a rotation");
    assert_eq!(pair.current_logs_in().await, Ok(()));
}
