//! What stands in the way: each fault is named, loses nothing, and once it is gone the rotation goes on.

use std::time::Duration;

use harness::mysql::{Edition, MySql, Server};
use harness::proxy::{Fault, TcpAction, TcpMode, TcpProxy};
use rotators::mysql::{CaCertificates, OldPassword, SingleUser};
use secrets_core::event::Step;
use secrets_core::rotation::{Reason, Rotation};
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::support::{
    ADMIN_OF_ONE, FIRST, Fixture, Single, is_mysql, literal, on_both, on_one_of_each,
};

on_one_of_each![of_the_user:
    a_locked_account,
    an_expired_password,
    no_connection_left,
    a_wrong_database,
    credentials_that_nobody_takes,
    an_account_that_the_server_has_locked,
    an_admin_without_rights_is_told_which,
    a_replica_is_named,
];
on_one_of_each![of_the_network:
    a_server_that_stays_silent,
    a_server_that_goes_silent,
    a_certificate_of_a_stranger,
    a_certificate_of_another_name,
    a_server_that_is_down,
];
on_both![a_server_without_tls];

/// The admin's secret, where only an admin can keep the old password.
fn masterarn<E: Edition>() -> Value {
    if is_mysql::<E>() {
        Value::Null
    } else {
        json!("arn:admin")
    }
}

/// What the user or, on `MariaDB`, its admin rotates by.
async fn usual<E: Edition>(fixture: &Fixture<E>) -> Single {
    if !is_mysql::<E>() {
        fixture.with_admin().await;
    }
    fixture.single(OldPassword::default())
}

async fn a_locked_account<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
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

/// `MySQL` refuses the login, `MariaDB` by default the first statement.
async fn an_expired_password<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
    fixture.root("ALTER USER app PASSWORD EXPIRE").await;
    let code = if is_mysql::<E>() { "1862" } else { "1820" };
    let fault = (Kind::Refused, Some(code));
    fixture
        .fails(&rotation, "second", fault, "has expired")
        .await;
    fixture
        .root(&format!("ALTER USER app IDENTIFIED BY {}", literal(FIRST)))
        .await;
    fixture.rotates(&rotation, "second").await;
}

async fn no_connection_left<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
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

async fn a_wrong_database<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
    fixture.put_current(
        "nowhere",
        &json!({"dbname": "no`where", "masterarn": masterarn::<E>()}),
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

async fn a_server_that_is_down<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
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

/// Silent after so many messages of the client; zero: from the beginning. The next try heals it.
async fn silent<E: Edition>(fixture: &mut Fixture<E>, messages: usize) -> bool {
    let rotation = usual(fixture).await;
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    fixture.put_current(
        "proxied",
        &json!({"port": proxy.port(), "masterarn": masterarn::<E>()}),
    );
    let mut settings = fixture.settings();
    settings.timeouts.login = Duration::from_millis(500);
    settings.timeouts.statement = Duration::from_millis(500);
    let rotator = SingleUser::new(fixture.store.clone(), settings, OldPassword::default());
    let impatient = Rotation::new(fixture.store.clone(), rotator);
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
        .send(&impatient, Step::Create, "second")
        .await
        .expect("a value");
    let set = fixture.send(&impatient, Step::Set, "second").await;
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

async fn a_server_that_stays_silent<E: Edition>(fixture: &mut Fixture<E>) {
    assert!(silent(fixture, 0).await);
}

async fn a_server_that_goes_silent<E: Edition>(fixture: &mut Fixture<E>) {
    for messages in 1..12 {
        let fixture = fixture.renewed("goes silent").await;
        assert!(
            silent(fixture, messages).await,
            "fewer than {messages} messages"
        );
    }
}

async fn a_certificate_of_a_stranger<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
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
        let mistrustful = Rotation::new(fixture.store.clone(), rotator);
        let fault = (Kind::Tls, None);
        fixture
            .fails(&mistrustful, "second", fault, "`ca_certificate`")
            .await;
    }
    fixture.rotates(&rotation, "second").await;
}

