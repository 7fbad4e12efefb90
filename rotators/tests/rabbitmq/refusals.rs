//! What a rotation does not do, and what it says then.

use std::time::Duration;

use harness::rabbitmq::RabbitMqServer;
use rotators::rabbitmq::{AlternatingUsers, PairSettings};
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, Rotator, RotatorErrorKind as Kind};
use secrets_core::store::Label;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::hidden;
use crate::support::{ADMIN, FIRST, Fixture, listing};

const PATIENCE: Duration = Duration::from_secs(10);
const MISCONFIGURED: (Kind, Option<&str>) = (Kind::Misconfigured, None);
const UNAUTHORIZED: (Kind, Option<&str>) = (Kind::Misconfigured, Some("401"));

#[tokio::test]
async fn scenarios() {
    let mut fixture = Fixture::start().await;
    let f = &mut fixture;
    an_admin_is_needed(f).await;
    an_admin_that_may_not_is_named(f).await;
    users_that_the_secret_names_are_never_made(f).await;
    a_pending_version_of_somebody_else_is_refused(f).await;
    a_password_that_nobody_knows_ends_the_rotation(f).await;
    no_login_is_tried_with_a_password_that_is_wrong(f).await;
    a_right_password_that_is_refused_is_no_wrong_one(f).await;
}

async fn an_admin_is_needed(f: &mut Fixture) {
    f.put_current("without", &json!({"masterarn": null}));
    f.fails(&f.alternating(), "2", MISCONFIGURED, "add `masterarn`")
        .await;
    f.fails(&f.single(), "2", MISCONFIGURED, "add `masterarn`")
        .await;
    assert_eq!(f.value(&Label::Pending, "password").await, None);
}

