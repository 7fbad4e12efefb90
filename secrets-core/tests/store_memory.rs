//! The in-memory store holds to the contract of every store, and to the service's rules beyond it.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::ExposeSecret;
use secrets_core::document::{Exposed, SecretDocument};
use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{
    Label, SecretReader, SecretState, SecretStore, StoreError, StoreErrorKind, Version,
};
use secrets_core::testing::store_contract::{MemoryFixture, run_all};

#[tokio::test]
async fn it_holds_to_the_contract() {
    if let Err(broken) = run_all(&MemoryFixture::new(|memory| memory), &[]).await {
        panic!("{broken}");
    }
}

#[tokio::test]
async fn so_does_a_shared_one() {
    if let Err(broken) = run_all(&MemoryFixture::new(Arc::new), &[]).await {
        panic!("{broken}");
    }
}

#[tokio::test]
async fn so_does_the_one_that_tests_break_while_nothing_is_broken() {
    if let Err(broken) = run_all(&MemoryFixture::new(support::FaultyStore::new), &[]).await {
        panic!("{broken}");
    }
}

fn id() -> SecretId {
    "app/db".into()
}

fn v(name: &str) -> VersionId {
    format!("{name:0>32}").into()
}

fn text(text: &str) -> SecretDocument {
    SecretDocument::from_text(text)
}

/// A store whose secret has the version 1, and a rotation under way to the empty version 2.
fn rotating() -> MemoryStore {
    let store = MemoryStore::new();
    store
        .put_current(&id(), &v("1"), &text("one"))
        .expect("a new secret");
    store
        .begin_rotation(&id(), &v("2"))
        .expect("the first rotation");
    store
}

async fn state(store: &MemoryStore) -> SecretState {
    store.describe(&id()).await.expect("the secret is there")
}

async fn holder(store: &MemoryStore, label: Label) -> Option<VersionId> {
    state(store).await.holder(&label).cloned()
}

async fn put(store: &MemoryStore, version: &str, value: &str) -> Result<(), StoreError> {
    let value = text(value);
    store.put_pending(&id(), &v(version), &value, None).await
}

async fn promote(store: &MemoryStore, from: &str, to: &str) -> Result<(), StoreError> {
    store.promote(&id(), &v(from), &v(to)).await
}

async fn current(store: &MemoryStore) -> String {
    let version = store.get(&id(), &Version::CURRENT).await;
    match version.expect("a current value").document.expose() {
        Exposed::Text(text) => text.expose_secret().to_owned(),
        Exposed::Binary(_) => panic!("bytes where text was put"),
    }
}

fn refused<T>(reply: Result<T, StoreError>, kind: StoreErrorKind, code: &str) {
    let fault = reply.err().expect("a refusal");
    assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(code)));
}

fn invalid<T>(reply: Result<T, StoreError>) {
    refused(reply, StoreErrorKind::Invalid, "InvalidRequestException");
}

