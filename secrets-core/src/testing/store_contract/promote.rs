//! What [`promote`](crate::store::SecretStore::promote) says.

use super::StoreFixture;
use super::case::{Broken, Case, Held, value, version};
use crate::store::StoreErrorKind::{Conflict, Invalid, NotFound};
use crate::store::{Label, SecretStore, Version};

pub(super) async fn promote_moves_awscurrent<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    case.has(Label::Current, Some(&second)).await?;
    case.finds(Version::CURRENT, &second, &value("second"))
        .await
}

pub(super) async fn promote_moves_awsprevious_onto_from<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    case.has(Label::Previous, Some(&case.first)).await?;
    // From a holder that it has already, too.
    let third = case.rotated(&second, "third").await?;
    case.has(Label::Previous, Some(&second)).await?;
    // And from the very version that becomes current.
    let store = case.store();
    store.promote(&case.id, &third, &second).await?;
    case.has(Label::Current, Some(&second)).await?;
    case.has(Label::Previous, Some(&third)).await
}

pub(super) async fn promote_leaves_awspending_on_to_or_nowhere<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    match case.state().await?.holder(&Label::Pending) {
        None => Ok(()),
        Some(holder) if *holder == second => Ok(()),
        Some(_) => Err(Broken::new("AWSPENDING sits on another version")),
    }
}

pub(super) async fn promote_from_a_version_without_awscurrent_is_conflict_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    let (store, id, only) = (case.store(), &case.id, &[Conflict]);
    let previous = store.promote(id, &case.first, &third);
    case.refuses(only, previous).await?;
    let pending = store.promote(id, &third, &case.first);
    case.refuses(only, pending).await?;
    let itself = store.promote(id, &third, &third);
    case.refuses(only, itself).await?;
    case.has(Label::Current, Some(&second)).await
}

pub(super) async fn promote_over_a_newer_value_is_conflict_and_changes_nothing<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    // What an operator does by hand between two steps of a rotation.
    let (newer, text) = (version("newer"), r#"{"password":"sentinel-newer"}"#);
    fixture.put_current(&case.id, &newer, text).await?;
    let promote = case.store().promote(&case.id, &case.first, &second);
    case.refuses(&[Conflict], promote).await?;
    case.finds(Version::CURRENT, &newer, &value("newer")).await
}

pub(super) async fn promote_repeated_is_conflict_and_changes_nothing<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let again = case.store().promote(&case.id, &case.first, &second);
    case.refuses(&[Conflict], again).await?;
    case.has(Label::Current, Some(&second)).await?;
    case.has(Label::Previous, Some(&case.first)).await
}

pub(super) async fn promote_to_a_version_that_is_not_there_is_an_error_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let absent = version("absent");
    let promote = case.store().promote(&case.id, &case.first, &absent);
    case.refuses(&[Conflict, Invalid, NotFound], promote).await
}
