//! Replies that a provider should not give: a clear error, nothing lost, and the next try completes.

use harness::oauth_provider::{Misbehaviour, OAuthProvider};
use harness::proxy::Fault;
use rotators::oauth::bearer::ApiKeys;
use rotators::web::Endpoint;
use secrets_core::rotation::{Reason, RotationError};
use secrets_core::rotator::{RotatorError, RotatorErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::hidden::{assert_absent, shown};
use crate::{APPS, SHORT, Stage};

fn of_rotator(fault: &RotationError) -> &RotatorError {
    match &fault.reason {
        Reason::Rotator(fault) => fault,
        reason => panic!("another reason: {reason:?}"),
    }
}

/// No token, no key and no word of the reply is in the error.
fn assert_silent(stage: &Stage, fault: &RotationError) {
    let shown = shown(fault);
    for token in stage.provider.tokens() {
        assert_absent(&shown, &token);
    }
    for secret in ["sentinel+1/", "sentinel+2/", "sentinel-owner", "quoted"] {
        assert_absent(&shown, secret);
    }
}

/// The reply stands in for the answer to the request that mints, after the token was invalidated and the
/// new one made: the worst time.
async fn after_the_mint(reply: Misbehaviour) -> RotatorError {
    let stage = Stage::start(ApiKeys::One).await;
    let old = stage.current().await;
    stage.begin(1);
    stage.provider.fault_at(3, Fault::After(reply));
    let fault = stage.send_all(1).await.expect_err("a bad reply");
    assert_silent(&stage, &fault);
    let minted = stage.provider.token_of(APPS[0].0);

    stage.provider.reset();
    stage.send_all(1).await.expect("one more try");
    assert_eq!(stage.current().await, minted, "what was minted is not lost");
    assert_ne!(minted, old);
    assert_eq!(
        stage.provider.endpoints().join(" "),
        "token test test test",
        "not invalidated again"
    );
    of_rotator(&fault).clone()
}

#[tokio::test]
async fn a_reply_without_a_token_loses_nothing() {
    let huge = "x".repeat(100 * 1024);
    let several = |status, after: &str| Misbehaviour::Answer {
        status,
        headers: vec![("retry-after", after.to_owned())],
        body: "quoted".to_owned(),
    };
    for (reply, kind, code, words) in [
        (
            Misbehaviour::answer(200, "<html>quoted</html>"),
            RotatorErrorKind::Misconfigured,
            "200",
            "without a token",
        ),
        (
            Misbehaviour::answer(200, ""),
            RotatorErrorKind::Misconfigured,
            "200",
            "without a token",
        ),
        (
            Misbehaviour::answer(200, r#"{"access_token": ""}"#),
            RotatorErrorKind::Misconfigured,
            "200",
            "without a token",
        ),
        (
            Misbehaviour::answer(200, r#"{"access_token": 17, "note": "quoted"}"#),
            RotatorErrorKind::Misconfigured,
            "200",
            "without a token",
        ),
        (
            Misbehaviour::answer(200, r#"{"access_token": "quoted", "token_type": "mac"}"#),
            RotatorErrorKind::Misconfigured,
            "200",
            "another type",
        ),
        (
            Misbehaviour::answer(200, r#"{"errors": [{"code": 99, "message": "quoted"}]}"#),
            RotatorErrorKind::Refused,
            "200/99",
            "an error inside; check `consumer_key`",
        ),
        (
            Misbehaviour::answer(400, r#"{"error": "invalid_client", "hint": "quoted"}"#),
            RotatorErrorKind::Refused,
            "400/invalid_client",
            "check `consumer_key`",
        ),
        (
            Misbehaviour::answer(400, r#"{"error": "quoted"}"#),
            RotatorErrorKind::Refused,
            "400",
            "check `consumer_key`",
        ),
        (
            Misbehaviour::answer(403, r#"{"errors": [{"code": 99, "message": "quoted"}]}"#),
            RotatorErrorKind::Refused,
            "403/99",
            "wait 15 minutes",
        ),
        (
            several(429, "900"),
            RotatorErrorKind::Unreachable,
            "429",
            "asked too often; try again after 900 seconds (Retry-After)",
        ),
        (
            several(503, "soon"),
            RotatorErrorKind::Unreachable,
            "503",
            "cannot serve at the moment; try again later",
        ),
        (
            Misbehaviour::answer(404, "quoted"),
            RotatorErrorKind::Misconfigured,
            "404",
            "correct the URL",
        ),
        (
            Misbehaviour::answer(200, huge),
            RotatorErrorKind::Misconfigured,
            "200",
            "more than 64 KiB",
        ),
    ] {
        let fault = after_the_mint(reply).await;
        assert_eq!(fault.kind(), kind, "{fault}");
        assert_eq!(fault.code(), Some(code), "{fault}");
        assert!(fault.to_string().contains(words), "{fault}");
    }
}

#[tokio::test]
async fn a_provider_that_does_not_forget_is_told_from_one_that_does() {
    let stage = Stage::start(ApiKeys::One).await;
    let old = stage.current().await;
    stage.begin(1);
    let same = format!(r#"{{"access_token": "{old}", "token_type": "bearer"}}"#);
    stage
        .provider
        .fault_at(3, Fault::After(Misbehaviour::answer(200, same)));
    let fault = stage.send_all(1).await.expect_err("the current token");
    assert_silent(&stage, &fault);
    assert!(
        of_rotator(&fault)
            .to_string()
            .contains("still hands out the token"),
        "{fault:?}"
    );
    stage.provider.reset();
    stage.send_all(1).await.expect("one more try");
    assert_ne!(stage.current().await, old);
}

#[tokio::test]
async fn a_token_that_is_gone_already_is_no_reason_to_stop() {
    let gone = Misbehaviour::answer(401, r#"{"errors": [{"code": 89, "message": "quoted"}]}"#);
    let stage = Stage::start(ApiKeys::One).await;
    stage.begin(1);
    stage.provider.fault_at(2, Fault::After(gone.clone()));
    stage.send_all(1).await.expect("what was wanted is so");

    // The same words from a provider that has not forgotten the token.
    let stage = Stage::start(ApiKeys::One).await;
    let old = stage.current().await;
    stage.begin(1);
    stage.provider.fault_at(2, Fault::Before(gone));
    let fault = stage.send_all(1).await.expect_err("not invalidated");
    assert_silent(&stage, &fault);
    assert_eq!(of_rotator(&fault).code(), Some("401/89"));
    assert!(stage.provider.serves(&old));
    stage.provider.reset();
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn an_odd_reply_with_a_token_is_as_good_as_any() {
    for (status, odd) in [
        (201, r#""token_type": "bearer""#),
        (200, r#""expires_in": "7200""#),
        (200, r#""token_type": "Bearer", "expires_in": 7199.5"#),
        (
            200,
            r#""token_type": "BEARER", "expires_in": 7200, "scope": null"#,
        ),
        (200, r#""token_type": 17"#),
    ] {
        let stage = Stage::start(ApiKeys::Two).await;
        let token = stage.provider.token_of(APPS[1].0);
        stage.begin(1);
        let body = format!(r#"{{"access_token": "{token}", {odd}}}"#);
        let reply = Misbehaviour::answer(status, body);
        stage.provider.fault_at(1, Fault::Before(reply));
        stage.send_all(1).await.expect(odd);
        assert_eq!(stage.current().await, token, "{odd}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = OAuthProvider::start().await;
    for (status, call) in [(302, 1), (307, 1), (308, 2), (307, 4)] {
        let stage = Stage::start(ApiKeys::One).await;
        stage.begin(1);
        let reply = Misbehaviour::Answer {
            status,
            headers: vec![("location", elsewhere.token_url())],
            body: String::new(),
        };
        stage.provider.fault_at(call, Fault::Before(reply));
        let fault = stage.send_all(1).await.expect_err("a redirect");
        assert_silent(&stage, &fault);
        let fault = of_rotator(&fault);
        assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
        assert_eq!(fault.code(), Some(status.to_string().as_str()));
        assert!(fault.to_string().contains("not followed"), "{fault}");
        stage.provider.reset();
        stage.send_all(1).await.expect("one more try");
    }
    assert!(elsewhere.calls().is_empty(), "nothing was sent elsewhere");
}

/// A server that answers every connection with the head of a reply and the beginning of its body, and
/// goes on with that as fast as it is read, or never.
async fn endless(goes_on: bool) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let head =
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"quoted\": \"";
                let mut written = stream.write_all(head).await;
                while goes_on && written.is_ok() {
                    written = stream.write_all(&[b'q'; 1024]).await;
                }
                std::future::pending::<()>().await;
            });
        }
    });
    Endpoint::parse(&format!("http://{address}/")).expect("a URL")
}

#[tokio::test]
async fn a_reply_without_an_end_is_given_up() {
    for (goes_on, words) in [
        (true, "more than 64 KiB"),
        (false, "did not answer in time"),
    ] {
        let stage = Stage::start(ApiKeys::One).await;
        stage.begin(1);
        let mut settings = stage.settings();
        settings.token_url = endless(goes_on).await;
        // What goes on is over when 64 KiB were read; what does not is waited for.
        settings.timeout = if goes_on { settings.timeout } else { SHORT };
        let fault = stage.send_all_with(settings, 1).await;
        let fault = fault.expect_err("a reply without an end");
        assert_silent(&stage, &fault);
        assert!(of_rotator(&fault).to_string().contains(words), "{fault:?}");
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn what_is_no_verdict_on_the_token_is_an_error() {
    for (status, body, kind) in [
        (200, "<html>quoted</html>", RotatorErrorKind::Misconfigured),
        (
            200,
            r#"{"note": "quoted"}"#,
            RotatorErrorKind::Misconfigured,
        ),
        (200, r#"["data"]"#, RotatorErrorKind::Misconfigured),
        (
            200,
            r#"{"errors": [{"code": 179}]}"#,
            RotatorErrorKind::Refused,
        ),
        (403, r#"{"title": "quoted"}"#, RotatorErrorKind::Refused),
        (429, "", RotatorErrorKind::Unreachable),
        (500, "quoted", RotatorErrorKind::Unreachable),
        (204, "", RotatorErrorKind::Misconfigured),
    ] {
        let stage = Stage::start(ApiKeys::Two).await;
        let before = stage.current().await;
        stage.begin(1);
        // `token`, then the test of setSecret.
        stage
            .provider
            .fault_at(2, Fault::Before(Misbehaviour::answer(status, body)));
        let fault = stage.send_all(1).await.expect_err("no verdict");
        assert_silent(&stage, &fault);
        assert_eq!(of_rotator(&fault).kind(), kind, "{fault:?}");
        assert_eq!(stage.current().await, before);
        stage.provider.reset();
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn asking_too_often_is_told_with_its_code() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.begin(1);
    stage.provider.set_allowance(Some(1));
    let fault = stage.send_all(1).await.expect_err("asked too often");
    assert_silent(&stage, &fault);
    assert_eq!(of_rotator(&fault).code(), Some("403/99"));
    stage.provider.set_allowance(None);
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn without_the_secret_of_the_api_key_nothing_is_asked() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.begin(1);
    let others = Stage::start(ApiKeys::One).await;
    // A rotator that looks for API keys where there are none.
    let empty = secrets_core::store::memory::MemoryStore::new();
    let rotator = rotators::oauth::bearer::BearerToken::new(empty, others.settings());
    let rotation = secrets_core::rotation::Rotation::new(stage.store.clone(), rotator);
    let id = crate::SECRET.into();
    let driver = secrets_core::testing::Driver::new(&stage.store, &rotation, &id);
    let fault = driver
        .send_all(&crate::version(1))
        .await
        .expect_err("no API key");
    assert_silent(&stage, &fault);
    let fault = of_rotator(&fault);
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    assert!(
        fault
            .to_string()
            .starts_with("the API key's secret (`masterarn`) was not read: "),
        "{fault}"
    );
    assert!(stage.provider.calls().is_empty());
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn a_provider_that_is_gone_is_out_of_reach() {
    let stage = Stage::start(ApiKeys::One).await;
    stage.begin(1);
    let mut settings = stage.settings();
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    settings.token_url = Endpoint::parse(&format!("http://{address}/")).expect("a URL");
    let fault = stage.send_all_with(settings, 1).await;
    let fault = fault.expect_err("nobody there");
    let fault = of_rotator(&fault);
    assert_eq!(fault.kind(), RotatorErrorKind::Unreachable);
    assert!(fault.to_string().contains("takes no connection"), "{fault}");
    stage.send_all(1).await.expect("one more try");
}
