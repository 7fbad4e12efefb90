//! Rotations without a fault, request by request.

use harness::key_server::Misbehaviour;
use harness::proxy::Fault;
use rotators::api_key::{ApiKey, ApiKeyCredential};
use secrets_core::document::SecretDocument;
use secrets_core::rotator::{Context, Rotator};
use secrets_core::store::Label;
use serde_json::json;

use crate::provider::{ADMIN_SECRET, Kind};
use crate::{SECRET, Stage, settings, version};

#[tokio::test]
async fn each_kind_of_provider_is_sent_what_it_needs_and_no_more() {
    for (kind, first, later) in [
        (
            Kind::ThreeSlots,
            "POST /keys, GET /me, GET /me, GET /me",
            "POST /keys, GET /me, GET /me, GET /me, DELETE",
        ),
        (
            Kind::TwoSlots,
            "POST /keys, GET /me, GET /me, GET /me, DELETE",
            "POST /keys, GET /me, GET /me, GET /me, DELETE",
        ),
        (
            Kind::TwoSlotsNext,
            "POST /keys, GET /me, GET /me, GET /me",
            "DELETE, POST /keys, GET /me, GET /me, GET /me",
        ),
        (
            Kind::ClientSecret,
            "POST /token, POST /keys, POST /token, POST /token, POST /token",
            "POST /token, POST /keys, POST /token, POST /token, POST /token, POST /token, DELETE",
        ),
        (
            Kind::Chosen,
            "GET /me, GET /me, PUT /key, GET /me, GET /me",
            "GET /me, GET /me, PUT /key, GET /me, GET /me",
        ),
        (
            Kind::InPlace,
            "GET /key, POST /key/rotate, GET /me, GET /me, GET /me",
            "GET /key, POST /key/rotate, GET /me, GET /me, GET /me",
        ),
    ] {
        let stage = Stage::start(kind).await;
        let mut keys = vec![stage.current().await];
        for n in 1..=4 {
            stage.begin(n);
            stage.provider.reset();
            stage.send_all(n).await.expect("a rotation");
            let expected = if n == 1 { first } else { later };
            assert_eq!(
                stage.provider.requests().join(", "),
                expected,
                "{kind:?} {n}"
            );
            let key = stage.current().await;
            assert!(stage.provider.serves(&key), "{kind:?}");
            assert!(!keys.contains(&key), "{kind:?}");
            let overlaps = matches!(
                kind,
                Kind::ThreeSlots | Kind::TwoSlotsNext | Kind::ClientSecret
            );
            assert_eq!(stage.provider.serves(&keys[n - 1]), overlaps, "{kind:?}");
            assert_eq!(stage.provider.live(), if overlaps { 2 } else { 1 });
            keys.push(key);
        }
    }
}

#[tokio::test]
async fn the_secret_holds_the_ids_of_both_keys() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    for n in 1..=3 {
        let before = stage.text(Label::Current, "key_id").await;
        stage.rotate(n).await;
        assert_eq!(stage.text(Label::Current, "previous_key_id").await, before);
        assert!(
            stage
                .provider
                .has(&stage.text(Label::Current, "key_id").await)
        );
        assert!(stage.provider.has(&before));
    }
    let calls = stage.provider.calls();
    let created = calls.iter().find(|call| call.request == "POST /keys");
    let created = created.expect("a key was made");
    assert_eq!(created.content_type, "application/json");
    assert_eq!(
        created.body,
        r#"{"name":"rotated 00000000-0000-0000-0000-000000000001"}"#
    );
    assert_eq!(
        created.authorization,
        format!("Bearer {}", harness::key_server::ADMIN)
    );
}

#[tokio::test]
async fn a_client_id_stays_and_a_wrong_scope_is_no_wrong_secret() {
    let stage = Stage::start(Kind::ClientSecret).await;
    let before = stage.text(Label::Current, "secret_id").await;
    stage.rotate(1).await;
    assert_eq!(stage.text(Label::Current, "client_id").await, "app");
    assert_eq!(
        stage.text(Label::Current, "previous_secret_id").await,
        before
    );
    // After the management token and the making.
    stage.begin(2);
    stage.provider.reset();
    let refusal = Misbehaviour::answer(400, r#"{"error": "invalid_scope"}"#);
    stage.provider.fault_at(3, Fault::Before(refusal));
    let fault = stage.send_all(2).await.expect_err("a wrong scope");
    assert_eq!(
        crate::of_rotator(&fault).code(),
        Some("400/invalid_scope"),
        "{fault:?}"
    );
    stage.provider.reset();
    stage.send_all(2).await.expect("one more try");
}

/// The engine compares whole credentials; a secret that was edited by hand may name one id twice.
#[tokio::test]
async fn an_id_that_a_kept_version_names_is_not_deleted() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    let rotator = ApiKey::new(stage.store.clone(), settings(&stage.configuration()));
    let credential = |key: &str| {
        let secret = json!({"api_key": key, "key_id": "key-1", "masterarn": ADMIN_SECRET});
        let secret = SecretDocument::from_text(&secret.to_string());
        ApiKeyCredential::try_from(&secret).expect("an object")
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    let cx = Context::new(SECRET.into(), version(1), deadline);
    let (old, kept) = (credential("old"), credential("new"));
    let retired = rotator.retire(&old, &[&kept], &cx).await;
    retired.expect("nothing to do");
    assert!(stage.provider.has("key-1"));
    assert!(stage.provider.calls().is_empty());
}
