//! Token rotation against a certified OAuth server, whose rules nobody here has written.
#![cfg(feature = "http")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::oidc::{Endpoint, Misbehaviour, OidcProvider, Settings};
use harness::proxy::Fault;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rotators::configuration;
use rotators::oauth::refresh_chain::{RefreshChain, RefreshSettings};
use rotators::oauth::token_client::{ClientCredential, Grant, TokenClient, TokenEndpoint};
use rotators::oauth::tokens::{TokenSettings, Tokens};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use secrets_core::document::SecretDocument;
use secrets_core::event::VersionId;
use secrets_core::rotation::{Reason, Rotation, RotationError};
use secrets_core::rotator::{Context, Rotator, Verdict};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretReader, Version};
use secrets_core::testing::Driver;
use serde_json::{Value, json};
use tokio::time::Instant;

const SECRET: &str = "shop/tokens";
const CLIENT: &str = "reports";
/// Holds what must be encoded in a header or a form.
const CLIENT_SECRET: &str = "of+a/test client & 32 bytes long%";
const P256: &str = include_str!("oauth/keys/p256.pem");

/// The public half, as a client registers it.
fn jwks() -> Value {
    let der = PrivateKeyDer::from_pem_slice(P256.as_bytes()).expect("a key");
    let random = SystemRandom::new();
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_der(), &random);
    let pair = pair.expect("a key");
    let point = pair.public_key().as_ref();
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]),
        "kid": "key-7", "use": "sig", "alg": "ES256",
    }]})
}

async fn server(authentication: &str) -> OidcProvider {
    let mut client = json!({
        "client_id": CLIENT,
        "token_endpoint_auth_method": authentication,
        "grant_types": ["client_credentials", "refresh_token"],
    });
    if authentication == "private_key_jwt" {
        client["jwks"] = jwks();
    } else {
        client["client_secret"] = CLIENT_SECRET.into();
    }
    let settings = Settings::new()
        .client(client)
        .access_token_ttl(Duration::from_hours(24));
    OidcProvider::start(settings).await
}

fn put(store: &MemoryStore, version: &str, value: &Value) {
    let mut value = value.clone();
    for (key, text) in [
        ("client_id", CLIENT),
        ("client_secret", CLIENT_SECRET),
        ("private_key", P256),
        ("key_id", "key-7"),
    ] {
        value[key] = text.into();
    }
    let value = SecretDocument::from_text(&value.to_string());
    let version = VersionId::from(format!("by-hand-{version:0>32}"));
    store
        .put_current(&SECRET.into(), &version, &value)
        .expect("a value");
}

fn version(n: usize) -> VersionId {
    format!("00000000-0000-0000-0000-{n:012}").into()
}

/// The four events, up to the first that fails.
async fn send_all(
    store: &MemoryStore,
    rotator: impl Rotator,
    n: usize,
) -> Result<(), RotationError> {
    let rotation = Rotation::new(store.clone(), rotator);
    let driver = Driver::new(store, &rotation, &SECRET.into());
    driver.send_all(&version(n)).await.map(drop)
}

async fn text(store: &MemoryStore, label: Label, key: &'static str) -> String {
    let version = store.get(&SECRET.into(), &Version::Labelled(label)).await;
    let text = version.expect("a version").document.text(key);
    text.expect("a text").expose_secret().to_owned()
}

fn configuration(server: &OidcProvider, authentication: &str) -> Value {
    let mut configuration = json!({
        "token_url": server.token_url(), "client_authentication": authentication,
        "test": {"url": server.resource_url(), "accepted": {"equal": {"/client_id": CLIENT}}},
    });
    if authentication == "private_key_jwt" {
        configuration["assertion"] = json!({"algorithm": "ES256"});
    }
    configuration
}

#[tokio::test]
async fn client_credentials_are_rotated_and_revoked_in_every_way_of_authentication() {
    for (registered, configured) in [
        ("client_secret_basic", "basic"),
        ("client_secret_post", "post"),
        ("client_secret_jwt", "client_secret_jwt"),
        ("private_key_jwt", "private_key_jwt"),
    ] {
        let server = server(registered).await;
        let store = MemoryStore::new();
        put(&store, "1", &json!({}));
        let mut configuration = configuration(&server, configured);
        configuration["revoke"] = json!({"url": server.revocation_url()});
        let mut tokens = Vec::new();
        for n in 1..=4 {
            if n == 4 {
                // Asked about instead of used.
                configuration
                    .as_object_mut()
                    .expect("an object")
                    .remove("test");
                configuration["introspect"] = json!({"url": server.introspection_url()});
            }
            let settings = TokenSettings::parse(&configuration.to_string()).expect("settings");
            store
                .begin_rotation(&SECRET.into(), &version(n))
                .expect("no other rotation");
            let ended = send_all(&store, Tokens::new(store.clone(), settings), n).await;
            ended.unwrap_or_else(|fault| panic!("{configured}: {fault:?}\n{}", server.log()));
            tokens.push(text(&store, Label::Current, "access_token").await);
            assert!(!text(&store, Label::Current, "expires_at").await.is_empty());
        }
        let mut live = Vec::new();
        for token in &tokens {
            live.push(server.is_live(token).await);
        }
        // The first version had no token to revoke, so the first token is superseded by the third.
        assert_eq!(live, [false, false, true, true], "{configured}");
        assert_eq!(server.count(Endpoint::Revocation).await, 2, "{configured}");
    }
}

