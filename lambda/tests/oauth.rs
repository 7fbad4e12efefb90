//! What `rotate_oauth` rotates, as it is deployed: event, binary, Secrets Manager over the wire, and a certified
//! OAuth server.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;
use std::time::Duration;

use harness::key_server::{ADMIN, KeyServer, Manners};
use harness::lambda_host::LambdaHost;
use harness::oidc::{OidcProvider, Settings};
use harness::secrets_manager::Moto;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};

const CLIENT_SECRET: &str = "sentinel-of-the-client-secret-32";

/// A server with one client, which may do all that is tested here.
async fn provider() -> OidcProvider {
    let client = json!({
        "client_id": "reports", "client_secret": CLIENT_SECRET, "client_name": "Reports",
        "grant_types": ["client_credentials", "refresh_token"],
    });
    let settings = Settings::new().client(client).new_secret_on_update();
    // Secrets Manager rotates every four hours at most.
    let ttl = Duration::from_hours(12);
    OidcProvider::start(settings.access_token_ttl(ttl)).await
}

/// Rotates `secret` twice, and gives its three values in their order.
async fn rotate(kind: &str, configuration: &Value, first: Value) -> [Value; 3] {
    let moto = Moto::start().await;
    let secrets = moto.client();
    let arn = secrets
        .create_secret("shop/credential", &first.to_string())
        .await;
    let configuration = configuration.to_string();
    let env = [
        ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
        ("OAUTH_ROTATES", kind),
        ("CONFIGURATION", &configuration),
    ];
    let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_oauth")), &env);
    let mut values = vec![first];
    for n in 1..=2 {
        let rotated = deployed::rotate(&moto, &lambda, &arn, n).await;
        rotated.unwrap_or_else(|fault| panic!("{kind}: {fault:?}"));
        let value = secrets.value(&arn, "AWSCURRENT").await.expect("a value");
        values.push(serde_json::from_str(&value).expect("JSON"));
    }
    let logs = lambda.logs();
    for value in &values {
        for key in [
            "access_token",
            "refresh_token",
            "client_secret",
            "registration_access_token",
        ] {
            if let Some(text) = value[key].as_str() {
                assert_eq!(sentinel::found(text, &logs), None, "{kind}: {key}");
            }
        }
    }
    values.try_into().expect("three values")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{key}`"))
}

#[tokio::test]
async fn tokens_rotate_and_the_superseded_one_is_revoked() {
    let provider = provider().await;
    let configuration = json!({
        "token_url": provider.token_url(),
        "test": {"url": provider.resource_url()},
        "revoke": {"url": provider.revocation_url()},
    });
    let first = json!({"client_id": "reports", "client_secret": CLIENT_SECRET, "note": 1.5});
    let [_, one, two] = rotate("tokens", &configuration, first).await;
    assert_ne!(one["access_token"], two["access_token"]);
    for value in [&one, &two] {
        assert!(
            provider.is_live(text(value, "access_token")).await,
            "no gap"
        );
        assert_eq!(value["note"], json!(1.5));
    }
}

#[tokio::test]
async fn a_chain_of_refresh_tokens_goes_on() {
    let provider = provider().await;
    let configuration = json!({
        "token_url": provider.token_url(),
        "test": {"url": provider.resource_url()},
    });
    let first = json!({
        "client_id": "reports", "client_secret": CLIENT_SECRET,
        "refresh_token": provider.issue_refresh_token("reports", "account").await,
    });
    let [zero, one, two] = rotate("refresh-chain", &configuration, first).await;
    assert_ne!(zero["refresh_token"], one["refresh_token"]);
    assert_ne!(one["refresh_token"], two["refresh_token"]);
    for value in [&one, &two] {
        assert!(
            provider.is_live(text(value, "access_token")).await,
            "no gap"
        );
    }
}

#[tokio::test]
async fn a_registered_client_gets_a_new_secret() {
    let provider = provider().await;
    let configuration = json!({
        "allowed_hosts": ["127.0.0.1"],
        "test": {"mint": {"token_url": provider.token_url()}},
    });
    let first = json!({
        "client_id": "reports", "client_secret": CLIENT_SECRET,
        "registration_client_uri": format!("{}/reports", provider.registration_url()),
        "registration_access_token": provider.registration_access_token("reports").await,
    });
    let [zero, one, two] = rotate("registration", &configuration, first).await;
    assert_ne!(zero["client_secret"], one["client_secret"]);
    assert_ne!(one["client_secret"], two["client_secret"]);
    let client = provider.client("reports").await.expect("a client");
    assert_eq!(client["client_secret"], two["client_secret"]);
}

#[tokio::test]
async fn a_client_secret_gets_a_successor_with_an_id() {
    let provider = KeyServer::start(Manners::default()).await;
    let headers = json!({"Authorization": format!("Bearer {ADMIN}")});
    let configuration = json!({
        "credential": "client_secret",
        "create": {
            "url": provider.url("/keys"), "headers": headers, "json": {"name": "rotated {version}"},
            "value": "/key/secret", "id": "/key/id",
        },
        "list": {
            "url": provider.url("/keys"), "headers": headers, "items": "/keys", "id": "/id", "name": "/name",
        },
        "delete": {"url": provider.url("/keys/{retired.secret_id}"), "headers": headers},
        "test": {
            "url": provider.url("/me"),
            "headers": {"Authorization": "Bearer {candidate.client_secret}"},
        },
    });
    let (id, secret) = provider.make("made by hand");
    let first = json!({"client_id": "reports", "client_secret": secret, "secret_id": id});
    let [zero, one, two] = rotate("client-secret", &configuration, first).await;
    assert_eq!(one["previous_secret_id"], zero["secret_id"]);
    assert_eq!(two["previous_secret_id"], one["secret_id"]);
    assert!(!provider.serves(text(&zero, "client_secret")), "superseded");
    for value in [&one, &two] {
        assert!(provider.serves(text(value, "client_secret")), "no gap");
    }
}
