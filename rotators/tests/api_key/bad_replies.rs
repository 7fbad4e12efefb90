//! Replies that a provider should not give: a clear error, nothing lost, and the next try completes.

use harness::key_server::{KeyServer, Manners, Misbehaviour};
use harness::proxy::Fault;
use secrets_core::rotation::{Reason, RotationError};
use secrets_core::rotator::RotatorErrorKind::{self, Misconfigured, Refused, Unreachable};
use secrets_core::store::Label;
use serde_json::json;

use crate::hidden::{assert_absent, shown};
use crate::provider::Kind;
use crate::{Stage, of_rotator};

/// No key, no token and no word of the reply is in the error.
pub(crate) fn assert_silent(stage: &Stage, fault: &RotationError) {
    let words = shown(fault);
    for key in stage.provider.values() {
        assert_absent(&words, &key);
    }
    for secret in [
        harness::key_server::ADMIN,
        "sentinel-of-the-administrator",
        "quoted",
    ] {
        assert_absent(&words, secret);
    }
}

fn several(status: u16, header: &'static str, value: String) -> Misbehaviour {
    Misbehaviour::Answer {
        status,
        headers: vec![(header, value)],
        body: "quoted".to_owned(),
    }
}

/// The reply stands in for that of the request that makes a key, after its effect: the worst time.
async fn after_the_making(
    kind: Kind,
    reply: Misbehaviour,
) -> (RotatorErrorKind, Option<String>, String) {
    let stage = Stage::start(kind).await;
    stage.rotate(1).await;
    let before = stage.current().await;
    stage.begin(2);
    stage.provider.reset();
    let call = if kind == Kind::InPlace { 2 } else { 1 };
    stage.provider.fault_at(call, Fault::After(reply));
    let fault = stage.send_all(2).await.expect_err("a bad reply");
    assert_silent(&stage, &fault);
    assert_eq!(stage.current().await, before);

    stage.provider.reset();
    stage.send_all(2).await.expect("one more try");
    let after = stage.current().await;
    assert!(stage.provider.serves(&after));
    assert_ne!(after, before);
    let at_rest = if kind == Kind::InPlace { 1 } else { 2 };
    assert_eq!(stage.provider.live(), at_rest, "nothing is left over");
    let fault = of_rotator(&fault);
    (
        fault.kind(),
        fault.code().map(str::to_owned),
        fault.to_string(),
    )
}