#[tokio::test]
async fn a_chain_is_exchanged_once_a_rotation_and_never_twice() {
    let server = server("client_secret_post").await;
    let store = MemoryStore::new();
    let authorised =
        async || json!({"refresh_token": server.issue_refresh_token(CLIENT, "somebody").await});
    put(&store, "1", &authorised().await);
    let configuration = configuration(&server, "post").to_string();
    let rotator = || {
        let settings = RefreshSettings::parse(&configuration).expect("settings");
        RefreshChain::new(store.clone(), settings)
    };
    for n in 1..=3 {
        let before = text(&store, Label::Current, "refresh_token").await;
        store
            .begin_rotation(&SECRET.into(), &version(n))
            .expect("no other rotation");
        let ended = send_all(&store, rotator(), n).await;
        ended.unwrap_or_else(|fault| panic!("{fault:?}\n{}", server.log()));
        let after = text(&store, Label::Current, "refresh_token").await;
        assert!(server.is_live(&after).await && !server.is_live(&before).await);
        let token = text(&store, Label::Current, "access_token").await;
        assert!(server.is_live(&token).await);
    }

    // The reply is lost: this server would end the grant on a second use.
    server.reset().await;
    server
        .fault_at(Endpoint::Token, 1, Fault::After(Misbehaviour::Drop))
        .await;
    store
        .begin_rotation(&SECRET.into(), &version(4))
        .expect("no other rotation");
    send_all(&store, rotator(), 4).await.expect_err("no reply");
    for _ in 0..2 {
        let fault = send_all(&store, rotator(), 4).await.expect_err("a stop");
        assert!(
            matches!(fault.reason, Reason::Unrepeatable { .. }),
            "{fault:?}"
        );
    }
    assert_eq!(
        server.count(Endpoint::Token).await,
        1,
        "nothing is sent again"
    );
    let token = text(&store, Label::Current, "access_token").await;
    assert!(server.is_live(&token).await, "applications go on");

    // A person authorises again.
    put(&store, "2", &authorised().await);
    store
        .begin_rotation(&SECRET.into(), &version(5))
        .expect("no other rotation");
    send_all(&store, rotator(), 5).await.expect("a rotation");

    // The grant is taken back.
    let refresh = text(&store, Label::Current, "refresh_token").await;
    server.revoke_grant(&refresh).await;
    store
        .begin_rotation(&SECRET.into(), &version(6))
        .expect("no other rotation");
    let fault = send_all(&store, rotator(), 6).await.expect_err("no grant");
    let Reason::Rotator(fault) = fault.reason else {
        panic!("{fault:?}");
    };
    assert_eq!(fault.code(), Some("400/invalid_grant"));
}

#[tokio::test]
async fn a_client_is_tried_by_the_token_that_it_gets() {
    let server = server("client_secret_basic").await;
    let text = json!({"token_url": server.token_url()}).to_string();
    let endpoint = configuration::read(&text, |fields| {
        TokenEndpoint::read(fields, [("client_credentials", Grant::ClientCredentials)])
    });
    let tokens = TokenClient::new(endpoint.expect("an endpoint"));
    let deadline = Instant::now() + Duration::from_secs(30);
    let cx = Context::new(SECRET.into(), version(1), deadline);
    for (secret, verdict) in [
        (CLIENT_SECRET, Verdict::Accepted),
        ("another", Verdict::Rejected),
    ] {
        let value = json!({"client_id": CLIENT, "client_secret": secret}).to_string();
        let client = ClientCredential::new(&SecretDocument::from_text(&value));
        assert_eq!(tokens.accepts(&client, &cx).await, Ok(verdict));
    }
    server.set_down(true).await;
    let value = json!({"client_id": CLIENT, "client_secret": CLIENT_SECRET}).to_string();
    let client = ClientCredential::new(&SecretDocument::from_text(&value));
    assert!(
        tokens.accepts(&client, &cx).await.is_err(),
        "out of reach is no verdict"
    );
}
