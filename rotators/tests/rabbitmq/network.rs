//! What stands between function and broker: TLS, ports, silence.

use std::time::Duration;

use harness::proxy::{Fault, HttpAction, HttpProxy, TcpMode, TcpProxy};
use harness::rabbitmq::RabbitMqServer;
use harness::tls::TestCa;
use rotators::rabbitmq::CaCertificates;
use secrets_core::rotator::RotatorErrorKind as Kind;
use serde_json::json;

use crate::support::Fixture;

const UNREACHABLE: (Kind, Option<&str>) = (Kind::Unreachable, None);
const TLS: (Kind, Option<&str>) = (Kind::Tls, None);

#[tokio::test]
async fn scenarios() {
    let builder = RabbitMqServer::builder().server_names(&["mq.internal"]);
    let mut fixture = Fixture::of(builder.start().await).await;
    let f = &mut fixture;
    the_name_in_the_certificate_may_be_another(f).await;
    the_authority_is_verified(f).await;
    ports_that_are_mixed_up(f).await;
    silence_is_no_answer(f).await;
    answers_of_others_are_no_answers(f).await;
}

/// One user shows what is verified of AMQP, two what is verified of the API.
async fn the_name_in_the_certificate_may_be_another(f: &mut Fixture) {
    f.another("named").await;
    f.fails(&f.single(), "2", TLS, "another name").await;
    f.put_current("again", &json!({}));
    f.fails(&f.alternating(), "3", TLS, "`tls_server_name`")
        .await;
    f.put_current("alias", &json!({"tls_server_name": "mq.internal"}));
    f.rotates(&f.alternating(), "4").await;
    f.rotate(&f.single(), "5").await.expect("a rotation");
}

async fn the_authority_is_verified(f: &mut Fixture) {
    f.another("authority").await;
    let named = json!({"tls_server_name": "mq.internal"});
    f.put_current("named", &named);
    let mut settings = f.settings();
    for ca in [None, Some(TestCa::generate())] {
        let ca = ca.map(|ca| CaCertificates::from_pem(&ca.pem()).expect("an authority"));
        settings.ca_certificate = ca;
        let rotation = f.alternating_with(settings.clone());
        f.fails(&rotation, "2", TLS, "`tls_server_name`").await;
    }
    // The secret's own goes before the function's.
    let own = json!({"tls_server_name": "mq.internal", "ca_certificate": f.server.ca_pem()});
    f.put_current("own", &own);
    f.rotates(&f.alternating_with(settings), "4").await;
    let wrong =
        json!({"tls_server_name": "mq.internal", "ca_certificate": TestCa::generate().pem()});
    f.put_current("wrong", &wrong);
    f.fails(&f.alternating(), "5", TLS, "").await;
}

async fn ports_that_are_mixed_up(f: &mut Fixture) {
    f.another("ports").await;
    let mut settings = f.settings();
    settings.timeouts.login = Duration::from_millis(400);
    let rotation = f.alternating_with(settings);
    let (amqp, amqps) = (f.server.amqp_port(), f.server.amqps_port());
    let (http, https) = (f.server.http_port(), f.server.https_port());
    let misconfigured = (Kind::Misconfigured, None);
    for (n, (ports, expected, word)) in [
        (
            json!({"ssl": false, "port": 1, "management_port": http}),
            UNREACHABLE,
            "`host` and `port`",
        ),
        (
            json!({"ssl": false, "port": amqp, "management_port": 1}),
            UNREACHABLE,
            "`management_port`",
        ),
        (
            json!({"ssl": false, "port": http, "management_port": http}),
            UNREACHABLE,
            "did not answer to a login",
        ),
        (
            json!({"ssl": false, "port": amqp, "management_port": amqp}),
            UNREACHABLE,
            "`management_port`",
        ),
        (
            json!({"ssl": false, "port": amqps, "management_port": http}),
            misconfigured,
            "`ssl`",
        ),
        (
            json!({"ssl": false, "port": amqp, "management_port": https}),
            UNREACHABLE,
            "`management_port`",
        ),
        (json!({"port": amqp}), TLS, "no TLS connection"),
        (json!({"management_port": http}), TLS, "`\"ssl\": false`"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut ports = ports;
        ports["tls_server_name"] = json!("mq.internal");
        f.put_current(&format!("ports {n}"), &ports);
        println!("{ports}");
        // The first login that setSecret tries is that of a user who is not there, so the API comes first:
        // a wrong port of AMQP shows with the user in use.
        f.fails(&rotation, &format!("version {n}"), expected, word)
            .await;
    }
}

async fn silence_is_no_answer(f: &mut Fixture) {
    f.another("silent").await;
    let amqp = TcpProxy::start(f.server.host(), f.server.amqp_port()).await;
    let http = TcpProxy::start(f.server.host(), f.server.http_port()).await;
    let ports = json!({"ssl": false, "port": amqp.port(), "management_port": http.port()});
    f.put_current("proxied", &ports);
    let mut settings = f.settings();
    settings.timeouts.login = Duration::from_millis(300);
    amqp.set_mode(TcpMode::Silent).await;
    let rotation = f.alternating_with(settings.clone());
    f.fails(&rotation, "2", UNREACHABLE, "did not answer to a login")
        .await;
    amqp.set_mode(TcpMode::Forward).await;
    settings.timeouts.statement = Duration::from_millis(300);
    http.set_mode(TcpMode::Silent).await;
    let rotation = f.alternating_with(settings);
    f.fails(&rotation, "2", UNREACHABLE, "rabbitmq_management")
        .await;
    http.set_mode(TcpMode::Forward).await;
    f.rotates(&f.alternating(), "2").await;
}

async fn answers_of_others_are_no_answers(f: &mut Fixture) {
    f.another("others").await;
    let proxy = HttpProxy::start(&format!("http://127.0.0.1:{}", f.server.http_port())).await;
    let port = proxy
        .endpoint()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let ports = json!({"ssl": false, "port": f.server.amqp_port(), "management_port": port});
    f.put_current("proxied", &ports);
    let rotation = f.alternating();
    let status = |code| HttpAction::Status {
        code,
        aws_code: "sentinel".to_owned(),
    };
    for (action, expected, word) in [
        (
            status(404),
            (Kind::Unreachable, Some("404")),
            "is not there",
        ),
        (
            status(503),
            (Kind::Unreachable, Some("503")),
            "at the moment",
        ),
        (
            status(429),
            (Kind::Unreachable, Some("429")),
            "at the moment",
        ),
        (status(302), (Kind::Refused, Some("302")), "report this"),
        (
            status(401),
            (Kind::Misconfigured, Some("401")),
            "`administrator`",
        ),
        (
            HttpAction::Garbage,
            (Kind::Misconfigured, None),
            "`management_port`",
        ),
        (HttpAction::Drop, UNREACHABLE, "gave no answer"),
    ] {
        proxy.fault_from(1, Fault::Before(action));
        f.fails(&rotation, "2", expected, word).await;
        proxy.reset();
    }
    f.rotates(&rotation, "2").await;
}
