//! All ways in which a client proves itself, checked by a provider that means it.

use harness::token_server::{Proof, VerifyingKey};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use serde_json::{Value, json};

use crate::{CLIENT, CLIENT_SECRET, Stage};

const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("keys/rsa-pkcs1.pem");
const RSA_1024: &str = include_str!("keys/rsa-1024.pem");
const P256: &str = include_str!("keys/p256.pem");
const P256_SEC1: &str = include_str!("keys/p256-sec1.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");

/// A stage whose client proves itself in this way, and has these further keys in its secret.
async fn stage(authentication: &Value, proof: Proof, keys: &Value) -> Stage {
    let mut stage = Stage::start().await;
    stage.configuration["client_authentication"] = authentication.clone();
    stage.server.add_client(CLIENT, proof);
    let mut secret = json!({"access_token": stage.server.issue(CLIENT), "client_id": CLIENT});
    for (key, value) in keys.as_object().expect("an object") {
        secret[key] = value.clone();
    }
    stage.put(&secret);
    stage
}

/// Rotates twice, with revocation, in form and JSON.
async fn rotates(mut stage: Stage, place: &str) {
    stage.configuration["revoke"] =
        json!({"url": stage.server.url("revoke"), "when": "after_promotion"});
    stage.rotate(1).await;
    stage.configuration["body"] = json!("json");
    stage.rotate(2).await;
    assert!(stage.server.serves(&stage.current().await), "{place}");
    let previous = stage.text(Label::Previous, "access_token").await;
    let previous = previous.expect("a token");
    assert!(!stage.server.serves(&previous), "{place}: revoked");
}

#[tokio::test]
async fn with_a_secret() {
    let keys = json!({"client_secret": CLIENT_SECRET});
    let secret = CLIENT_SECRET.to_owned();
    let own_header = json!({"header": "X-Auth", "value": "Token {client_id}:{client_secret}"});
    let header = format!("Token {CLIENT}:{CLIENT_SECRET}");
    for (authentication, proof) in [
        (json!("basic"), Proof::Basic(secret.clone())),
        (json!("post"), Proof::Post(secret.clone())),
        (
            json!("client_secret_jwt"),
            Proof::Assertion(VerifyingKey::Shared(secret)),
        ),
        (own_header, Proof::Header("x-auth", header)),
        (json!("none"), Proof::None),
    ] {
        rotates(
            stage(&authentication, proof, &keys).await,
            &authentication.to_string(),
        )
        .await;
    }
}

#[tokio::test]
async fn with_a_private_key_in_every_form() {
    for (algorithm, pem, public) in [
        ("RS256", RSA, RSA),
        ("RS256", RSA_PKCS1, RSA),
        ("PS256", RSA, RSA),
        ("ES256", P256, P256),
        ("ES256", P256_SEC1, P256),
        ("EdDSA", ED25519, ED25519),
    ] {
        let key = VerifyingKey::of(algorithm, public).named("key-7");
        let keys = json!({"private_key": pem, "key_id": "key-7"});
        let mut stage = stage(&json!("private_key_jwt"), Proof::Assertion(key), &keys).await;
        stage.configuration["assertion"] = json!({"algorithm": algorithm});
        // A signature has a length of its own each time: try a few.
        for n in 3..8 {
            stage.rotate(n).await;
        }
        rotates(stage, algorithm).await;
    }
}

#[tokio::test]
async fn a_signed_assertion_is_a_grant_of_its_own() {
    let keys = json!({"private_key": P256, "account": "robot@example.com"});
    let mut stage = stage(&json!("none"), Proof::None, &keys).await;
    stage
        .server
        .set_rules(|rules| rules.audience = Some("https://login.example.com".into()));
    stage
        .server
        .trust("robot@example.com", VerifyingKey::of("ES256", P256));
    stage.configuration["grant"] = json!("jwt_bearer");
    stage.configuration["assertion"] = json!({
        "algorithm": "ES256", "audience": "https://login.example.com", "issuer": "{account}",
        "subject": "{account}", "claims": {"scope": "a b"},
    });
    rotates(stage, "jwt_bearer").await;
}

