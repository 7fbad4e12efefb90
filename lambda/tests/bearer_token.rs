//! Bearer tokens as they are rotated when deployed: event, binary, Secrets Manager over the wire, and a
//! provider with one token an API key.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

#[path = "support/deployed.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod deployed;

use std::path::Path;

use harness::lambda_host::LambdaHost;
use harness::oauth_provider::OAuthProvider;
use harness::secrets_manager::Moto;
use secrets_core::testing::sentinel;
use serde_json::{Value, json};

use deployed::Deployed;

const SECRET: &str = "Demo/Twitter_bearer_token";

struct Stage {
    provider: OAuthProvider,
    function: Deployed,
    /// Of the secrets of both API keys.
    keys: [String; 2],
}

impl Stage {
    async fn start(api_keys: &str) -> Self {
        let (provider, moto) = tokio::join!(OAuthProvider::start(), Moto::start());
        let secrets = moto.client();
        let mut keys = Vec::new();
        // The base64 of `key-N:secret-N`.
        for (key, secret, basic, name) in [
            (
                "key-1",
                "secret-1",
                "Basic a2V5LTE6c2VjcmV0LTE=",
                "Demo/Twitter_API_Key",
            ),
            (
                "key-2",
                "secret-2",
                "Basic a2V5LTI6c2VjcmV0LTI=",
                "Demo/Twitter_API_Key_2",
            ),
        ] {
            provider.add_app(key, basic);
            let value = json!({"consumer_key": key, "consumer_secret": secret});
            keys.push(secrets.create_secret(name, &value.to_string()).await);
        }
        let keys: [String; 2] = keys.try_into().expect("two");
        let mut value = json!({
            "access_token": provider.token_of("key-1"), "token_type": "bearer", "masterarn": keys[0],
        });
        if api_keys == "two" {
            value["masterarns"] = json!(keys);
        }
        let arn = secrets.create_secret(SECRET, &value.to_string()).await;
        let env = [
            ("SECRETS_MANAGER_ENDPOINT", moto.endpoint()),
            ("TWITTER_OAUTH2_TOKEN_URL", &provider.token_url()),
            (
                "TWITTER_OAUTH2_INVALID_TOKEN_URL",
                &provider.invalidate_url(),
            ),
            ("TWITTER_SEARCH_URL", &provider.test_url()),
            ("API_KEYS", api_keys),
        ];
        let lambda = LambdaHost::start(Path::new(env!("CARGO_BIN_EXE_rotate_bearer_token")), &env);
        Self {
            provider,
            function: Deployed { moto, lambda, arn },
            keys,
        }
    }

    async fn current(&self) -> Value {
        self.function.value("AWSCURRENT").await
    }
}

/// A token as the secret holds it.
fn token(value: &Value) -> &str {
    value["access_token"].as_str().expect("a token")
}

#[tokio::test]
async fn a_token_of_one_key_rotates() {
    let stage = Stage::start("one").await;
    let before = stage.current().await;
    stage.function.rotate(1).await.expect("a rotation");
    let after = stage.current().await;
    assert!(stage.provider.serves(token(&after)));
    assert!(!stage.provider.serves(token(&before)), "one key, one token");
    assert_eq!(after["masterarn"], stage.keys[0]);
    for token in stage.provider.tokens() {
        assert_eq!(sentinel::found(&token, &stage.function.lambda.logs()), None);
    }
}

#[tokio::test]
async fn tokens_of_two_keys_take_turns() {
    let stage = Stage::start("two").await;
    for n in 1..=2 {
        let before = stage.current().await;
        stage.function.rotate(n).await.expect("a rotation");
        let after = stage.current().await;
        assert!(stage.provider.serves(token(&after)));
        assert!(stage.provider.serves(token(&before)), "no gap");
        assert_ne!(token(&after), token(&before));
        assert_eq!(after["masterarn"], stage.keys[n % 2]);
        assert_eq!(after["masterarns"], json!(stage.keys));
    }
    for token in stage.provider.tokens() {
        assert_eq!(sentinel::found(&token, &stage.function.lambda.logs()), None);
    }
}
