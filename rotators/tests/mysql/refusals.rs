//! What stands in the way: each fault is named, loses nothing, and once it is gone the rotation goes on.

use std::time::Duration;

use harness::mysql::{Edition, MySql, Server};
use harness::proxy::{Fault, TcpAction, TcpMode, TcpProxy};
use rotators::mysql::{CaCertificates, OldPassword, SingleUser};
use secrets_core::event::Step;
use secrets_core::rotation::{Reason, Rotation};
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::{FIRST, Fixture, is_mysql, literal, on_both};

on_both![
    a_locked_account,
    an_expired_password,
    no_connection_left,
    a_wrong_database,
    a_server_that_is_down,
    a_server_that_stays_silent,
    a_server_that_goes_silent,
    a_certificate_of_a_stranger,
    a_certificate_of_another_name,
    a_server_without_tls,
    credentials_that_nobody_takes,
    plaintext_where_the_secret_says_so,
];

/// What the user or, on `MariaDB`, its admin rotates by.
async fn start<E: Edition>() -> (Fixture<E>, crate::support::Single) {
    let fixture = Fixture::<E>::start().await;
    if !is_mysql::<E>() {
        fixture.with_admin().await;
    }
    let rotation = fixture.single(OldPassword::default());
    (fixture, rotation)
}

async fn a_locked_account<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    fixture.root("ALTER USER app ACCOUNT LOCK").await;
    let code = if is_mysql::<E>() { "3118" } else { "4151" };
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Refused, Some(code)),
            "ACCOUNT UNLOCK",
        )
        .await;
    fixture.root("ALTER USER app ACCOUNT UNLOCK").await;
    fixture.rotates(&rotation, "second").await;
}

async fn an_expired_password<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    fixture.root("ALTER USER app PASSWORD EXPIRE").await;
    if !is_mysql::<E>() {
        fixture
            .root("SET GLOBAL disconnect_on_expired_password = ON")
            .await;
    }
    let fault = (
        Kind::Refused,
        Some(if is_mysql::<E>() { "1862" } else { "1862" }),
    );
    fixture
        .fails(&rotation, "second", fault, "has expired")
        .await;
    fixture
        .root(&format!("ALTER USER app IDENTIFIED BY {}", literal(FIRST)))
        .await;
    fixture.rotates(&rotation, "second").await;
}

async fn no_connection_left<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    fixture
        .root("ALTER USER app WITH MAX_USER_CONNECTIONS 1")
        .await;
    let held = fixture.connect("app", FIRST).await.expect("a session");
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Unreachable, Some("1226")),
            "max_connections",
        )
        .await;
    held.disconnect().await.expect("the end of a session");
    fixture
        .root("ALTER USER app WITH MAX_USER_CONNECTIONS 20")
        .await;
    fixture.rotates(&rotation, "second").await;
}

async fn a_wrong_database<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    let admin = if is_mysql::<E>() {
        json!(null)
    } else {
        json!("arn:admin")
    };
    fixture.put_current(
        "nowhere",
        &json!({"dbname": "no`where", "masterarn": admin}),
    );
    // A server tells those who may not see a database nothing of it.
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Refused, Some("1044")),
            "`dbname`",
        )
        .await;
    fixture.root("CREATE DATABASE `no``where`").await;
    fixture.root("GRANT SELECT ON `no``where`.* TO app").await;
    fixture.rotates(&rotation, "second").await;
}

async fn a_server_that_is_down<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    fixture.server.stop().await;
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Unreachable, None),
            "no way to 127.0.0.1",
        )
        .await;
    fixture.server.start_again().await;
    fixture.rotates(&rotation, "second").await;
}

/// Silent after so many messages of the client; zero: from the beginning.
async fn silent<E: Edition>(messages: usize) -> bool {
    let (fixture, _) = start::<E>().await;
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    let admin = if is_mysql::<E>() {
        json!(null)
    } else {
        json!("arn:admin")
    };
    fixture.put_current(
        "proxied",
        &json!({"port": proxy.port(), "masterarn": admin}),
    );
    let mut settings = fixture.settings();
    settings.timeouts.login = Duration::from_millis(700);
    settings.timeouts.statement = Duration::from_millis(700);
    let rotator = SingleUser::new(fixture.store.clone(), settings, OldPassword::default());
    let rotation = Rotation::new(fixture.store.clone(), rotator);
    if messages == 0 {
        proxy.set_mode(TcpMode::Silent).await;
    } else {
        proxy.fault_at(messages, Fault::Before(TcpAction::Hang));
    }
    let begun = fixture
        .store
        .begin_rotation(&fixture.secret, &"second".into());
    begun.expect("no other rotation");
    fixture
        .send(&rotation, Step::Create, "second")
        .await
        .expect("a value");
    let set = fixture.send(&rotation, Step::Set, "second").await;
    let struck = messages == 0 || proxy.chunks() >= messages;
    if let Err(fault) = set {
        let Reason::Rotator(fault) = fault.reason else {
            panic!("{fault:?}");
        };
        assert_eq!(fault.kind(), Kind::Unreachable, "{fault}");
        assert!(fault.to_string().contains("in time"), "{fault}");
    }
    assert_eq!(fixture.current_logs_in().await, Ok(()));
    proxy.set_mode(TcpMode::Forward).await;
    proxy.clear_faults();
    fixture.rotates(&rotation, "second").await;
    struck
}

async fn a_server_that_stays_silent<E: Edition>() {
    assert!(silent::<E>(0).await);
}

async fn a_server_that_goes_silent<E: Edition>() {
    for messages in 1..12 {
        assert!(
            silent::<E>(messages).await,
            "fewer than {messages} messages"
        );
    }
}