#[tokio::test]
async fn an_assertion_works_once_and_says_which_clock_is_wrong() {
    let key = VerifyingKey::of("ES256", P256);
    let keys = json!({"private_key": P256});
    let mut stage = stage(&json!("private_key_jwt"), Proof::Assertion(key), &keys).await;
    stage.configuration["assertion"] = json!({"algorithm": "ES256"});
    stage.begin(1);
    // Behind by more than the back-dating, and ahead by more than the lifetime.
    for offset in [-15, 75] {
        stage.server.set_rules(|rules| rules.clock_offset = offset);
        let fault = stage.fails(1).await;
        assert_eq!(fault.kind(), RotatorErrorKind::Refused);
        assert_eq!(fault.code(), Some("401/invalid_client"));
        for words in [
            "`assertion.backdate_seconds`",
            "`assertion.lifetime_seconds`",
        ] {
            assert!(fault.to_string().contains(words), "{words}: {fault}");
        }
    }
    stage.configuration["assertion"]["backdate_seconds"] = json!(30);
    stage.configuration["assertion"]["lifetime_seconds"] = json!(120);
    for (n, offset) in [(1, -15), (2, 75)] {
        stage.server.set_rules(|rules| rules.clock_offset = offset);
        if n > 1 {
            stage.begin(n);
        }
        stage.send_all(n).await.expect("within what is allowed for");
    }
    let requests = stage.server.requests();
    let mut assertions: Vec<_> = requests
        .iter()
        .filter_map(|request| request.parameters.get("client_assertion"))
        .collect();
    assertions.sort();
    assertions.dedup();
    assert_eq!(assertions.len(), 4, "each is another one");
}

#[tokio::test]
async fn a_key_that_does_not_fit_is_named_before_anything_is_sent() {
    let broken = format!("{}sentinel{}", &RSA[..200], &RSA[220..]);
    for (authentication, algorithm, keys, words) in [
        ("basic", None, json!({}), "`client_secret` is missing"),
        (
            "basic",
            None,
            json!({"client_secret": 17}),
            "`client_secret` is missing, empty or no text",
        ),
        (
            "client_secret_jwt",
            None,
            json!({"client_secret": "sentinel-of-31-bytes-0123456789"}),
            "`client_secret` is too short to sign with HS256",
        ),
        (
            "private_key_jwt",
            Some("RS256"),
            json!({}),
            "`private_key` is missing",
        ),
        (
            "private_key_jwt",
            Some("RS256"),
            json!({"private_key": "sentinel"}),
            "`private_key` must be a private key in PEM form",
        ),
        (
            "private_key_jwt",
            Some("RS256"),
            json!({"private_key": broken}),
            "`private_key` is a key that cannot sign",
        ),
        (
            "private_key_jwt",
            Some("RS256"),
            json!({"private_key": RSA_1024}),
            "`private_key` is a key that cannot sign",
        ),
        (
            "private_key_jwt",
            Some("ES256"),
            json!({"private_key": RSA}),
            "`private_key` does not fit `assertion.algorithm` ES256",
        ),
        (
            "private_key_jwt",
            Some("RS256"),
            json!({"private_key": P256}),
            "`private_key` does not fit `assertion.algorithm` RS256",
        ),
        (
            "mtls",
            None,
            json!({"private_key": P256}),
            "`certificate` is missing",
        ),
        (
            "mtls",
            None,
            json!({"private_key": P256, "certificate": "sentinel"}),
            "`certificate` must be one or more certificates",
        ),
    ] {
        let mut stage = stage(&json!(authentication), Proof::None, &keys).await;
        if let Some(algorithm) = algorithm {
            stage.configuration["assertion"] = json!({"algorithm": algorithm});
        }
        stage.begin(1);
        let fault = stage.fails(1).await;
        assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured, "{fault}");
        let text = fault.to_string();
        assert!(text.starts_with("in the secret `"), "{text}");
        assert!(text.contains(words), "{words}: {text}");
        assert!(stage.server.requests().is_empty());
        stage.configuration["client_authentication"] = json!("none");
        stage
            .configuration
            .as_object_mut()
            .expect("an object")
            .remove("assertion");
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn parameters_and_headers_are_filled_in_from_the_secret() {
    let keys = json!({"client_secret": CLIENT_SECRET, "tenant": "T&1", "account": "sentinel 7"});
    let mut stage = stage(&json!("basic"), Proof::Basic(CLIENT_SECRET.into()), &keys).await;
    stage.configuration["scope"] = json!("read write");
    stage.configuration["audience"] = json!("https://api.example.com/");
    stage.configuration["resource"] = json!(["https://a.example", "https://b.example"]);
    stage.configuration["parameters"] = json!({"account_id": "{account}", "scope": "all"});
    stage.configuration["headers"] = json!({"X-Tenant": "{{{tenant}}}"});
    stage.rotate(1).await;
    let request = stage.server.requests().remove(0);
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("scope", "all"),
        ("audience", "https://api.example.com/"),
        ("resource", "https://b.example"),
        ("account_id", "sentinel 7"),
    ] {
        assert_eq!(request.parameters[name], value, "{name}");
    }
    assert_eq!(request.headers["x-tenant"], "{T&1}");

    stage.configuration["parameters"] = json!({"account_id": "{nothing}"});
    stage.begin(2);
    let fault = stage.fails(2).await.to_string();
    assert!(fault.contains("`nothing` is missing"), "{fault}");
    assert!(fault.contains("`parameters` needs it"), "{fault}");
}
