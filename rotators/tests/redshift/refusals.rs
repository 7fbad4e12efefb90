//! Pairs that are not made, and who must act.

use harness::redshift::{Fault, RedshiftFake, StoredAs, When};
use rotators::redshift::{AlternatingUsers, PairSettings};
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::{Value, json};

use crate::support::{ADMIN, Fixture, settings};

async fn pair() -> Fixture {
    Fixture::start("app", StoredAs::Md5).await
}

fn nothing_was_made(fixture: &Fixture) {
    assert!(!fixture.fake.has_user("app_clone"));
}

#[tokio::test]
async fn an_admin_who_is_no_superuser_is_refused_in_advance() {
    let fixture = pair().await;
    fixture.fake.run("ALTER USER manager NOCREATEUSER");
    fixture.fake.let_alter_users("manager");
    let refused = (Kind::Refused, None);
    fixture
        .fails(&fixture.pair(), "second", refused, "is no superuser")
        .await;
    nothing_was_made(&fixture);
    assert!(fixture.changes().is_empty());
}

#[tokio::test]
async fn an_admin_is_needed_and_is_not_of_the_pair() {
    let fixture = pair().await;
    fixture.put_current("alone", &json!({"masterarn": Value::Null}));
    let missing = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.pair(), "second", missing, "add `masterarn`")
        .await;

    let fixture = pair().await;
    let own = json!({"username": "app", "password": crate::support::FIRST});
    fixture.put("arn:own", "first", &own);
    fixture.put_current("own", &json!({"masterarn": "arn:own"}));
    fixture.fake.run("ALTER USER app CREATEUSER");
    let own = (Kind::Refused, None);
    fixture
        .fails(&fixture.pair(), "second", own, "one of the two users")
        .await;
    nothing_was_made(&fixture);

    let fixture = pair().await;
    let wrong = json!({"username": "manager", "password": "Sentinel-old-1"});
    fixture.put("arn:wrong", "first", &wrong);
    fixture.put_current("wrong", &json!({"masterarn": "arn:wrong"}));
    let wrong = (Kind::Misconfigured, Some("28000"));
    fixture
        .fails(&fixture.pair(), "second", wrong, "the admin's password")
        .await;

    let fixture = pair().await;
    let other = json!({"username": "manager", "password": ADMIN, "host": "elsewhere"});
    fixture.put("arn:other", "first", &other);
    fixture.put_current("other", &json!({"masterarn": "arn:other"}));
    let other = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.pair(), "second", other, "another `host`")
        .await;
}

type UnknownRight = (
    &'static str,
    Vec<(&'static str, &'static str)>,
    &'static str,
);

fn right(
    view: &'static str,
    columns: &[(&'static str, &'static str)],
    word: &'static str,
) -> UnknownRight {
    let who = [("identity_type", "user"), ("identity_name", "app")];
    (view, [&who, columns].concat(), word)
}

#[tokio::test]
async fn a_right_that_is_not_known_is_named_and_never_dropped() {
    for (view, columns, word) in [
        right(
            "svv_relation_privileges",
            &[
                ("namespace_name", "s"),
                ("relation_name", "t"),
                ("privilege_type", "MAGIC"),
            ],
            "tables: MAGIC",
        ),
        right(
            "svv_schema_privileges",
            &[
                ("namespace_name", "s"),
                ("privilege_scope", "MODELS"),
                ("privilege_type", "EXECUTE"),
            ],
            "schemas: MODELS",
        ),
        right(
            "svv_system_privileges",
            &[("system_privilege", "FLY")],
            "system permissions: FLY",
        ),
        right(
            "svv_function_privileges",
            &[
                ("namespace_name", "s"),
                ("function_name", "gone"),
                ("argument_types", ""),
                ("privilege_type", "EXECUTE"),
            ],
            "functions and procedures: EXECUTE",
        ),
        right(
            "svv_language_privileges",
            &[("language_name", "l"), ("privilege_type", "'; DROP")],
            "of a kind that cannot be shown",
        ),
    ] {
        let fixture = pair().await;
        fixture.fake.put_right(view, &columns);
        let unknown = (Kind::Misconfigured, None);
        fixture
            .fails(&fixture.pair(), "second", unknown, word)
            .await;
        nothing_was_made(&fixture);
    }
}

