//! What an admin needs, and what is said where that is missing.

use harness::ldap::LdapBuilder;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::{
    ACCESS, ADMIN, ADMIN_NAME, APP, FIRST, Fixture, bare, refused_binds, with_admin,
};

/// Those rules, with another one in the place of the one of that number.
fn but(number: usize, rule: &str) -> LdapBuilder {
    let rules = ACCESS.iter().enumerate();
    rules.fold(bare(), |builder, (n, own)| {
        builder.access(if n == number { rule } else { own })
    })
}

/// All tests of this file tree run with this admin; here each of its rights is missing once.
#[tokio::test]
async fn each_right_of_the_admin_is_needed_and_told() {
    let values = ACCESS[0];
    let entry = ACCESS[1];
    let cases = [
        (
            but(0, &values.replace(" write ", " read ")),
            Some("insufficientAccessRights"),
            "userPassword",
        ),
        (
            but(0, &values.replace(" write ", " =wx ")),
            None,
            "userPassword",
        ),
        (
            but(1, &entry.replace(",objectClass", "")),
            Some("noSuchObject"),
            "attrs=entry,objectClass",
        ),
        (
            but(1, &entry.replace("entry,", "")),
            Some("noSuchObject"),
            "attrs=entry,objectClass",
        ),
    ];
    for (builder, code, word) in cases {
        let mut fixture = Fixture::start(builder).await;
        let expected = (Kind::Misconfigured, code);
        let rotation = fixture.rotation();
        fixture.fails(&rotation, "second", expected, word).await;
        assert_eq!(fixture.stored().await, [FIRST]);
    }
}

#[tokio::test]
async fn without_an_admin_an_entry_needs_the_right_to_change_itself() {
    let mut fixture = Fixture::start(with_admin()).await;
    fixture.without_admin();
    let expected = (Kind::Misconfigured, Some("noSuchObject"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "`masterarn`")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);

    let own = bare()
        .access("to attrs=userPassword by self read by anonymous auth")
        .access("to * by self read");
    let mut fixture = Fixture::start(own).await;
    fixture.without_admin();
    let expected = (Kind::Misconfigured, Some("insufficientAccessRights"));
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "by self write")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
}

/// The rules of the documentation for it.
#[tokio::test]
async fn an_entry_needs_to_see_and_to_change_itself_only() {
    let builder = bare()
        .access("to attrs=userPassword by self write by anonymous auth by * none")
        .access("to attrs=entry,objectClass by self read by * none")
        .access("to * by * none");
    let fixture = Fixture::start(builder).await;
    fixture.without_admin();
    fixture.rotates("second").await;
    fixture.rotates("third").await;
}

#[tokio::test]
async fn an_admin_that_cannot_log_in_is_told() {
    let mut fixture = Fixture::start(with_admin()).await;
    let expected = (Kind::Misconfigured, Some("invalidCredentials"));
    let wrong = json!({"username": ADMIN_NAME, "password": "sentinel-wrong"});
    fixture.put_admin("wrong", &wrong);
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "`masterarn`")
        .await;
    assert_eq!(fixture.stored().await, [FIRST]);
    assert_eq!(refused_binds(&fixture.server.log(), ADMIN_NAME), 1);
    let log = fixture.server.log();
    assert!(
        !log.contains(&format!("BIND dn=\"{APP}\"")),
        "asked for nothing else"
    );
}

#[tokio::test]
async fn an_admin_of_another_host_is_refused() {
    let fixture = Fixture::start(with_admin()).await;
    let elsewhere = json!({"username": ADMIN_NAME, "password": ADMIN, "host": "other.example"});
    fixture.put_admin("elsewhere", &elsewhere);
    let expected = (Kind::Misconfigured, None);
    let rotation = fixture.rotation();
    fixture
        .fails(&rotation, "second", expected, "another `host`")
        .await;
    assert!(!fixture.server.log().contains("cn=rotator"));
}

#[tokio::test]
async fn a_server_that_takes_no_changes_is_told() {
    let replica = "olcSyncrepl: rid=001 provider=ldap://127.0.0.1:9 searchbase=\"dc=example,dc=com\" \
                   type=refreshOnly interval=01:00:00:00 retry=\"3600 +\"";
    let cases = [
        (
            with_admin().database("olcReadOnly: TRUE"),
            Kind::Refused,
            "unwillingToPerform",
        ),
        (
            with_admin().database(replica),
            Kind::Refused,
            "unwillingToPerform",
        ),
        (
            with_admin()
                .database(replica)
                .database("olcUpdateRef: ldap://127.0.0.1:9"),
            Kind::Misconfigured,
            "referral",
        ),
    ];
    for (builder, kind, code) in cases {
        let fixture = Fixture::start(builder).await;
        let rotation = fixture.rotation();
        fixture
            .fails(&rotation, "second", (kind, Some(code)), "`host`")
            .await;
        assert_eq!(fixture.login(FIRST).await, 0);
    }
}
