//! Tokens for a client, and which error means that its secret is wrong.

use harness::oidc::{OidcProvider, Settings, TokenKind};
use serde_json::json;

use crate::client::{basic, post, raw_basic, resource};

type Form<'a> = &'a [(&'a str, &'a str)];

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn server() -> OidcProvider {
    let settings = Settings::new()
        .client(json!({"client_id": "basic", "client_secret": "secret-1"}))
        .client(json!({
            "client_id": "post", "client_secret": "secret-2",
            "token_endpoint_auth_method": "client_secret_post",
        }))
        .client(json!({"client_id": "odd", "client_secret": "a+b%2F:c"}))
        .client(json!({
            "client_id": "narrow", "client_secret": "secret-3", "scope": "api:read",
        }));
    OidcProvider::start(settings).await
}

#[tokio::test]
async fn each_request_mints_a_token_and_all_live_side_by_side() {
    let server = server().await;
    let url = server.token_url();
    let login = basic("basic", "secret-1");
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let answer = post(&url, &login, &[GRANT]).await;
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 3600);
        assert!(answer.body["refresh_token"].is_null());
        tokens.push(answer.text("access_token"));
    }
    let live = server.live_tokens("basic").await;
    assert!(
        live.iter()
            .all(|it| it.kind == TokenKind::ClientCredentials)
    );
    let live: Vec<_> = live.into_iter().map(|it| it.token).collect();
    assert_eq!(live, tokens);
    assert_eq!(server.live_tokens("post").await, []);
    for token in tokens {
        assert_eq!(resource(&server, &token).await, 200);
    }
    assert_eq!(resource(&server, "never-issued").await, 401);
}

#[tokio::test]
async fn a_secret_may_come_in_the_header_or_in_the_body_whichever_was_registered() {
    let server = server().await;
    let url = server.token_url();
    for (id, secret) in [("basic", "secret-1"), ("post", "secret-2")] {
        post(&url, &basic(id, secret), &[GRANT])
            .await
            .text("access_token");
        let form = [GRANT, ("client_id", id), ("client_secret", secret)];
        post(&url, "", &form).await.text("access_token");
    }
}

#[tokio::test]
async fn the_header_holds_form_encoded_texts() {
    let server = server().await;
    let url = server.token_url();
    post(&url, &basic("odd", "a+b%2F:c"), &[GRANT])
        .await
        .text("access_token");

    // Not encoded, `+` is a space and `%2F` a slash: the right secret is refused as wrong.
    let answer = post(&url, &raw_basic("odd", "a+b%2F:c"), &[GRANT]).await;
    assert_eq!(answer.refusal(), (401, "invalid_client"));
    // And what is no encoding at all is a request that is not understood.
    let answer = post(&url, &raw_basic("odd", "100%"), &[GRANT]).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
}

#[tokio::test]
async fn only_a_refused_client_is_invalid_client() {
    let server = server().await;
    let url = server.token_url();
    let good = basic("basic", "secret-1");
    let wrong = basic("basic", "wrong");
    let nobody = basic("nobody", "secret-1");
    let in_body = |secret| [GRANT, ("client_id", "basic"), ("client_secret", secret)];
    let cases: [(&str, Form, (u16, &str)); 10] = [
        (&wrong, &[GRANT], (401, "invalid_client")),
        (&nobody, &[GRANT], (401, "invalid_client")),
        ("", &in_body("wrong"), (401, "invalid_client")),
        ("", &[GRANT], (400, "invalid_request")),
        (&good, &in_body("secret-1"), (400, "invalid_request")),
        (&good, &[], (400, "invalid_request")),
        (
            &good,
            &[("grant_type", "password")],
            (400, "unsupported_grant_type"),
        ),
        // RFC 6749 has `unauthorized_client` for this one.
        (
            &good,
            &[("grant_type", "refresh_token")],
            (400, "invalid_request"),
        ),
        (
            &basic("narrow", "secret-3"),
            &[GRANT, ("scope", "api:write")],
            (400, "invalid_scope"),
        ),
        (
            &wrong,
            &[("grant_type", "password")],
            (401, "invalid_client"),
        ),
    ];
    for (authorization, form, expected) in cases {
        let answer = post(&url, authorization, form).await;
        assert_eq!(answer.refusal(), expected, "{form:?}");
        // RFC 6749, section 5.2: a challenge where the header was used, and only there.
        let challenge = answer.headers.contains_key("www-authenticate");
        let by_header = expected.0 == 401 && !authorization.is_empty();
        assert_eq!(challenge, by_header, "{form:?}");
    }
    assert_eq!(server.live_tokens("basic").await, []);
}

#[tokio::test]
async fn scope_and_resource_are_narrowed_and_named() {
    let server = server().await;
    let url = server.token_url();
    let login = basic("narrow", "secret-3");
    let answer = post(&url, &login, &[GRANT, ("scope", "api:read")]).await;
    assert_eq!(answer.body["scope"], "api:read");

    let form = [
        GRANT,
        ("scope", "api:read"),
        ("resource", "https://api.example.com/"),
    ];
    let token = post(&url, &login, &form).await.text("access_token");
    let asked = post(&server.introspection_url(), &login, &[("token", &token)]).await;
    assert_eq!(asked.body["aud"], "https://api.example.com/");
    assert_eq!(asked.body["scope"], "api:read");
}