#[tokio::test]
async fn policies_are_compared_and_not_copied() {
    for (view, columns) in [
        (
            "svv_rls_attached_policy",
            &[
                ("relschema", "s"),
                ("relname", "t"),
                ("polname", "p"),
                ("grantee", "app"),
                ("granteekind", "user"),
            ][..],
        ),
        (
            "svv_attached_masking_policy",
            &[
                ("policy_name", "p"),
                ("schema_name", "s"),
                ("table_name", "t"),
                ("grantee", "app"),
                ("grantee_type", "user"),
                ("priority", "1"),
                ("input_columns", "[]"),
                ("output_columns", "[]"),
            ],
        ),
    ] {
        let fixture = pair().await;
        fixture.fake.put_right(view, columns);
        let differs = (Kind::Misconfigured, None);
        fixture
            .fails(&fixture.pair(), "second", differs, "masking policies")
            .await;
        nothing_was_made(&fixture);
    }
}

#[tokio::test]
async fn a_step_that_is_refused_takes_all_back() {
    for (beginning, code, kind) in [
        ("CREATE USER", "42710", Kind::Unreachable),
        ("CREATE USER", "25006", Kind::Misconfigured),
        ("ALTER GROUP", "42501", Kind::Refused),
        ("ALTER GROUP", "42601", Kind::Refused),
        ("ALTER GROUP", "57014", Kind::Unreachable),
        (
            "SELECT identity_name, namespace_name, relation_name, privilege_type",
            "42501",
            Kind::Refused,
        ),
        ("ALTER USER", "42501", Kind::Refused),
        ("COMMIT", "40001", Kind::Unreachable),
    ] {
        let fixture = pair().await;
        fixture
            .fake
            .run("CREATE GROUP g\nALTER GROUP g ADD USER app");
        fixture
            .fake
            .plan(beginning, 0, Fault::Refuse(code), When::Before);
        fixture
            .fails(&fixture.pair(), "second", (kind, Some(code)), "")
            .await;
        nothing_was_made(&fixture);
        fixture.rotates(&fixture.pair(), "second").await;
    }
}

#[tokio::test]
async fn a_pending_user_of_somebody_else_is_not_touched() {
    let fixture = pair().await;
    fixture
        .fake
        .put_user("victim", "Sentinel-Victim-1", StoredAs::Md5);
    fixture
        .put_pending("second", "victim", "Sentinel-New-1")
        .await;
    let other = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.pair(), "second", other, "take turns")
        .await;
    assert!(fixture.fake.takes("victim", "Sentinel-Victim-1"));
}

#[tokio::test]
async fn a_name_that_would_be_cut_off_is_refused() {
    let long = "a".repeat(122);
    let fixture = Fixture::start(&long, StoredAs::Md5).await;
    let too_long = (Kind::Misconfigured, None);
    fixture
        .fails(&fixture.pair(), "second", too_long, "127 bytes")
        .await;
    let suffix = PairSettings::with_suffix("_b").expect("a suffix");
    let rotator = AlternatingUsers::new(fixture.store.clone(), settings(), suffix);
    let (user, _) = fixture.rotates(&fixture.over(rotator), "second").await;
    assert_eq!(user, format!("{long}_b"));
}

#[tokio::test]
async fn what_the_fake_does_not_know_fails_a_test() {
    let fake = RedshiftFake::start().await;
    fake.put_user("app", crate::support::FIRST, StoredAs::Md5);
    let mut config = tokio_postgres::Config::new();
    config
        .host(fake.host())
        .port(fake.port())
        .user("app")
        .dbname("dev");
    config.password(crate::support::FIRST);
    let (client, connection) = config
        .connect(tokio_postgres::NoTls)
        .await
        .expect("a login");
    tokio::spawn(connection);
    for unknown in ["VACUUM", "SELECT 2", "GRANT MAGIC", "SELECT 1; SELECT 1"] {
        let fault = client.simple_query(unknown).await.expect_err(unknown);
        assert_eq!(fault.code().expect("a code").code(), "0A000", "{unknown}");
    }
    assert_eq!(fake.unknown().len(), 4);
}
