//! What revocation ends, which is more than the token, and what introspection tells.

use harness::oidc::{OidcProvider, Settings};
use serde_json::json;

use crate::client::{Answer, basic, post, resource};

async fn server() -> OidcProvider {
    let client = |id: &str| {
        json!({
            "client_id": id, "client_secret": "secret",
            "grant_types": ["client_credentials", "refresh_token"],
        })
    };
    OidcProvider::start(
        Settings::new()
            .client(client("app"))
            .client(client("other")),
    )
    .await
}

async fn mint(server: &OidcProvider) -> String {
    let form = [("grant_type", "client_credentials")];
    let answer = post(&server.token_url(), &basic("app", "secret"), &form).await;
    answer.text("access_token")
}

/// A grant after one exchange: the used refresh token, the access token, the live refresh token.
async fn grant(server: &OidcProvider) -> [String; 3] {
    let used = server.issue_refresh_token("app", "somebody").await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", used.as_str()),
    ];
    let answer = post(&server.token_url(), &basic("app", "secret"), &form).await;
    let (access, live) = (answer.text("access_token"), answer.text("refresh_token"));
    [used, access, live]
}

async fn revoke(server: &OidcProvider, login: &str, token: &str) -> Answer {
    post(&server.revocation_url(), login, &[("token", token)]).await
}

async fn ask(server: &OidcProvider, client: &str, token: &str) -> Answer {
    let login = basic(client, "secret");
    post(&server.introspection_url(), &login, &[("token", token)]).await
}

#[tokio::test]
async fn a_token_of_client_credentials_is_revoked_alone() {
    let server = server().await;
    let (one, other) = (mint(&server).await, mint(&server).await);
    let login = basic("app", "secret");
    let answer = revoke(&server, &login, &one).await;
    assert_eq!((answer.status, &answer.body), (200, &json!(null)));
    assert_eq!(resource(&server, &one).await, 401);
    assert_eq!(resource(&server, &other).await, 200);
    // Once more, and one that never was: no difference.
    assert_eq!(revoke(&server, &login, &one).await.status, 200);
    assert_eq!(revoke(&server, &login, "never-issued").await.status, 200);
}

#[tokio::test]
async fn any_token_of_a_grant_takes_all_the_others_along_when_revoked() {
    let server = server().await;
    let login = basic("app", "secret");
    for which in [
        "the used refresh token",
        "the access token",
        "the live refresh token",
    ] {
        let [used, access, live] = grant(&server).await;
        let token = match which {
            "the used refresh token" => &used,
            "the access token" => &access,
            _ => &live,
        };
        assert_eq!(revoke(&server, &login, token).await.status, 200);
        assert!(!server.is_live(&live).await, "{which}");
        assert_eq!(resource(&server, &access).await, 401, "{which}");
    }
}

#[tokio::test]
async fn what_is_refused_revokes_nothing() {
    let server = server().await;
    let token = mint(&server).await;
    let answer = revoke(&server, &basic("other", "secret"), &token).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));

    let answer = revoke(&server, &basic("app", "wrong"), &token).await;
    assert_eq!(answer.refusal(), (401, "invalid_client"));
    let answer = post(&server.revocation_url(), &basic("app", "secret"), &[]).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    // What looks like a JWT is refused, since the server issues none that it could revoke.
    let structured = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";
    let answer = revoke(&server, &basic("app", "secret"), structured).await;
    assert_eq!(answer.refusal(), (400, "unsupported_token_type"));
    assert_eq!(resource(&server, &token).await, 200);
}

#[tokio::test]
async fn introspection_tells_live_from_dead() {
    let server = server().await;
    let token = mint(&server).await;
    let answer = ask(&server, "app", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["active"], true);
    assert_eq!(answer.body["client_id"], "app");
    assert_eq!(answer.body["iss"], server.issuer());
    assert_eq!(answer.body["token_type"], "Bearer");
    let time = |name: &str| answer.body[name].as_i64().expect("a time");
    assert_eq!(time("exp") - time("iat"), 3600);

    let [used, access, live] = grant(&server).await;
    let of_account = ask(&server, "app", &access).await;
    assert_eq!(of_account.body["sub"], "somebody");
    let refresh = ask(&server, "app", &live).await;
    assert_eq!(refresh.body["active"], true);
    assert!(refresh.body["token_type"].is_null());
    for dead in [used.as_str(), "never-issued"] {
        assert_eq!(
            ask(&server, "app", dead).await.body,
            json!({"active": false})
        );
    }
    // Asking about a used refresh token is not a replay.
    assert!(server.is_live(&live).await);
}

#[tokio::test]
async fn any_client_may_ask_about_any_token_and_only_a_client_may() {
    let server = server().await;
    let token = mint(&server).await;
    assert_eq!(ask(&server, "other", &token).await.body["active"], true);
    let url = server.introspection_url();
    let wrong = post(&url, &basic("app", "wrong"), &[("token", &token)]).await;
    assert_eq!(wrong.refusal(), (401, "invalid_client"));
    let nobody = post(&url, "", &[("token", &token)]).await;
    assert_eq!(nobody.refusal(), (400, "invalid_request"));
}
