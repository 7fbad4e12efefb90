//! Replies that a provider should not give: a clear error, nothing lost, and the next try completes.

use std::net::SocketAddr;

use harness::proxy::Fault;
use harness::token_server::{Misbehaviour, Rules, TokenServer};
use secrets_core::rotator::RotatorErrorKind::{self, Misconfigured, Refused, Unreachable};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::Stage;

/// The reply stands in for the answer to a request of a rotation, and one more try completes it.
async fn at(request: usize, reply: Misbehaviour) -> secrets_core::rotator::RotatorError {
    let stage = Stage::start().await;
    let before = stage.current().await;
    stage.begin(1);
    stage.server.fault_at(request, Fault::After(reply));
    let fault = stage.fails(1).await;
    assert_eq!(stage.current().await, before, "not published");
    assert!(stage.server.serves(&before), "no gap");
    stage.server.reset();
    stage.send_all(1).await.expect("one more try");
    assert!(stage.server.serves(&stage.current().await));
    fault
}

/// What stands in for the answer, and the error: its kind, its code, and some of its words.
type Row = (
    Misbehaviour,
    RotatorErrorKind,
    Option<&'static str>,
    &'static str,
);

fn plain(status: u16, body: &str) -> Misbehaviour {
    Misbehaviour::answer(status, body)
}

fn retry_after(status: u16, after: &str) -> Misbehaviour {
    Misbehaviour::Answer {
        status,
        headers: vec![("retry-after", after.to_owned())],
        body: "quoted".to_owned(),
    }
}

/// Each in the place of the token.
async fn are_told<const N: usize>(rows: [Row; N]) {
    for (reply, kind, code, words) in rows {
        let fault = at(1, reply).await;
        assert_eq!(fault.kind(), kind, "{fault}");
        assert_eq!(fault.code(), code, "{fault}");
        assert!(fault.to_string().contains(words), "{words}: {fault}");
    }
}

