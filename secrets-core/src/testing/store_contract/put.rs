//! What [`put_pending`](crate::store::SecretStore::put_pending) says.

use super::StoreFixture;
use super::case::{Case, Held, value, version};
use crate::document::SecretDocument;
use crate::store::StoreErrorKind::Conflict;
use crate::store::{Label, SecretStore, Version};

pub(super) async fn put_pending_fills_the_placeholder<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.begin("second").await?;
    case.put(&second, &value("second")).await?;
    let exactly = Version::Exactly(second.clone(), Label::Pending);
    case.finds(exactly, &second, &value("second")).await?;
    case.has(Label::Pending, Some(&second)).await
}

pub(super) async fn put_pending_makes_a_version_that_is_not_there<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = version("second");
    case.put(&second, &value("second")).await?;
    let exactly = Version::Exactly(second.clone(), Label::Pending);
    case.finds(exactly, &second, &value("second")).await?;
    case.has(Label::Pending, Some(&second)).await
}

pub(super) async fn put_pending_takes_awspending_from_its_holder<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    case.pending("second").await?;
    let third = version("third");
    case.put(&third, &value("third")).await?;
    case.has(Label::Pending, Some(&third)).await
}

pub(super) async fn put_pending_leaves_the_other_labels_alone<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    case.pending("third").await?;
    case.has(Label::Current, Some(&second)).await?;
    case.has(Label::Previous, Some(&case.first)).await
}

pub(super) async fn put_pending_of_the_same_value_again_succeeds_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    for document in [
        value("second"),
        SecretDocument::from_text("plain"),
        SecretDocument::from_bytes(vec![0, 255]),
    ] {
        let case = Case::new(fixture).await?;
        let second = case.begin("second").await?;
        case.put(&second, &document).await?;
        let before = case.snapshot().await?;
        case.put(&second, &document).await?;
        before.compare(&case.snapshot().await?)?;

        // The label does not come back with a late repeat either.
        case.store().discard_pending(&case.id, &second).await?;
        case.put(&second, &document).await?;
        case.has(Label::Pending, None).await?;
    }
    Ok(())
}

pub(super) async fn put_pending_of_another_value_is_conflict_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let (text, bytes) = (SecretDocument::from_text, SecretDocument::from_bytes);
    for (held, other) in [
        (value("second"), value("other")),
        (text("1"), text("1 ")),
        (bytes(vec![0, 1]), bytes(vec![0, 2])),
        (text("1"), bytes(b"1".to_vec())),
    ] {
        let case = Case::new(fixture).await?;
        let second = case.begin("second").await?;
        case.put(&second, &held).await?;
        case.refuses(&[Conflict], case.put(&second, &other)).await?;
    }
    Ok(())
}

pub(super) async fn put_pending_of_another_value_for_a_promoted_version_is_conflict_and_changes_nothing<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    let store = case.store();
    store.promote(&case.id, &case.first, &second).await?;
    let put = value("other");
    case.refuses(&[Conflict], case.put(&second, &put)).await?;
    case.refuses(&[Conflict], case.put(&case.first, &put)).await
}
