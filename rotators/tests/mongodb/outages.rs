//! Servers that do not answer, answer with something else, or cannot prove who they are.

use std::time::Duration;

use harness::mongodb::{FakeMongo, Trouble};
use harness::proxy::{Fault, TcpMode, TcpProxy};
use harness::tls::TestCa;
use rotators::mongodb::SingleUser;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::RotatorErrorKind as Kind;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;

use crate::impostor;
use crate::support::{DB, FIRST, Stage};

const UNREACHABLE: (Kind, Option<&str>) = (Kind::Unreachable, None);
const MISCONFIGURED: (Kind, Option<&str>) = (Kind::Misconfigured, None);
const TLS: (Kind, Option<&str>) = (Kind::Tls, None);

/// Waits for a moment only.
fn impatient(stage: &Stage) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
    let mut settings = stage.settings();
    settings.timeouts.login = Duration::from_millis(700);
    settings.timeouts.statement = Duration::from_millis(700);
    let rotator = SingleUser::new(stage.store.clone(), settings);
    Rotation::new(stage.store.clone(), rotator)
}

#[tokio::test]
async fn a_command_without_an_answer_ends_in_time() {
    for command in [1, 2, 3, 10, 11] {
        let stage = Stage::start(&json!({})).await;
        stage.server.fault_at(command, Fault::Before(Trouble::Hang));
        let rotation = impatient(&stage);
        stage
            .fails(&rotation, "second", UNREACHABLE, "in time")
            .await;
        assert!(stage.server.knows(DB, "app", FIRST));
        stage.server.reset();
        stage.rotates(&stage.single(), "second").await;
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_no_refusal() {
    for command in [1, 2, 3, 10, 11] {
        let stage = Stage::start(&json!({})).await;
        stage.server.fault_at(command, Fault::Before(Trouble::Drop));
        let rotation = stage.single();
        stage
            .fails(&rotation, "second", UNREACHABLE, "closed the connection")
            .await;
        assert!(stage.server.knows(DB, "app", FIRST));
    }
}

#[tokio::test]
async fn a_server_out_of_reach_is_no_refusal() {
    let stage = Stage::start(&json!({})).await;
    let proxy = TcpProxy::start(stage.server.host(), stage.server.port()).await;
    stage.put("through a proxy", &json!({"port": proxy.port()}));
    proxy.set_mode(TcpMode::Refuse).await;
    stage
        .fails(
            &stage.single(),
            "second",
            UNREACHABLE,
            "refuses connections",
        )
        .await;
    proxy.set_mode(TcpMode::Silent).await;
    stage
        .fails(
            &impatient(&stage),
            "second",
            UNREACHABLE,
            "did not answer to TLS",
        )
        .await;
    stage.put("no such host", &json!({"host": "no-such-host.invalid"}));
    let word = "has no address";
    stage
        .fails(&stage.single(), "third", UNREACHABLE, word)
        .await;
    assert_eq!(stage.server.commands().len(), 0);
}

#[tokio::test]
async fn what_is_no_mongodb_is_not_asked_again() {
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec();
    for bytes in [http, vec![0; 64]] {
        let stage = Stage::start(&json!({})).await;
        stage
            .server
            .fault_at(1, Fault::Before(Trouble::Bytes(bytes)));
        let word = "does not speak the protocol";
        stage
            .fails(&stage.single(), "second", MISCONFIGURED, word)
            .await;
        assert_eq!(stage.server.commands().len(), 1);
    }
    let stage = Stage::start(&json!({})).await;
    stage.server.set_wire_version(5);
    stage
        .fails(&stage.single(), "second", MISCONFIGURED, "3.6")
        .await;
    assert_eq!(stage.server.logins(), (0, 0));
}

#[tokio::test]
async fn a_replica_set_without_a_primary_is_waited_for() {
    let stage = Stage::start(&json!({})).await;
    stage.server.step_down(None);
    stage
        .fails(&stage.single(), "second", UNREACHABLE, "not the primary")
        .await;
    // It names itself: an election is under way.
    let own = format!("127.0.0.1:{}", stage.server.port());
    stage.server.step_down(Some(own));
    stage
        .fails(&stage.single(), "second", UNREACHABLE, "not the primary")
        .await;
    assert_eq!(stage.server.logins(), (0, 0));
}

#[tokio::test]
async fn certificates_are_verified() {
    let stage = Stage::start(&json!({})).await;
    let foreign = TestCa::generate().pem();
    stage.put("foreign", &json!({"ca_certificate": foreign}));
    stage
        .fails(&stage.single(), "second", TLS, "`ca_certificate`")
        .await;

    let builder = FakeMongo::builder().server_names(&["db.example"]);
    let stage = Stage::start_with(builder, &json!({})).await;
    stage
        .fails(&stage.single(), "second", TLS, "`tls_server_name`")
        .await;
    assert_eq!(stage.server.commands().len(), 0);
    stage.put("named", &json!({"tls_server_name": "db.example"}));
    stage.rotates(&stage.single(), "third").await;

    // What it was sent before it could prove itself holds nothing.
    let (address, server) = impostor::start();
    let stage = Stage::start(&json!({"port": address.port()})).await;
    stage
        .fails(&stage.single(), "second", TLS, "no trusted authority")
        .await;
    assert_eq!(server.join().expect("its end"), b"");
}

#[tokio::test]
async fn tls_and_plaintext_do_not_meet() {
    let plaintext = FakeMongo::builder().without_tls();
    let stage = Stage::start_with(plaintext, &json!({})).await;
    let error = stage.rotate(&impatient(&stage), "second").await;
    let shown = error.expect_err("no TLS").to_string();
    assert!(!shown.contains("sentinel"), "{shown}");
    assert_eq!(stage.server.commands().len(), 0);

    let stage = Stage::start(&json!({"ssl": false})).await;
    let word = "closed the connection";
    stage
        .fails(&stage.single(), "second", UNREACHABLE, word)
        .await;
    assert_eq!(stage.server.commands().len(), 0);
}

/// Whoever does not know the password cannot let us in.
#[tokio::test]
async fn a_server_must_prove_that_it_knows_the_password() {
    let stage = Stage::start(&json!({})).await;
    stage.server.set_impostor();
    let word = "without knowing the password";
    stage.fails(&stage.single(), "second", TLS, word).await;
    assert!(stage.work().is_empty());
}