#[tokio::test]
async fn a_reply_that_makes_no_sense_loses_nothing() {
    let huge = "x".repeat(100 * 1024);
    let answer = Misbehaviour::answer;
    for (reply, kind, code, words) in [
        (
            answer(200, "<html>quoted</html>"),
            Misconfigured,
            "200",
            "without a text",
        ),
        (answer(200, ""), Misconfigured, "200", "without a text"),
        (
            answer(200, r#"{"key": {"secret": "", "id": "a"}, "secret": ""}"#),
            Misconfigured,
            "200",
            "without a text",
        ),
        (
            answer(
                200,
                r#"{"key": {"secret": "quoted\n", "id": "a"}, "secret": "a\u0000b"}"#,
            ),
            Misconfigured,
            "200",
            "printable ASCII",
        ),
        (
            answer(
                200,
                r#"{"error": "quoted", "key": {"secret": "quoted", "id": "a"}}"#,
            ),
            Misconfigured,
            "200",
            "does not answer as it should",
        ),
        (
            answer(200, r#"{"error": "invalid_client"}"#),
            Refused,
            "200/invalid_client",
            "an error inside",
        ),
        (
            several(503, "retry-after", "soon".into()),
            Unreachable,
            "503",
            "cannot serve at the moment; try again later",
        ),
        (answer(200, &huge), Misconfigured, "200", "more than 64 KiB"),
        (
            several(307, "location", "http://127.0.0.1:1/".into()),
            Misconfigured,
            "307",
            "not followed",
        ),
    ] {
        for way in [Kind::ThreeSlots, Kind::InPlace] {
            let seen = after_the_making(way, reply.clone()).await;
            assert_eq!(
                (seen.0, seen.1.as_deref()),
                (kind, Some(code)),
                "{way:?} {}",
                seen.2
            );
            assert!(seen.2.contains(words), "{way:?} {}", seen.2);
        }
    }
}

#[tokio::test]
async fn an_id_that_cannot_be_used_is_not_stored() {
    for (id, words) in [
        (json!(null), "without a text"),
        (json!(""), "without a text"),
        (json!(["quoted"]), "without a text"),
        (json!("a\nb"), "without a text"),
        (json!("."), "cannot be part of a URL"),
        (json!(".."), "cannot be part of a URL"),
    ] {
        let reply = json!({"key": {"secret": "quoted", "id": id}}).to_string();
        let seen = after_the_making(Kind::ThreeSlots, Misbehaviour::answer(201, reply)).await;
        assert_eq!(seen.0, Misconfigured);
        assert!(seen.2.contains(words), "{id}: {}", seen.2);
    }
}

#[tokio::test]
async fn an_id_with_slashes_leads_to_no_other_place_and_a_number_is_an_id() {
    let stage = Stage::start(Kind::TwoSlots).await;
    stage.begin(1);
    let (_, key) = stage.provider.make("of the test");
    let reply = json!({"key": {"secret": key, "id": "../../admin?all=1#x"}}).to_string();
    stage
        .provider
        .fault_at(1, Fault::Before(Misbehaviour::answer(201, reply)));
    stage.send_all(1).await.expect("an odd id");
    stage.provider.reset();
    stage.rotate(2).await;
    let calls = stage.provider.calls();
    let deleted = calls.iter().find(|call| call.request.starts_with("DELETE"));
    assert_eq!(
        deleted.expect("a deletion").request,
        "DELETE /keys/..%2F..%2Fadmin%3Fall%3D1%23x"
    );

    let provider = KeyServer::start(Manners {
        numeric_ids: true,
        ..Manners::default()
    })
    .await;
    let store = secrets_core::store::memory::MemoryStore::new();
    let first = Kind::ThreeSlots.populate(&provider, &store);
    let version = "first-version-of-the-api-key-0000".into();
    store
        .put_current(&crate::SECRET.into(), &version, &first)
        .expect("a first value");
    let stage = Stage {
        provider,
        store,
        kind: Kind::ThreeSlots,
    };
    for n in 1..=3 {
        stage.rotate(n).await;
    }
    assert_eq!(stage.provider.live(), 2);
    assert_eq!(stage.text(Label::Current, "key_id").await, "70004");
}

#[tokio::test]
async fn the_current_value_is_no_new_one() {
    for kind in [Kind::ThreeSlots, Kind::InPlace] {
        let stage = Stage::start(kind).await;
        let current = stage.current().await;
        stage.begin(1);
        let reply = json!({"key": {"secret": current, "id": "new"}, "secret": current}).to_string();
        let call = if kind == Kind::InPlace { 2 } else { 1 };
        stage
            .provider
            .fault_at(call, Fault::Before(Misbehaviour::answer(200, reply)));
        let fault = stage.send_all(1).await.expect_err("the same value");
        assert_silent(&stage, &fault);
        assert!(
            of_rotator(&fault)
                .to_string()
                .contains("answers with the current"),
            "{fault:?}"
        );
        stage.provider.reset();
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn being_asked_too_often_is_told_with_the_time() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    stage.begin(1);
    stage
        .provider
        .fault_at(1, Fault::Before(several(429, "retry-after", "900".into())));
    let fault = stage.send_all(1).await.expect_err("too often");
    assert_silent(&stage, &fault);
    let fault = of_rotator(&fault);
    assert_eq!((fault.kind(), fault.code()), (Unreachable, Some("429")));
    assert!(
        fault
            .to_string()
            .contains("try again after 900 seconds (Retry-After)"),
        "{fault}"
    );
    stage.provider.reset();
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn what_is_gone_is_deleted_and_what_may_not_be_deleted_is_an_error() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    stage.rotate(1).await;
    let previous = stage.text(Label::Previous, "key_id").await;
    stage.provider.delete(&previous);
    stage.rotate(2).await;

    stage.begin(3);
    stage.provider.reset();
    // Three steps test it, then the deletion comes.
    stage
        .provider
        .fault_at(5, Fault::Before(Misbehaviour::answer(403, "quoted")));
    let fault = stage.send_all(3).await.expect_err("not allowed");
    assert_silent(&stage, &fault);
    let words = of_rotator(&fault).to_string();
    assert!(words.contains("the URL of `delete`"), "{words}");
    assert!(
        words.contains("check how `delete` of the configuration authenticates"),
        "{words}"
    );
    assert_eq!(stage.provider.live(), 3);
    stage.provider.reset();
    stage.send_all(3).await.expect("one more try");
    assert_eq!(stage.provider.live(), 2);
}

#[tokio::test]
async fn an_administrator_whose_token_was_revoked_is_named() {
    let stage = Stage::start(Kind::ThreeSlots).await;
    stage.begin(1);
    stage.provider.revoke_admin(true);
    let fault = stage.send_all(1).await.expect_err("revoked");
    assert_silent(&stage, &fault);
    let fault = of_rotator(&fault);
    assert_eq!(
        (fault.kind(), fault.code()),
        (Refused, Some("401/invalid_client"))
    );
    assert!(
        fault
            .to_string()
            .contains("check how `create` of the configuration authenticates"),
        "{fault}"
    );
    stage.provider.revoke_admin(false);
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn what_is_no_verdict_on_the_key_is_an_error() {
    for (status, body, kind) in [
        (200, "<html>quoted</html>", Misconfigured),
        (200, r#"{"note": "quoted"}"#, Misconfigured),
        (403, r#"{"title": "quoted"}"#, Refused),
        (404, "", Misconfigured),
        (429, "", Unreachable),
        (500, "quoted", Unreachable),
    ] {
        let stage = Stage::start(Kind::ThreeSlots).await;
        let before = stage.current().await;
        stage.begin(1);
        stage
            .provider
            .fault_at(2, Fault::Before(Misbehaviour::answer(status, body)));
        let fault = stage.send_all(1).await.expect_err("no verdict");
        assert_silent(&stage, &fault);
        assert_eq!(of_rotator(&fault).kind(), kind, "{fault:?}");
        assert_eq!(stage.current().await, before);
        stage.provider.reset();
        stage.send_all(1).await.expect("one more try");
    }
}

#[tokio::test]
async fn a_value_that_the_provider_refuses_is_discarded() {
    let stage = Stage::start(Kind::Chosen).await;
    stage.begin(1);
    let mut configuration = stage.configuration();
    configuration["generate"]["prefix"] = json!("wrong-");
    configuration["set"]["refused_value"] = json!([422]);
    let fault = stage.send_all_with(&configuration, 1).await;
    let fault = fault.expect_err("a weak value");
    assert!(
        matches!(
            fault.reason,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    stage.rotate(2).await;
}
