//! Calls are counted, and faults strike exactly the call asked for.

use std::time::Duration;

use harness::oidc::{Endpoint, Misbehaviour, OidcProvider, Settings};
use harness::proxy::Fault;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::{Answer, address, basic, post, resource, try_post};

/// Long enough for an answer on this machine to come if one is going to.
const MOMENT: Duration = Duration::from_millis(500);

async fn server() -> OidcProvider {
    let client = json!({"client_id": "app", "client_secret": "secret"});
    OidcProvider::start(Settings::new().client(client)).await
}

async fn mint(server: &OidcProvider) -> Option<Answer> {
    let form = [("grant_type", "client_credentials")];
    try_post(&server.token_url(), &basic("app", "secret"), &form).await
}

#[tokio::test]
async fn calls_are_recorded_without_secrets() {
    let server = server().await;
    let token = mint(&server).await.expect("an answer").text("access_token");
    assert_eq!(resource(&server, &token).await, 200);
    assert_eq!(resource(&server, "never-issued").await, 401);
    let form = [("grant_type", "client_credentials")];
    post(&server.token_url(), &basic("app", "wrong"), &form).await;
    post(
        &server.revocation_url(),
        &basic("app", "secret"),
        &[("token", &token)],
    )
    .await;

    let calls = server.calls().await;
    assert!(!format!("{calls:?}").contains(&token));
    let calls: Vec<_> = calls
        .iter()
        .map(|it| {
            (
                it.endpoint,
                it.client.as_deref(),
                it.status,
                it.error.as_deref(),
            )
        })
        .collect();
    let expected = [
        (Endpoint::Token, Some("app"), Some(200), None),
        (Endpoint::Resource, Some("app"), Some(200), None),
        (Endpoint::Resource, None, Some(401), Some("invalid_token")),
        (
            Endpoint::Token,
            Some("app"),
            Some(401),
            Some("invalid_client"),
        ),
        (Endpoint::Revocation, Some("app"), Some(200), None),
    ];
    assert_eq!(calls, expected);
    assert_eq!(server.count(Endpoint::Token).await, 2);
    let drop = Fault::Before(Misbehaviour::Drop);
    server.fault_at(Endpoint::Token, 1, drop).await;
    server.reset().await;
    assert_eq!(server.calls().await, []);
    assert!(mint(&server).await.is_some(), "faults are forgotten, too");
}

#[tokio::test]
async fn a_server_that_is_down_closes_every_connection() {
    let server = server().await;
    let open = TcpStream::connect(address(server.issuer())).await;
    let mut open = open.expect("it listens");
    server.set_down(true).await;
    let end = tokio::time::timeout(Duration::from_secs(5), open.read(&mut [0])).await;
    assert!(
        matches!(end, Ok(Ok(0) | Err(_))),
        "also one that was open: {end:?}"
    );
    assert!(mint(&server).await.is_none());
    assert_eq!(server.calls().await, []);
    server.set_down(false).await;
    assert_eq!(mint(&server).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_fault_strikes_before_or_after_the_effect() {
    let server = server().await;
    let other = || Misbehaviour::answer(503, r#"{"error":"temporarily_unavailable"}"#);
    server
        .fault_at(Endpoint::Token, 1, Fault::Before(Misbehaviour::Drop))
        .await;
    server
        .fault_at(Endpoint::Token, 2, Fault::After(Misbehaviour::Drop))
        .await;
    server
        .fault_at(Endpoint::Token, 3, Fault::Before(other()))
        .await;
    server
        .fault_at(Endpoint::Token, 4, Fault::After(other()))
        .await;
    server
        .fault_at(Endpoint::Token, 5, Fault::Before(Misbehaviour::Hang))
        .await;
    server
        .fault_at(Endpoint::Token, 6, Fault::After(Misbehaviour::Hang))
        .await;
    let mut live = Vec::new();
    for call in 1..=6 {
        // Calls of other endpoints do not count.
        resource(&server, "never-issued").await;
        match tokio::time::timeout(MOMENT, mint(&server)).await {
            Err(_) => assert!(call >= 5, "call {call} hangs"),
            Ok(None) => assert!(call <= 2, "call {call} is dropped"),
            Ok(Some(answer)) => {
                assert_eq!(answer.refusal(), (503, "temporarily_unavailable"));
                assert!(call == 3 || call == 4, "call {call} is answered");
            }
        }
        live.push(server.live_tokens("app").await.len());
    }
    assert_eq!(live, [0, 1, 1, 2, 2, 3]);
    let statuses = server.calls().await;
    let tokens = statuses.iter().filter(|it| it.endpoint == Endpoint::Token);
    let statuses: Vec<_> = tokens.map(|it| it.status).collect();
    assert_eq!(
        statuses,
        [None, Some(200), None, Some(200), None, Some(200)]
    );
    assert_eq!(mint(&server).await.expect("an answer").status, 200);
}
