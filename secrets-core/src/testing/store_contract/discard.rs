//! What [`discard_pending`](crate::store::SecretStore::discard_pending) says.

use super::StoreFixture;
use super::case::{Case, Held};
use crate::store::StoreErrorKind::Conflict;
use crate::store::{Label, SecretStore};

pub(super) async fn discard_pending_takes_awspending_off<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    case.store().discard_pending(&case.id, &second).await?;
    case.has(Label::Pending, None).await
}

pub(super) async fn discard_pending_leaves_the_other_labels_alone<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    case.store().discard_pending(&case.id, &third).await?;
    case.has(Label::Current, Some(&second)).await?;
    case.has(Label::Previous, Some(&case.first)).await
}

pub(super) async fn discard_pending_of_a_version_without_awspending_is_conflict_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let (store, id, only) = (case.store(), &case.id, &[Conflict]);
    // It sits nowhere,
    let nowhere = store.discard_pending(id, &case.first);
    case.refuses(only, nowhere).await?;
    // elsewhere,
    let second = case.pending("second").await?;
    let elsewhere = store.discard_pending(id, &case.first);
    case.refuses(only, elsewhere).await?;
    // or no longer there.
    store.discard_pending(id, &second).await?;
    let again = store.discard_pending(id, &second);
    case.refuses(only, again).await
}

pub(super) async fn discard_pending_lets_another_rotation_begin<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    case.store().discard_pending(&case.id, &second).await?;
    let third = case.rotated(&case.first, "third").await?;
    case.has(Label::Current, Some(&third)).await
}
