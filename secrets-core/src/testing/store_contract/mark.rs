//! What [`mark`](crate::store::SecretStore::mark) and [`unmark`](crate::store::SecretStore::unmark) say.

use super::StoreFixture;
use super::case::{Case, Held, note, version};
use crate::store::StoreErrorKind::{Conflict, Invalid, NotFound};
use crate::store::{Label, SecretStore};

pub(super) async fn mark_puts_the_label_onto_the_version<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    case.store().mark(&case.id, &case.first, &note()).await?;
    case.has(note(), Some(&case.first)).await
}

pub(super) async fn mark_leaves_the_other_labels_alone<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    let (store, id) = (case.store(), &case.id);
    let other = Label::from("CONTRACT-OTHER");
    store.mark(id, &second, &other).await?;
    for version in [&case.first, &second, &third] {
        store.mark(id, version, &note()).await?;
        case.has(Label::Previous, Some(&case.first)).await?;
        case.has(Label::Current, Some(&second)).await?;
        case.has(Label::Pending, Some(&third)).await?;
        case.has(other.clone(), Some(&second)).await?;
        store.unmark(id, version, &note()).await?;
    }
    Ok(())
}

pub(super) async fn mark_repeated_succeeds_and_changes_nothing<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let (store, id) = (case.store(), &case.id);
    store.mark(id, &case.first, &note()).await?;
    let before = case.snapshot().await?;
    store.mark(id, &case.first, &note()).await?;
    before.compare(&case.snapshot().await?)?;
    // It is there once: it goes at once.
    store.unmark(id, &case.first, &note()).await?;
    case.has(note(), None).await
}

pub(super) async fn mark_of_a_label_that_sits_on_another_version_is_conflict_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    let (store, id, note) = (case.store(), &case.id, note());
    store.mark(id, &case.first, &note).await?;
    let elsewhere = store.mark(id, &second, &note);
    case.refuses(&[Conflict], elsewhere).await
}

pub(super) async fn mark_of_a_version_that_is_not_there_is_an_error_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let (absent, note) = (version("absent"), note());
    let mark = case.store().mark(&case.id, &absent, &note);
    case.refuses(&[Conflict, Invalid, NotFound], mark).await
}

pub(super) async fn unmark_takes_the_label_off<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let (store, id) = (case.store(), &case.id);
    store.mark(id, &case.first, &note()).await?;
    store.unmark(id, &case.first, &note()).await?;
    case.has(note(), None).await
}

pub(super) async fn unmark_leaves_the_other_labels_alone<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    let (store, id) = (case.store(), &case.id);
    for version in [&case.first, &second, &third] {
        store.mark(id, version, &note()).await?;
        store.unmark(id, version, &note()).await?;
        case.has(Label::Previous, Some(&case.first)).await?;
        case.has(Label::Current, Some(&second)).await?;
        case.has(Label::Pending, Some(&third)).await?;
    }
    Ok(())
}

pub(super) async fn unmark_of_a_version_that_does_not_hold_the_label_succeeds_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    let (store, id) = (case.store(), &case.id);
    // It sits nowhere,
    let before = case.snapshot().await?;
    store.unmark(id, &case.first, &note()).await?;
    before.compare(&case.snapshot().await?)?;
    // or elsewhere.
    store.mark(id, &case.first, &note()).await?;
    let before = case.snapshot().await?;
    store.unmark(id, &second, &note()).await?;
    before.compare(&case.snapshot().await?)
}
