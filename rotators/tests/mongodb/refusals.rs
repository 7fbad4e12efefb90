//! What the server's codes lead to, each at the command at which it may come.

use bson::doc;
use harness::mongodb::Trouble;
use harness::proxy::Fault;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::{ADMIN, DB, FIRST, Stage, add_user, with_admin};

/// The commands of a user that changes itself: the pending password, the current one, and the change.
const FIRST_LOGIN: usize = 2;
const LOOK: usize = 10;
const CHANGE: usize = 11;

#[tokio::test]
async fn codes_are_told_apart() {
    let cases: &[(usize, i32, Kind, &str)] = &[
        // Shutting down, electing, overloaded, at whichever command.
        (FIRST_LOGIN, 11600, Kind::Unreachable, "try again later"),
        (FIRST_LOGIN, 91, Kind::Unreachable, "try again later"),
        (
            FIRST_LOGIN,
            334,
            Kind::Refused,
            "does not log in with a password",
        ),
        (FIRST_LOGIN, 2, Kind::Refused, "refuses the login"),
        (FIRST_LOGIN, 59, Kind::Refused, "refuses the login"),
        (LOOK, 13435, Kind::Unreachable, "no primary"),
        (LOOK, 59, Kind::Refused, "Atlas"),
        (CHANGE, 10107, Kind::Unreachable, "no primary"),
        (CHANGE, 189, Kind::Unreachable, "no primary"),
        (CHANGE, 112, Kind::Unreachable, "try again later"),
        (CHANGE, 8000, Kind::Refused, "Atlas"),
        (CHANGE, 13, Kind::Refused, "changeOwnPassword"),
        (CHANGE, 2, Kind::Refused, "Error Codes"),
        (CHANGE, 0, Kind::Refused, "Error Codes"),
    ];
    for &(command, code, kind, word) in cases {
        let stage = Stage::start(&json!({})).await;
        let fault = Fault::Before(Trouble::Refuse(code));
        stage.server.fault_at(command, fault);
        let expected = code.to_string();
        let expected = (kind, Some(expected.as_str()));
        stage.fails(&stage.single(), "second", expected, word).await;
        assert!(stage.server.knows(DB, "app", FIRST), "{command} {code}");
        stage.server.reset();
        stage.rotates(&stage.single(), "second").await;
    }
}

/// The change is made, and may be taken back: it counts once a later try sees that it has stayed.
#[tokio::test]
async fn a_change_that_is_not_everywhere_is_no_success() {
    let stage = Stage::start(&json!({})).await;
    let answer = doc! {
        "ok": 1.0,
        "writeConcernError": {"code": 64, "codeName": "WriteConcernTimeout", "errmsg": "sentinel"},
    };
    let fault = Fault::After(Trouble::Answer(answer));
    stage.server.fault_at(CHANGE, fault);
    let unreachable = (Kind::Unreachable, Some("64"));
    stage
        .fails(&stage.single(), "second", unreachable, "majority")
        .await;
    stage.server.reset();
    stage.rotates(&stage.single(), "second").await;
    assert!(stage.work().is_empty(), "it was set already");
}

#[tokio::test]
async fn wrong_passwords_end_the_rotation_after_one_try_each() {
    let stage = Stage::start(&json!({"password": "sentinel-of-nobody"})).await;
    let error = stage
        .rotate(&stage.single(), "second")
        .await
        .expect_err("no login");
    assert!(std::error::Error::source(&error).is_none(), "{error}");
    assert_eq!(stage.server.logins(), (0, 2));
    assert!(stage.work().is_empty());

    // A user that does not exist is told no differently.
    let stage = Stage::start(&json!({"username": "nobody"})).await;
    stage
        .rotate(&stage.single(), "second")
        .await
        .expect_err("no login");
    assert_eq!(stage.server.logins(), (0, 2));
}

#[tokio::test]
async fn a_user_without_a_password_is_not_given_one() {
    let stage = Stage::start(&json!({})).await;
    stage.server.keep_mechanisms(DB, "app", &[]);
    let refused = (Kind::Refused, None);
    let word = "does not log in with a password";
    stage.fails(&stage.single(), "second", refused, word).await;
    assert_eq!(stage.server.logins(), (0, 0));
}

#[tokio::test]
async fn the_admins_secret_is_named_where_it_is_wrong() {
    for (wrong, code, word) in [
        (
            json!({"password": "sentinel-x"}),
            Some("18"),
            "admin's password",
        ),
        (
            json!({"authSource": DB}),
            Some("18"),
            "`authentication_database`",
        ),
        (json!({"authSource": "$external"}), None, "`masterarn`"),
        (json!({"host": "another"}), None, "another `host`"),
        // A server of somebody else's could pass on what the admin says to the real one.
        (json!({"host": null}), None, "has no `host`"),
        (json!({"engine": "mysql"}), None, "`masterarn`"),
    ] {
        let stage = Stage::start(&with_admin()).await;
        let mut admin = json!({"host": "127.0.0.1", "username": "rotator", "password": ADMIN});
        for (key, value) in wrong.as_object().expect("an object") {
            admin[key] = value.clone();
        }
        crate::support::put(&stage.store, "arn:admin", "wrong", &admin);
        let expected = (Kind::Misconfigured, code);
        stage.fails(&stage.single(), "second", expected, word).await;
        assert!(stage.server.knows(DB, "app", FIRST));
    }
}

#[tokio::test]
async fn what_a_pair_lacks_is_named() {
    // The user in use was dropped; its password was taken from the admin's eyes.
    let stage = Stage::start(&with_admin()).await;
    stage.rotates(&stage.pair(), "second").await;
    stage.server.drop_user(DB, "app_clone");
    let error = stage
        .rotate(&stage.pair(), "third")
        .await
        .expect_err("no user");
    assert!(error.to_string().contains("third") || !error.to_string().is_empty());
    add_user(&stage.server, "app_clone");

    // A role of the first user was dropped at the server and stayed with the user.
    let stage = Stage::start(&with_admin()).await;
    stage.server.drop_role(DB, "itself");
    let refused = (Kind::Refused, Some("31"));
    stage
        .fails(&stage.pair(), "second", refused, "revoke it")
        .await;

    // Somebody else was faster.
    for (code, command) in [(51003, "createUser"), (11, "updateUser")] {
        let stage = Stage::start(&with_admin()).await;
        stage.rotates(&stage.pair(), "second").await;
        let commands = stage.server.commands();
        let at = commands.iter().position(|it| it.contains_key(command));
        let stage = Stage::start(&with_admin()).await;
        let fault = Fault::Before(Trouble::Refuse(code));
        stage.server.fault_at(at.expect("it was sent") + 1, fault);
        let code = code.to_string();
        let expected = (Kind::Unreachable, Some(code.as_str()));
        stage
            .fails(&stage.pair(), "second", expected, "somebody else")
            .await;
    }
}
