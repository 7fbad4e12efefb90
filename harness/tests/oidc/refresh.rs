//! Refresh tokens that are good for one exchange, and what a second one costs.

use std::time::Duration;

use harness::oidc::{Endpoint, Misbehaviour, OidcProvider, Settings, TokenKind};
use harness::proxy::Fault;
use serde_json::json;

use crate::client::{Answer, basic, post, resource, try_post};

fn settings() -> Settings {
    let client = |id: &str| json!({"client_id": id, "client_secret": "secret", "grant_types": ["refresh_token"]});
    Settings::new()
        .client(client("app"))
        .client(client("other"))
}

async fn exchange(server: &OidcProvider, client: &str, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    post(&server.token_url(), &basic(client, "secret"), &form).await
}

#[tokio::test]
async fn an_exchange_replaces_the_refresh_token_and_leaves_access_tokens_alone() {
    let server = OidcProvider::start(settings()).await;
    let first = server.issue_refresh_token("app", "somebody").await;
    assert!(server.is_live(&first).await);

    let answer = exchange(&server, "app", &first).await;
    let (access, second) = (answer.text("access_token"), answer.text("refresh_token"));
    assert_eq!(answer.body["expires_in"], 3600);
    assert_ne!(first, second);
    assert!(!server.is_live(&first).await);

    let answer = exchange(&server, "app", &second).await;
    assert_eq!(resource(&server, &access).await, 200);
    assert_eq!(resource(&server, &answer.text("access_token")).await, 200);
    let kinds = server.live_tokens("app").await;
    let kinds: Vec<_> = kinds.into_iter().map(|it| it.kind).collect();
    let expected = [
        TokenKind::AccessToken,
        TokenKind::AccessToken,
        TokenKind::RefreshToken,
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_used_refresh_token_presented_again_ends_the_whole_grant() {
    let server = OidcProvider::start(settings()).await;
    let unrelated = server.issue_refresh_token("app", "somebody").await;
    let first = server.issue_refresh_token("app", "somebody").await;
    let answer = exchange(&server, "app", &first).await;
    let (access, second) = (answer.text("access_token"), answer.text("refresh_token"));

    let replay = exchange(&server, "app", &first).await;
    assert_eq!(replay.refusal(), (400, "invalid_grant"));

    assert!(!server.is_live(&second).await);
    assert_eq!(resource(&server, &access).await, 401);
    let end = exchange(&server, "app", &second).await;
    assert_eq!(end.refusal(), (400, "invalid_grant"));
    // Another grant of the same client to the same account is not touched.
    assert_eq!(exchange(&server, "app", &unrelated).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_and_a_blind_retry_end_the_grant() {
    let server = OidcProvider::start(settings()).await;
    let first = server.issue_refresh_token("app", "somebody").await;
    let lost = Fault::After(Misbehaviour::Drop);
    server.fault_at(Endpoint::Token, 1, lost).await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first.as_str()),
    ];
    let answer = try_post(&server.token_url(), &basic("app", "secret"), &form).await;
    assert!(answer.is_none());
    assert_eq!(
        server.live_tokens("app").await.len(),
        2,
        "made, and seen by nobody"
    );

    let retry = exchange(&server, "app", &first).await;
    assert_eq!(retry.refusal(), (400, "invalid_grant"));
    assert_eq!(server.live_tokens("app").await, []);
}

#[tokio::test]
async fn a_refused_exchange_uses_nothing_up() {
    let server = OidcProvider::start(settings()).await;
    let token = server.issue_refresh_token("app", "somebody").await;
    let stolen = exchange(&server, "other", &token).await;
    assert_eq!(stolen.refusal(), (400, "invalid_grant"));
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
    ];
    let wrong = post(&server.token_url(), &basic("app", "wrong"), &form).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client"));
    let wide = [form[0], form[1], ("scope", "api:write")];
    let wide = post(&server.token_url(), &basic("app", "secret"), &wide).await;
    assert_eq!(wide.refusal(), (400, "invalid_scope"));
    let unknown = exchange(&server, "app", "never-issued").await;
    assert_eq!(unknown.refusal(), (400, "invalid_grant"));
    assert_eq!(exchange(&server, "app", &token).await.status, 200);
}

#[tokio::test]
async fn a_revoked_grant_ends_its_tokens() {
    let server = OidcProvider::start(settings()).await;
    let first = server.issue_refresh_token("app", "somebody").await;
    let answer = exchange(&server, "app", &first).await;
    server.revoke_grant(&answer.text("access_token")).await;
    assert_eq!(server.live_tokens("app").await, []);
    let end = exchange(&server, "app", &answer.text("refresh_token")).await;
    assert_eq!(end.refusal(), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_refresh_token_may_stay_the_same() {
    let server = OidcProvider::start(settings().keep_refresh_tokens()).await;
    let token = server.issue_refresh_token("app", "somebody").await;
    for _ in 0..2 {
        let answer = exchange(&server, "app", &token).await;
        assert_eq!(answer.text("refresh_token"), token);
    }
}

#[tokio::test]
async fn tokens_expire() {
    let settings = settings().access_token_ttl(Duration::from_secs(1));
    let server = OidcProvider::start(settings.refresh_token_ttl(Duration::from_secs(3))).await;
    let token = server.issue_refresh_token("app", "somebody").await;
    let answer = exchange(&server, "app", &token).await;
    assert_eq!(answer.body["expires_in"], 1);
    let (access, token) = (answer.text("access_token"), answer.text("refresh_token"));
    let expired = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while !server.live_tokens("app").await.is_empty() {
            ticks.tick().await;
        }
    };
    let expired = tokio::time::timeout(Duration::from_secs(20), expired).await;
    expired.expect("tokens expire");
    assert_eq!(resource(&server, &access).await, 401);
    let late = exchange(&server, "app", &token).await;
    assert_eq!(late.refusal(), (400, "invalid_grant"));
}