#[tokio::test]
async fn a_success_without_a_token_loses_nothing() {
    are_told([
        (
            plain(200, "<html>quoted</html>"),
            Misconfigured,
            Some("200"),
            "without a token",
        ),
        (
            plain(200, ""),
            Misconfigured,
            Some("200"),
            "`reply.access_token`",
        ),
        (
            plain(200, "[1]"),
            Misconfigured,
            Some("200"),
            "without a token",
        ),
        (
            plain(200, r#"{"access_token": ""}"#),
            Misconfigured,
            Some("200"),
            "without a token",
        ),
        (
            plain(200, r#"{"access_token": "quoted\r\nX-Header: quoted"}"#),
            Misconfigured,
            Some("200"),
            "without a token",
        ),
        (
            plain(200, r#"{"access_token": 17, "note": "quoted"}"#),
            Misconfigured,
            Some("200"),
            "without a token",
        ),
        (
            plain(200, r#"{"access_token": "quoted", "token_type": "DPoP"}"#),
            Misconfigured,
            None,
            "another type than bearer",
        ),
        (
            plain(200, r#"{"access_token": "quoted", "token_type": "mac"}"#),
            Misconfigured,
            None,
            "another type than bearer",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_says_who_must_act() {
    are_told([
        (
            plain(
                200,
                r#"{"error": "invalid_client", "error_description": "quoted"}"#,
            ),
            Refused,
            Some("200/invalid_client"),
            "an error inside; check `client_id`",
        ),
        (
            plain(401, r#"{"error": "invalid_client", "hint": "quoted"}"#),
            Refused,
            Some("401/invalid_client"),
            "check `client_id` and `client_secret` in the secret",
        ),
        (
            plain(400, r#"{"error": "quoted"}"#),
            Refused,
            Some("400"),
            "refuses us",
        ),
        (
            plain(403, r#"{"errors": [{"code": 99, "message": "quoted"}]}"#),
            Refused,
            Some("403/99"),
            "wait 15 minutes",
        ),
        (
            retry_after(429, "900"),
            Unreachable,
            Some("429"),
            "after 900 seconds (Retry-After)",
        ),
        (
            retry_after(503, "soon"),
            Unreachable,
            Some("503"),
            "try again later",
        ),
        (
            plain(500, "quoted"),
            Unreachable,
            Some("500"),
            "cannot serve",
        ),
        (
            plain(404, "quoted"),
            Misconfigured,
            Some("404"),
            "correct the URL",
        ),
        (
            plain(200, &"x".repeat(100 * 1024)),
            Misconfigured,
            Some("200"),
            "more than 64 KiB",
        ),
        (
            Misbehaviour::Drop,
            Unreachable,
            None,
            "closed the connection",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_code_may_stand_in_a_place_of_its_own() {
    let mut stage = Stage::start().await;
    stage.configuration["reply"] = json!({"error": "/fault/kind", "access_token": "/data/token"});
    stage.configuration["success"] = json!({"equal": {"/ok": true}});
    stage.begin(1);
    let body = r#"{"ok": false, "fault": {"kind": "invalid_client", "note": "quoted"}}"#;
    stage
        .server
        .fault_at(1, Fault::Before(Misbehaviour::answer(200, body)));
    let fault = stage.fails(1).await;
    assert_eq!(fault.code(), Some("200/invalid_client"));
    stage.server.reset();
    let token = stage.server.issue(crate::CLIENT);
    let body = format!(r#"{{"ok": true, "data": {{"token": "{token}"}}}}"#);
    stage
        .server
        .fault_at(1, Fault::Before(Misbehaviour::answer(201, body)));
    stage.send_all(1).await.expect("a rotation");
    assert_eq!(stage.current().await, token);
}

#[tokio::test]
async fn an_odd_reply_with_a_token_is_as_good_as_any() {
    for (status, odd) in [
        (201, r#""token_type": "bearer""#),
        (200, r#""expires_in": "86400""#),
        (200, r#""token_type": "BEARER", "expires_in": 86399.5"#),
        (
            200,
            r#""token_type": null, "scope": null, "refresh_token": 1"#,
        ),
        (200, r#""token_type": 17, "expires_in": null"#),
        (
            200,
            r#""expires_in": "soon", "expires_at": "2099-01-01T00:00:00Z""#,
        ),
    ] {
        let stage = Stage::start().await;
        let token = stage.server.issue(crate::CLIENT);
        stage.begin(1);
        let body = format!(r#"{{"access_token": "{token}", {odd}}}"#);
        let reply = Misbehaviour::answer(status, body);
        stage.server.fault_at(1, Fault::Before(reply));
        stage.send_all(1).await.expect(odd);
        assert_eq!(stage.current().await, token, "{odd}");
    }
}

#[tokio::test]
async fn what_is_no_verdict_on_the_token_is_an_error() {
    for (reply, kind) in [
        (
            Misbehaviour::answer(200, "<html>quoted</html>"),
            Misconfigured,
        ),
        (
            Misbehaviour::answer(200, r#"{"note": "quoted"}"#),
            Misconfigured,
        ),
        (
            Misbehaviour::answer(200, r#"{"error": "server_error"}"#),
            Refused,
        ),
        (Misbehaviour::answer(403, r#"{"title": "quoted"}"#), Refused),
        (Misbehaviour::answer(429, ""), Unreachable),
        (Misbehaviour::answer(500, "quoted"), Unreachable),
        (Misbehaviour::answer(404, ""), Misconfigured),
        (Misbehaviour::Drop, Unreachable),
    ] {
        // `token`, then the tests of setSecret, testSecret and finishSecret.
        for request in 2..=4 {
            let fault = at(request, reply.clone()).await;
            assert_eq!(fault.kind(), kind, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = TokenServer::start(Rules::default()).await;
    for (status, request) in [(302, 1), (307, 1), (308, 2), (307, 4)] {
        let reply = Misbehaviour::Answer {
            status,
            headers: vec![("location", elsewhere.url("token"))],
            body: String::new(),
        };
        let fault = at(request, reply).await;
        assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
        assert!(fault.to_string().contains("not followed"), "{fault}");
    }
    assert!(
        elsewhere.requests().is_empty(),
        "nothing was sent elsewhere"
    );
}

/// A server that answers every connection with the head of a reply and the beginning of its body, and
/// goes on with that as fast as it is read, or never.
async fn endless(goes_on: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                // 100 MB, if somebody reads them.
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n{\"quoted\": \"";
                let mut written = stream.write_all(head).await;
                while goes_on && written.is_ok() {
                    written = stream.write_all(&[b'q'; 1024]).await;
                }
                std::future::pending::<()>().await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_reply_without_an_end_is_given_up() {
    for (goes_on, words) in [
        (true, "more than 64 KiB"),
        (false, "did not answer in time"),
    ] {
        let mut stage = Stage::start().await;
        let good = stage.configuration.clone();
        stage.begin(1);
        let address = endless(goes_on).await;
        for field in ["token_url", "test"] {
            stage.configuration = good.clone();
            stage.configuration["timeout_seconds"] = json!(1);
            stage.configuration[field] = match field {
                "test" => json!({"url": format!("http://{address}/")}),
                _ => json!(format!("http://{address}/")),
            };
            let fault = stage.fails(1).await;
            assert!(fault.to_string().contains(words), "{fault:?}");
        }
        stage.configuration = good;
        stage.send_all(1).await.expect("one more try");
    }
}
