//! TLS, and servers that are silent, slow or not there.

#![cfg(feature = "postgres")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::time::Duration;

use harness::postgres::PostgresServer;
use harness::proxy::{Fault, TcpAction, TcpMode, TcpProxy};
use harness::tls::TestCa;
use rotators::postgres::{CaCertificates, PostgresCredential, PostgresSettings, SingleUser};
use secrets_core::event::Step;
use secrets_core::rotation::Outcome;
use secrets_core::rotator::{Context, Rotator, RotatorErrorKind as Kind, Verdict};
use secrets_core::store::Label;
use serde_json::json;
use support::{FIRST, Fixture, on_both_versions, server};
use tokio::time::Instant;

on_both_versions!(
    an_authority_that_is_not_trusted,
    a_certificate_with_another_name,
    a_server_without_tls,
    a_server_that_wants_tls,
    a_silent_host,
    a_host_that_falls_silent_in_the_middle,
    a_connection_that_breaks_in_the_middle,
    a_port_where_nothing_listens,
);

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_hours(1);

fn short(mut settings: PostgresSettings) -> PostgresSettings {
    settings.timeouts.login = SHORT;
    settings.timeouts.statement = SHORT;
    settings
}

async fn an_authority_that_is_not_trusted(major: u32) {
    let fixture = Fixture::start(PostgresServer::builder().major(major)).await;
    let fault = (Kind::Tls, None);
    // Neither the public authorities nor those of RDS have signed it.
    let mut settings = fixture.settings();
    settings.ca_certificate = None;
    let built_in = fixture.rotation_with(settings.clone());
    fixture
        .fails(&built_in, "second", fault, "`ca_certificate`")
        .await;
    let other = TestCa::generate().pem();
    settings.ca_certificate = Some(CaCertificates::from_pem(&other).expect("an authority"));
    let other = fixture.rotation_with(settings);
    let error = fixture
        .fails(&other, "second", fault, "`ca_certificate`")
        .await;
    assert_eq!(error.code(), "TargetTls");
    // No password, and not even a name, went over such a connection.
    assert!(
        !fixture.server.log().contains("app"),
        "{}",
        fixture.server.log()
    );

    let rotated = fixture.rotate(&fixture.rotation(), "second").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
    // The secret's own authority goes before the function's.
    let own = fixture.document(&json!({
        "ca_certificate": fixture.server.ca_pem(),
        "password": fixture.password(&Label::Current).await,
    }));
    fixture.put_current("with an authority", &own);
    let rotated = fixture.rotate(&other, "third").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
}

async fn a_certificate_with_another_name(major: u32) {
    let builder = server(major).server_names(&["db.example"]);
    let fixture = Fixture::start(builder).await;
    let rotation = fixture.rotation();
    let fault = (Kind::Tls, None);
    fixture
        .fails(&rotation, "second", fault, "`tls_server_name`")
        .await;
    for (version, name, word) in [
        ("other", "other.example", "`tls_server_name`"),
        ("address", "127.0.0.1", "`tls_server_name`"),
    ] {
        fixture.put_current(
            version,
            &fixture.document(&json!({ "tls_server_name": name })),
        );
        fixture
            .fails(&rotation, &format!("next {version}"), fault, word)
            .await;
    }
    fixture.put_current(
        "no name",
        &fixture.document(&json!({"tls_server_name": "a b"})),
    );
    let fault = (Kind::Misconfigured, None);
    fixture
        .fails(&rotation, "third", fault, "no host name")
        .await;

    fixture.put_current(
        "right",
        &fixture.document(&json!({"tls_server_name": "db.example"})),
    );
    fixture.rotates_with(&rotation, "fourth").await;
}

async fn a_server_without_tls(major: u32) {
    let fixture = Fixture::start(server(major).without_tls()).await;
    let rotation = fixture.rotation();
    let fault = (Kind::Tls, None);
    fixture
        .fails(&rotation, "second", fault, "`\"ssl\": false`")
        .await;
    assert!(
        !fixture.server.log().contains("app"),
        "{}",
        fixture.server.log()
    );
    for (version, ssl) in [("boolean", json!(false)), ("string", json!("false"))] {
        let password = fixture.password(&Label::Current).await;
        let document = fixture.document(&json!({ "ssl": ssl, "password": password }));
        fixture.put_current(version, &document);
        fixture
            .rotates_with(&rotation, &format!("next {version}"))
            .await;
    }
}

async fn a_server_that_wants_tls(major: u32) {
    let fixture = Fixture::start(PostgresServer::builder().major(major)).await;
    let rotation = fixture.rotation();
    fixture.put_current("plaintext", &fixture.document(&json!({"ssl": false})));
    let fault = (Kind::Refused, Some("28000"));
    fixture
        .fails(&rotation, "second", fault, "remove `\"ssl\": false`")
        .await;
    fixture.put_current("tls", &fixture.document(&json!({"ssl": true})));
    let rotated = fixture.rotate(&rotation, "third").await;
    assert_eq!(rotated.map(|outcomes| outcomes[3]), Ok(Outcome::Promoted));
}

/// A proxy in front of the server, to which the secret leads; without TLS if `ssl` is false.
async fn through_proxy(fixture: &Fixture, version: &str, ssl: bool) -> TcpProxy {
    let proxy = TcpProxy::start(fixture.server.host(), fixture.server.port()).await;
    let password = fixture.password(&Label::Current).await;
    let extra = json!({ "port": proxy.port(), "ssl": ssl, "password": password });
    fixture.put_current(version, &fixture.document(&extra));
    proxy
}