async fn a_certificate_of_a_stranger<E: Edition>() {
    let (fixture, _) = start::<E>().await;
    let stranger = harness::tls::TestCa::generate().pem();
    let built_in = fixture.document(&json!({}));
    assert!(built_in.text("ca_certificate").is_err());
    for ca in [
        None,
        Some(CaCertificates::from_pem(&stranger).expect("an authority")),
    ] {
        let mut settings = fixture.settings();
        settings.ca_certificate = ca;
        let rotator = SingleUser::new(fixture.store.clone(), settings, OldPassword::default());
        let rotation = Rotation::new(fixture.store.clone(), rotator);
        fixture
            .fails(&rotation, "second", (Kind::Tls, None), "`ca_certificate`")
            .await;
    }
    let rotation = fixture.single(OldPassword::default());
    fixture.rotates(&rotation, "second").await;
}

async fn a_certificate_of_another_name<E: Edition>() {
    let builder = Server::<E>::builder().server_names(&["db.internal"]);
    let fixture = Fixture::<E>::start_with(builder).await;
    if !is_mysql::<E>() {
        fixture.with_admin().await;
    }
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(&rotation, "second", (Kind::Tls, None), "`tls_server_name`")
        .await;
    let admin = if is_mysql::<E>() {
        json!(null)
    } else {
        json!("arn:admin")
    };
    let named = json!({"tls_server_name": "db.internal", "masterarn": admin});
    fixture.put_current("named", &named);
    fixture.rotates(&rotation, "third").await;
}

async fn a_server_without_tls<E: Edition>() {
    let builder = Server::<E>::builder().without_tls();
    let fixture = Fixture::<E>::start_with(builder).await;
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(&rotation, "second", (Kind::Tls, None), "`\"ssl\": false`")
        .await;
}

async fn plaintext_where_the_secret_says_so<E: Edition>() {
    let builder = Server::<E>::builder().without_tls();
    let fixture = Fixture::<E>::start_with(builder).await;
    let admin = if is_mysql::<E>() {
        json!(null)
    } else {
        json!("arn:admin")
    };
    fixture
        .add_admin(crate::support::ADMIN_OF_ONE.get::<E>())
        .await;
    fixture.put_current("plain", &json!({"ssl": "false", "masterarn": admin}));
    let rotation = fixture.single(OldPassword::default());
    fixture.rotates(&rotation, "second").await;
    assert_eq!(
        fixture
            .label_logs_in(&secrets_core::store::Label::Previous)
            .await,
        Ok(())
    );
}

async fn credentials_that_nobody_takes<E: Edition>() {
    let (fixture, rotation) = start::<E>().await;
    fixture
        .root("ALTER USER app IDENTIFIED BY 'known to nobody'")
        .await;
    let error = fixture
        .rotate(&rotation, "second")
        .await
        .expect_err("all are wrong");
    assert_eq!(error.reason, Reason::NoneAccepted);
    fixture
        .root(&format!("ALTER USER app IDENTIFIED BY {}", literal(FIRST)))
        .await;
    fixture.rotates(&rotation, "second").await;
}

#[tokio::test]
async fn an_account_that_the_server_has_locked() {
    let fixture = Fixture::<MySql>::start().await;
    fixture
        .root("ALTER USER app FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME UNBOUNDED")
        .await;
    for _ in 0..2 {
        assert!(fixture.log_in("app", "wrong").await.is_err());
    }
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Refused, Some("3955")),
            "ACCOUNT UNLOCK",
        )
        .await;
    fixture.root("ALTER USER app ACCOUNT UNLOCK").await;
    fixture.rotates(&rotation, "second").await;
}

/// Its own value is refused for good; the next rotation makes another.
#[tokio::test]
async fn a_password_that_the_servers_rules_forbid() {
    let fixture = Fixture::<MySql>::start().await;
    fixture
        .root("INSTALL COMPONENT 'file://component_validate_password'")
        .await;
    fixture
        .root("SET GLOBAL validate_password.length = 64")
        .await;
    let rotation = fixture.single(OldPassword::default());
    let fault = (Kind::RejectedByTarget, Some("1819"));
    fixture
        .fails(&rotation, "second", fault, "validate_password")
        .await;
    let pending = fixture
        .value(&secrets_core::store::Label::Pending, "password")
        .await;
    assert_eq!(pending, None, "the value was dropped");
    fixture
        .root("SET GLOBAL validate_password.length = 8")
        .await;
    fixture.rotates(&rotation, "third").await;
}

#[tokio::test]
async fn a_replica_is_named() {
    let fixture = Fixture::<MySql>::start().await;
    fixture.with_admin().await;
    fixture.root("SET GLOBAL read_only = ON").await;
    let rotation = fixture.single(OldPassword::default());
    fixture
        .fails(
            &rotation,
            "second",
            (Kind::Misconfigured, Some("1290")),
            "primary",
        )
        .await;
    fixture.root("SET GLOBAL read_only = OFF").await;
    fixture.rotates(&rotation, "second").await;
}

#[tokio::test]
async fn an_admin_without_rights_is_told_which() {
    let fixture = Fixture::<MySql>::start().await;
    fixture.add_admin(&[]).await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = fixture.single(OldPassword::default());
    let (denied, grants) = ((Kind::Refused, Some("1142")), crate::support::ADMIN_OF_ONE);
    let [create, select] = grants.get::<MySql>() else {
        panic!("two grants");
    };
    fixture.fails(&rotation, "second", denied, select).await;
    fixture.root(select).await;
    let denied = (Kind::Refused, Some("1227"));
    fixture.fails(&rotation, "second", denied, create).await;
    fixture.root(create).await;
    fixture.rotates(&rotation, "second").await;
}