fn not_found<T>(reply: Result<T, StoreError>) {
    refused(reply, StoreErrorKind::NotFound, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_rotation_does_not_begin_while_another_is_unfinished() {
    let store = rotating();
    invalid(store.begin_rotation(&id(), &v("3")));
    put(&store, "2", "two").await.expect("the placeholder");
    invalid(store.begin_rotation(&id(), &v("3")));
    assert_eq!(holder(&store, Label::Pending).await, Some(v("2")));
}

#[tokio::test]
async fn the_same_rotation_may_begin_again_and_keeps_its_value() {
    let store = rotating();
    store
        .begin_rotation(&id(), &v("2"))
        .expect("while it is empty");
    put(&store, "2", "two").await.expect("the placeholder");
    store.begin_rotation(&id(), &v("2")).expect("the same one");
    promote(&store, "1", "2").await.expect("a filled version");
    assert_eq!(current(&store).await, "two");
}

#[tokio::test]
async fn a_rotation_may_begin_after_one_that_was_finished_or_discarded() {
    let store = rotating();
    put(&store, "2", "two").await.expect("the placeholder");
    promote(&store, "1", "2").await.expect("a filled version");
    // The service takes it off, or leaves it where it is; both count as finished.
    assert_eq!(holder(&store, Label::Pending).await, Some(v("2")));
    store
        .begin_rotation(&id(), &v("3"))
        .expect("after a finished one");
    assert_eq!(holder(&store, Label::Pending).await, Some(v("3")));

    let discard = store.discard_pending(&id(), &v("3")).await;
    discard.expect("it sits there");
    store
        .begin_rotation(&id(), &v("4"))
        .expect("after a discarded one");
    assert_eq!(holder(&store, Label::Pending).await, Some(v("4")));
    assert_eq!(holder(&store, Label::Current).await, Some(v("2")));
}

#[tokio::test]
async fn a_cancelled_rotation_is_switched_off_and_keeps_awspending() {
    let store = rotating();
    store.cancel_rotation(&id()).expect("the secret is there");
    assert_eq!(state(&store).await.rotation_enabled, Some(false));
    assert_eq!(holder(&store, Label::Pending).await, Some(v("2")));
    store.begin_rotation(&id(), &v("2")).expect("the same one");
    assert_eq!(state(&store).await.rotation_enabled, Some(true));
}

#[tokio::test]
async fn a_new_current_value_abandons_the_rotation() {
    let store = rotating();
    put(&store, "2", "two").await.expect("the placeholder");
    let by_hand = store.put_current(&id(), &v("3"), &text("three"));
    by_hand.expect("a new version");
    assert_eq!(holder(&store, Label::Pending).await, None);
    assert_eq!(holder(&store, Label::Current).await, Some(v("3")));
    assert_eq!(holder(&store, Label::Previous).await, Some(v("1")));
    store
        .begin_rotation(&id(), &v("4"))
        .expect("none is under way");
}

#[tokio::test]
async fn a_current_value_put_again_changes_nothing() {
    let store = rotating();
    let before = state(&store).await;
    store
        .put_current(&id(), &v("1"), &text("one"))
        .expect("the same");
    assert_eq!(state(&store).await, before);

    let other = store.put_current(&id(), &v("1"), &text("other"));
    refused(other, StoreErrorKind::Conflict, "ResourceExistsException");
    assert_eq!(state(&store).await, before);
    assert_eq!(current(&store).await, "one");
}

#[tokio::test]
async fn an_empty_version_is_not_promoted() {
    let store = rotating();
    let before = state(&store).await;
    let reply = promote(&store, "1", "2").await;
    refused(reply, StoreErrorKind::Conflict, "InvalidParameterException");
    assert_eq!(state(&store).await, before);
}

#[tokio::test]
async fn a_current_version_promoted_onto_itself_keeps_its_labels() {
    let store = rotating();
    put(&store, "2", "two").await.expect("the placeholder");
    promote(&store, "1", "2").await.expect("a filled version");
    let before = state(&store).await.versions;
    promote(&store, "2", "2")
        .await
        .expect("it is there already");
    assert_eq!(state(&store).await.versions, before);
}

#[tokio::test]
async fn a_promotion_dates_the_last_rotation() {
    let store = rotating();
    put(&store, "2", "two").await.expect("the placeholder");
    assert_eq!(state(&store).await.last_rotated, None);
    promote(&store, "1", "2").await.expect("a filled version");
    assert!(state(&store).await.last_rotated.is_some());
}

#[tokio::test]
async fn a_version_without_labels_is_not_listed_and_can_be_read() {
    let store = rotating();
    put(&store, "2", "two").await.expect("the placeholder");
    let discard = store.discard_pending(&id(), &v("2")).await;
    discard.expect("it sits there");
    assert!(!state(&store).await.versions.contains_key(&v("2")));
    let found = store.get(&id(), &Version::Id(v("2"))).await;
    assert!(found.is_ok_and(|found| found.labels.is_empty()));
}

#[tokio::test]
async fn a_secret_marked_for_deletion_takes_no_rotation_and_no_value() {
    let store = rotating();
    store.delete(&id()).expect("the secret is there");
    invalid(store.begin_rotation(&id(), &v("2")));
    let put = store.put_current(&id(), &v("3"), &text("three"));
    invalid(put);
    assert!(state(&store).await.deleted);
    assert_eq!(holder(&store, Label::Pending).await, Some(v("2")));
}

#[test]
fn an_unknown_secret_is_neither_rotated_nor_cancelled_nor_deleted() {
    let store = MemoryStore::new();
    not_found(store.begin_rotation(&id(), &v("1")));
    not_found(store.cancel_rotation(&id()));
    not_found(store.delete(&id()));
}

#[tokio::test]
async fn tags_are_read_without_a_value() {
    let store = rotating();
    assert_eq!(store.tags(&id()).await, Ok(BTreeMap::new()));
    for (key, value) in [("aws:team:a", "1"), ("b", "2"), ("b", "3")] {
        store.tag(&id(), key, value).expect("a secret");
    }
    store.delete(&id()).expect("a secret");
    let shared = Arc::new(store.clone());
    let tags = shared.tags(&id()).await.expect("tags");
    let tags: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(tags, [("aws:team:a", "1"), ("b", "3")]);
    let unknown = "unknown".into();
    not_found(store.tag(&unknown, "a", "1"));
    let fault = store.tags(&unknown).await.expect_err("no such secret");
    assert_eq!(
        (fault.kind, fault.operation),
        (StoreErrorKind::NotFound, "DescribeSecret")
    );
}

#[tokio::test]
async fn clones_share_their_secrets() {
    let store = rotating();
    put(&store.clone(), "2", "two")
        .await
        .expect("the placeholder");
    promote(&store.clone(), "1", "2")
        .await
        .expect("a filled version");
    assert_eq!(current(&store).await, "two");
}

#[test]
fn debug_shows_no_value() {
    let store = MemoryStore::new();
    let value = text(r#"{"password": "sentinel-a"}"#);
    store
        .put_current(&id(), &v("1"), &value)
        .expect("a new secret");
    let value = text("sentinel-b");
    store
        .put_current(&id(), &v("2"), &value)
        .expect("a new version");
    let shown = format!("{store:?}");
    assert!(shown.contains("app/db") && !shown.contains("sentinel"));
}