async fn a_certificate_of_another_name<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
    let masterarn = masterarn::<E>();
    let other = json!({"tls_server_name": "db.internal", "masterarn": masterarn});
    fixture.put_current("other", &other);
    fixture
        .fails(&rotation, "second", (Kind::Tls, None), "`tls_server_name`")
        .await;
    let named = json!({"tls_server_name": "localhost", "masterarn": masterarn});
    fixture.put_current("named", &named);
    fixture.rotates(&rotation, "third").await;
}

async fn a_server_without_tls<E: Edition>() {
    let builder = Server::<E>::builder().without_tls();
    let fixture = Fixture::<E>::start_with(builder).await;
    let rotation = usual(&fixture).await;
    fixture
        .fails(&rotation, "second", (Kind::Tls, None), "`\"ssl\": false`")
        .await;
    // Passwords go unprotected only where the secret itself says so.
    let plain = json!({"ssl": "false", "masterarn": masterarn::<E>()});
    fixture.put_current("plain", &plain);
    fixture.rotates(&rotation, "third").await;
    assert_eq!(fixture.label_logs_in(&Label::Previous).await, Ok(()));
}

async fn credentials_that_nobody_takes<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
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

async fn an_account_that_the_server_has_locked<E: Edition>(fixture: &mut Fixture<E>) {
    let rotation = usual(fixture).await;
    let (lock, unlock, code) = if is_mysql::<E>() {
        let lock = "ALTER USER app FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME UNBOUNDED";
        (lock, "ALTER USER app ACCOUNT UNLOCK", "3955")
    } else {
        let lock = "SET GLOBAL max_password_errors = 2";
        (lock, "FLUSH PRIVILEGES", "4150")
    };
    fixture.root(lock).await;
    for _ in 0..2 {
        assert!(fixture.log_in("app", "wrong").await.is_err());
    }
    let fault = (Kind::Refused, Some(code));
    let said = unlock.trim_start_matches("ALTER USER app ");
    fixture.fails(&rotation, "second", fault, said).await;
    fixture.root(unlock).await;
    fixture.rotates(&rotation, "second").await;
    if !is_mysql::<E>() {
        fixture
            .root("SET GLOBAL max_password_errors = DEFAULT")
            .await;
    }
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
    let pending = fixture.value(&Label::Pending, "password").await;
    assert_eq!(pending, None, "the value was dropped");
    fixture
        .root("SET GLOBAL validate_password.length = 8")
        .await;
    fixture.rotates(&rotation, "third").await;
}

async fn a_replica_is_named<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.with_admin().await;
    fixture.root("SET GLOBAL read_only = ON").await;
    let rotation = fixture.single(OldPassword::default());
    let fault = (Kind::Misconfigured, Some("1290"));
    fixture.fails(&rotation, "second", fault, "primary").await;
    fixture.root("SET GLOBAL read_only = OFF").await;
    fixture.rotates(&rotation, "second").await;
}

/// With each right that it lacks in turn; with what the documentation says, and no more, it does its work.
async fn an_admin_without_rights_is_told_which<E: Edition>(fixture: &mut Fixture<E>) {
    fixture.add_admin(&[]).await;
    fixture.put_current("with-admin", &json!({"masterarn": "arn:admin"}));
    let rotation = fixture.single(OldPassword::default());
    let [create, select] = ADMIN_OF_ONE.get::<E>() else {
        panic!("two grants");
    };
    for (code, grant) in [("1142", select), ("1227", create)] {
        let denied = (Kind::Refused, Some(code));
        let said = grant.strip_suffix("admin").expect("a grant to it");
        fixture.fails(&rotation, "second", denied, said).await;
        fixture.root(grant).await;
    }
    fixture.rotates(&rotation, "second").await;
}