async fn a_silent_host(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    for ssl in [true, false] {
        let proxy = through_proxy(&fixture, &format!("proxy {ssl}"), ssl).await;
        proxy.set_mode(TcpMode::Silent).await;
        let rotation = fixture.rotation_with(short(fixture.settings()));
        let started = Instant::now();
        let version = format!("next {ssl}");
        fixture
            .fails(&rotation, &version, (Kind::Unreachable, None), "in time")
            .await;
        assert!(started.elapsed() >= SHORT);
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{:?}",
            started.elapsed()
        );

        // However long the settings allow: no call outlives the step.
        let mut settings = fixture.settings();
        settings.timeouts.login = LONG;
        let rotator = SingleUser::new(fixture.store.clone(), settings);
        let extra = json!({ "port": proxy.port(), "ssl": ssl });
        let candidate = PostgresCredential::try_from(&fixture.document(&extra));
        let deadline = Instant::now() + SHORT;
        let cx = Context::new(fixture.secret.clone(), "v".into(), deadline);
        let test = rotator
            .test(candidate.as_ref().expect("complete"), &cx)
            .await;
        assert_eq!(test.map_err(|fault| fault.kind()), Err(Kind::Unreachable));
        assert!(deadline.elapsed() < Duration::from_secs(10));

        proxy.set_mode(TcpMode::Forward).await;
        fixture.rotates_with(&fixture.rotation(), &version).await;
    }
}

/// How many chunks a client sends for a login and one statement.
async fn chunks_of_a_test(fixture: &Fixture, proxy: &TcpProxy) -> usize {
    proxy.reset();
    let rotator = SingleUser::new(fixture.store.clone(), fixture.settings());
    let password = fixture.password(&Label::Current).await;
    let extra = json!({ "port": proxy.port(), "password": password });
    let candidate = PostgresCredential::try_from(&fixture.document(&extra)).expect("complete");
    let deadline = Instant::now() + LONG;
    let cx = Context::new(fixture.secret.clone(), "v".into(), deadline);
    assert_eq!(rotator.test(&candidate, &cx).await, Ok(Verdict::Accepted));
    let chunks = proxy.chunks();
    proxy.reset();
    chunks
}

async fn a_host_that_falls_silent_in_the_middle(major: u32) {
    at_every_chunk(major, &TcpAction::Hang, SHORT).await;
}

async fn a_connection_that_breaks_in_the_middle(major: u32) {
    at_every_chunk(major, &TcpAction::Drop, LONG).await;
}

/// Strikes `setSecret` at every chunk, before and after its effect, then lets the rotation go on.
async fn at_every_chunk(major: u32, action: &TcpAction, timeout: Duration) {
    let fixture = Fixture::start(server(major)).await;
    let proxy = through_proxy(&fixture, "proxy", true).await;
    // Pending and current are tried, then comes the session that changes: five statements at most.
    let most = 3 * chunks_of_a_test(&fixture, &proxy).await + 5;
    let mut faults = 0;
    for chunk in 1..=most {
        for fault in [Fault::Before(action.clone()), Fault::After(action.clone())] {
            let version = format!("{fault:?} {chunk}");
            let mut settings = fixture.settings();
            settings.timeouts.login = timeout;
            settings.timeouts.statement = timeout;
            let rotation = fixture.rotation_with(settings);
            fixture
                .put_pending(&version, &format!("pending {version}"))
                .await;
            proxy.fault_at(chunk, fault);
            let alive = alive_tasks();
            match fixture.send(&rotation, Step::Set, &version).await {
                Ok(outcome) => assert_eq!(outcome, Outcome::Set, "{version}"),
                Err(error) => {
                    faults += 1;
                    assert_eq!(error.code(), "TargetUnreachable", "{version}: {error:?}");
                    fixture.hides_passwords(&error).await;
                }
            }
            proxy.cut();
            proxy.reset();
            let gone = async {
                while alive_tasks() > alive {
                    tokio::task::yield_now().await;
                }
            };
            let gone = tokio::time::timeout(Duration::from_secs(10), gone).await;
            assert!(gone.is_ok(), "a task outlives {version}");
            // Whether or not the server has made the change: the rotation comes to its end.
            fixture.rotates_with(&fixture.rotation(), &version).await;
            proxy.reset();
        }
    }
    assert!(
        faults > most,
        "{faults} of {most} chunks, each before and after"
    );
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

async fn a_port_where_nothing_listens(major: u32) {
    let fixture = Fixture::start(server(major)).await;
    let proxy = through_proxy(&fixture, "proxy", true).await;
    proxy.set_mode(TcpMode::Refuse).await;
    let rotation = fixture.rotation();
    let fault = (Kind::Unreachable, None);
    let error = fixture
        .fails(&rotation, "second", fault, "refuses connections")
        .await;
    let source = std::error::Error::source(&error)
        .expect("a cause")
        .to_string();
    assert!(
        source.contains(&format!("127.0.0.1:{}", proxy.port())),
        "{source}"
    );
    proxy.set_mode(TcpMode::Forward).await;
    fixture.rotates_with(&rotation, "second").await;
    assert_eq!(fixture.password(&Label::Previous).await, FIRST);

    let lost = fixture.document(&json!({"host": "no-such-host.invalid"}));
    fixture.put_current("lost", &lost);
    fixture
        .fails(&rotation, "third", fault, "check `host`")
        .await;
}
