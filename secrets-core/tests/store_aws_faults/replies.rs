//! Faults that the next try makes good, or finds done; and what goes over the wire.

use harness::proxy::{Fault, HttpAction};
use harness::secrets_manager::Moto;
use secrets_core::document::SecretDocument;
use secrets_core::store::{SecretStore, StoreErrorKind};
use serde_json::json;

use crate::call::{Call, ROTATION, VALUE, emulated, id, quick, store_at, v};

#[tokio::test]
async fn a_lost_reply_or_a_single_fault_is_made_good_by_the_next_try() {
    let (_moto, wire, proxy, store) = emulated().await;
    wire.begin_rotation(id().as_str(), v("2").as_str()).await;

    // Stored twice, under the same token: the second time changes nothing.
    proxy.fault_at(1, Fault::After(HttpAction::Drop));
    Call::Put.run(&store).await.expect("idempotent");
    let puts = proxy.calls();
    assert_eq!(puts.len(), 2);
    assert_eq!(puts[0], puts[1]);
    assert_eq!(puts[0].body["ClientRequestToken"], v("2").as_str());
    assert_eq!(puts[0].body["RotationToken"], ROTATION);
    assert_eq!(puts[0].body["VersionStages"], json!(["AWSPENDING"]));
    let pending = wire.value(id().as_str(), "AWSPENDING").await;
    assert_eq!(pending.as_deref(), Some(VALUE));

    // A call that was throttled, or did not get there, is made once more.
    let throttled = HttpAction::Status {
        code: 400,
        aws_code: "ThrottlingException".into(),
    };
    for (call, action) in [
        (Call::Get, throttled.clone()),
        (Call::Describe, HttpAction::Drop),
        (Call::Promote, throttled),
        (Call::Discard, HttpAction::Drop),
    ] {
        proxy.reset();
        proxy.fault_at(1, Fault::Before(action));
        call.run(&store).await.expect("the second try");
        assert_eq!(proxy.operations(), [call.operation(); 2]);
    }
    let labels = wire.stages(id().as_str()).await;
    assert_eq!(labels[v("2").as_str()], json!(["AWSCURRENT"]));
    assert_eq!(labels[v("1").as_str()], json!(["AWSPREVIOUS"]));
}

#[tokio::test]
async fn a_move_whose_reply_is_lost_is_done_and_answers_conflict() {
    let (_moto, wire, proxy, store) = emulated().await;
    Call::Put.run(&store).await.expect("no fault yet");
    let moved = Some("InvalidParameterException");
    for (call, second, first) in [
        (
            Call::Promote,
            json!(["AWSPENDING", "AWSCURRENT"]),
            json!(["AWSPREVIOUS"]),
        ),
        (Call::Discard, json!(["AWSCURRENT"]), json!(["AWSPREVIOUS"])),
    ] {
        proxy.reset();
        proxy.fault_at(1, Fault::After(HttpAction::Drop));
        // The second try finds the label moved: whoever asked has to look at the labels.
        call.fails(&store, StoreErrorKind::Conflict, moved).await;
        assert_eq!(proxy.operations(), [call.operation(); 2]);
        let labels = wire.stages(id().as_str()).await;
        assert_eq!(labels[v("2").as_str()], second);
        assert_eq!(labels[v("1").as_str()], first);
    }
}

#[tokio::test]
async fn a_label_of_our_own_whose_reply_is_lost_is_put_and_taken_off_all_the_same() {
    let (_moto, wire, proxy, store) = emulated().await;
    let (mark, look) = (Call::Mark.operation(), Call::Describe.operation());
    for (call, labels, asked) in [
        // The emulator takes a repeat for another label of the same name, so one has to be taken off.
        (
            Call::Mark,
            json!(["AWSCURRENT", "NOTE", "NOTE"]),
            vec![mark, mark],
        ),
        (Call::Unmark, json!(["AWSCURRENT", "NOTE"]), vec![mark]),
        // The second try finds it gone, and the labels say that this is what was wanted.
        (Call::Unmark, json!(["AWSCURRENT"]), vec![mark, mark, look]),
    ] {
        proxy.reset();
        if asked.len() > 1 {
            proxy.fault_at(1, Fault::After(HttpAction::Drop));
        }
        call.run(&store)
            .await
            .expect("the label is as it was to be");
        assert_eq!(proxy.operations(), asked);
        assert_eq!(wire.stages(id().as_str()).await[v("1").as_str()], labels);
    }
}

#[tokio::test]
async fn an_error_tells_the_request_id() {
    let moto = Moto::start().await;
    let store = store_at(moto.endpoint(), &quick());
    let fault = Call::Get.run(&store).await.expect_err("no such secret");
    let request = fault.request_id.as_deref().expect("the emulator sends one");
    assert!(!request.is_empty() && fault.to_string().contains(request));
}

#[tokio::test]
async fn a_value_put_without_a_rotation_token_sends_none() {
    let (_moto, _wire, proxy, store) = emulated().await;
    let value = SecretDocument::from_bytes(vec![0, 255]);
    let put = store.put_pending(&id(), &v("2"), &value, None).await;
    put.expect("no fault");
    let body = &proxy.calls()[0].body;
    assert!(body["RotationToken"].is_null() && body["SecretString"].is_null());
    assert_eq!(body["SecretBinary"], "AP8=");
}
