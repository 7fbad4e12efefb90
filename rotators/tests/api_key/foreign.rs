//! Keys that the secret does not name, and keys of the secret that are not there.

use harness::key_server::Misbehaviour;
use harness::proxy::Fault;
use serde_json::json;

use crate::bad_replies::assert_silent;
use crate::hidden::shown;
use crate::provider::Kind;
use crate::{Stage, of_rotator};

#[tokio::test]
async fn a_foreign_key_that_takes_the_room_is_named_and_never_deleted() {
    for kind in [
        Kind::TwoSlots,
        Kind::TwoSlotsNext,
        Kind::ThreeSlots,
        Kind::Dated,
    ] {
        let stage = Stage::start(kind).await;
        let foreign: Vec<_> = (0..2).map(|_| stage.provider.make("foreign").0).collect();
        stage.begin(1);
        let fault = stage.send_all(1).await.expect_err("no room");
        assert_silent(&stage, &fault);
        let words = of_rotator(&fault).to_string();
        for id in &foreign {
            assert!(words.contains(&format!("`{id}`")), "{kind:?} {words}");
            assert!(stage.provider.has(id), "{kind:?}");
        }
        assert!(
            !words.contains("key-1`"),
            "the current one is not named: {words}"
        );
        for id in &foreign {
            stage.provider.delete(id);
        }
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn without_names_two_that_may_be_the_orphan_are_left_alone() {
    let stage = Stage::start(Kind::Dated).await;
    stage.begin(1);
    stage.provider.fault_at(1, Fault::After(Misbehaviour::Drop));
    stage.send_all(1).await.expect_err("a lost reply");
    let (foreign, _) = stage.provider.make("foreign");
    stage.provider.reset();
    let fault = stage.send_all(1).await.expect_err("which one?");
    let words = of_rotator(&fault).to_string();
    assert!(words.contains("which one cannot be told"), "{words}");
    assert!(
        words.contains(&format!("`{foreign}`")) && words.contains("`key-2`"),
        "{words}"
    );
    assert_eq!(stage.provider.live(), 3, "nothing was deleted");
    stage.provider.delete("key-2");
    stage.provider.reset();
    let fault = stage.send_all(1).await;
    // The foreign one is young as well, and now the only one: the orphan, as far as can be told.
    fault.expect("one more try");
    assert!(!stage.provider.has(&foreign));
}

#[tokio::test]
async fn a_key_of_the_secret_that_is_missing_is_named_before_anything_is_sent() {
    for (key, kind) in [
        ("api_key", Kind::ThreeSlots),
        ("key_id", Kind::ThreeSlots),
        ("masterarn", Kind::ThreeSlots),
        ("api_key", Kind::InPlaceUnread),
    ] {
        let stage = Stage::start(kind).await;
        let mut secret = json!({
            "api_key": stage.current().await, "key_id": "key-1", "masterarn": crate::provider::ADMIN_SECRET,
        });
        secret.as_object_mut().expect("an object").remove(key);
        let secret = secrets_core::document::SecretDocument::from_text(&secret.to_string());
        let other = "second-version-of-the-api-key-000".into();
        stage
            .store
            .put_current(&crate::SECRET.into(), &other, &secret)
            .expect("a value");
        stage.begin(1);
        let fault = stage.send_all(1).await.expect_err("a missing key");
        let words = shown(&fault);
        assert!(
            words.contains(&format!("`{key}` is missing; add it to the secret")),
            "{words}"
        );
        assert!(stage.provider.calls().is_empty(), "{key}: {words}");
    }
}