async fn an_admin_that_may_not_is_named(f: &mut Fixture) {
    f.another("buyer").await;
    for (n, (admin, expected, word)) in [
        (
            json!({"username": "rotator", "password": "sentinel"}),
            UNAUTHORIZED,
            "`masterarn`",
        ),
        (
            json!({"username": "nobody", "password": "sentinel"}),
            UNAUTHORIZED,
            "`masterarn`",
        ),
        (
            json!({"username": "weak", "password": ADMIN}),
            UNAUTHORIZED,
            "may not manage users",
        ),
        (
            json!({"username": "none", "password": ADMIN}),
            UNAUTHORIZED,
            "`administrator`",
        ),
        (
            json!({"username": "a:b", "password": ADMIN}),
            MISCONFIGURED,
            "colon",
        ),
        (
            json!({"username": "rotator", "password": ADMIN, "host": "other"}),
            MISCONFIGURED,
            "another `host`",
        ),
        (
            json!({"username": "buyer", "password": FIRST}),
            MISCONFIGURED,
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let weak = json!({"password": ADMIN, "tags": "management,policymaker,monitoring"});
        f.server.put(&["users", "weak"], &weak).await;
        f.server
            .put(&["users", "none"], &json!({"password": ADMIN, "tags": ""}))
            .await;
        let id = format!("arn:admin-{n}");
        f.put_admin(&id, &admin);
        f.put_current(&format!("admin {n}"), &json!({"masterarn": id}));
        if admin["username"] == "buyer" {
            let tags = json!({"password": FIRST, "tags": "administrator"});
            f.server.put(&["users", "buyer"], &tags).await;
            let itself = (Kind::Misconfigured, None);
            f.fails(&f.alternating(), "itself", itself, "one of the two users")
                .await;
            f.put_current("buyer again", &json!({"masterarn": id}));
            f.fails(&f.single(), "single", itself, "the user that rotates")
                .await;
            continue;
        }
        f.fails(&f.alternating(), &format!("version {n}"), expected, word)
            .await;
    }
    assert_eq!(listing(&f.server, "buyer_clone").await, None);
}

async fn users_that_the_secret_names_are_never_made(f: &mut Fixture) {
    f.plain("here").await;
    for (n, (usernames, word)) in [
        (json!(["here", "missing"]), "create it"),
        (json!(["here", "here"]), "`usernames`"),
        (json!(["there", "missing"]), "`usernames`"),
        (json!("here, missing"), "`usernames`"),
    ]
    .into_iter()
    .enumerate()
    {
        f.put_current(&format!("named {n}"), &json!({"usernames": usernames}));
        f.fails(
            &f.alternating(),
            &format!("version {n}"),
            MISCONFIGURED,
            word,
        )
        .await;
    }
    assert_eq!(listing(&f.server, "missing").await, None);
}

async fn a_pending_version_of_somebody_else_is_refused(f: &mut Fixture) {
    f.plain("other").await;
    f.plain("honest").await;
    let before = f.server.get(&["users", "other"]).await;
    let patch = Patch::key("username", "other".into()).and("password", "sentinel".into());
    f.put_pending("2", &patch).await;
    f.server
        .put(
            &["users", "other_clone"],
            &json!({"password": "x", "tags": ""}),
        )
        .await;
    f.fails(&f.alternating(), "2", MISCONFIGURED, "does not take turns")
        .await;
    assert_eq!(f.server.get(&["users", "other"]).await, before);
}

/// Neither label works: nothing is changed.
async fn a_password_that_nobody_knows_ends_the_rotation(f: &mut Fixture) {
    f.plain("lost").await;
    let lost = json!({"password": "somebody else's", "tags": ""});
    f.server.put(&["users", "lost"], &lost).await;
    let before = f.server.get(&["users", "lost"]).await;
    let error = f.rotate(&f.alternating(), "2").await.expect_err("no login");
    assert!(std::error::Error::source(&error).is_none(), "{error:?}");
    hidden::assert_absent(&hidden::shown(&error), FIRST);
    assert_eq!(f.server.get(&["users", "lost"]).await, before);
    assert_eq!(listing(&f.server, "lost_clone").await, None);
}

/// What the broker stores says so.
async fn no_login_is_tried_with_a_password_that_is_wrong(f: &mut Fixture) {
    f.another("counted").await;
    let rotation = f.alternating();
    let refused = "login refused: user 'counted";
    for version in ["2", "3", "4"] {
        f.rotates(&rotation, version).await;
    }
    assert_eq!(f.server.log().matches(refused).count(), 0);
}

/// Of a user in `loopback_users`, or in another of the `auth_backends`, a broker says that the password is
/// wrong. Here the login leads to something that says so of everybody.
async fn a_right_password_that_is_refused_is_no_wrong_one(f: &mut Fixture) {
    f.another("strange").await;
    let rotation = f.alternating();
    f.rotates(&rotation, "2").await;
    let broker = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = broker.local_addr().expect("an address").port();
    let says = tokio::spawn(async move {
        let (mut stream, _) = broker.accept().await.expect("a caller");
        let mut buffer = [0; 1024];
        for answer in [
            &b"\x01\0\0\0\0\0\x13\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\xce"[..],
            b"\x01\0\0\0\0\0\x0b\0\x0a\0\x32\x01\x93\0\0\0\0\0\xce",
        ] {
            assert_ne!(stream.read(&mut buffer).await.expect("a message"), 0);
            stream
                .write_all(answer)
                .await
                .expect("a caller who listens");
        }
    });
    let ports = json!({"ssl": false, "port": port, "management_port": f.server.http_port()});
    let candidate = f.document(&ports);
    let candidate = (&candidate).try_into().expect("a credential");
    let cx = Context::new(f.secret.clone(), "3".into(), Instant::now() + PATIENCE);
    let pair = PairSettings::default();
    let rotator = AlternatingUsers::new(f.store.clone(), f.settings(), pair);
    let fault = rotator.test(&candidate, &cx).await.expect_err("a fault");
    assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("403")));
    assert!(
        fault.to_string().contains("the password is right"),
        "{fault}"
    );
    says.await.expect("both were heard");
}

#[tokio::test]
async fn a_broker_that_takes_no_passwords_is_told_as_that() {
    let builder = RabbitMqServer::builder().setting("auth_mechanisms.1 = AMQPLAIN");
    let f = Fixture::of(builder.start().await).await;
    f.fails(&f.alternating(), "2", (Kind::Refused, None), "PLAIN")
        .await;
    assert_eq!(listing(&f.server, "app_clone").await, None);
}
