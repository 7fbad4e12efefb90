//! What [`SecretStore`](crate::store::SecretStore) says about all calls, and about `describe`.

use super::StoreFixture;
use super::case::{Broken, Case, Held, note, refused, value};
use crate::event::SecretId;
use crate::store::StoreErrorKind::{Invalid, NotFound};
use crate::store::{Label, SecretReader, SecretStore, Version};

pub(super) async fn an_unknown_secret_is_not_found_by_any_call<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let unknown = SecretId::from("contract/no-such-secret");
    let (store, first) = (case.store(), &case.first);
    let second = case.pending("second").await?;
    let only = &[NotFound];
    refused(only, store.get(&unknown, &Version::CURRENT).await)?;
    refused(only, store.describe(&unknown).await)?;
    let value = value("second");
    let put = store.put_pending(&unknown, &second, &value, None);
    refused(only, put.await)?;
    refused(only, store.promote(&unknown, first, &second).await)?;
    refused(only, store.discard_pending(&unknown, &second).await)?;
    refused(only, store.mark(&unknown, &second, &note()).await)?;
    refused(only, store.unmark(&unknown, &second, &note()).await)
}

pub(super) async fn a_secret_marked_for_deletion_takes_no_change<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let (store, id, only) = (case.store(), &case.id, &[Invalid]);
    let second = case.begin("second").await?;
    fixture.delete(id).await?;
    let value = value("second");
    let put = case.put(&second, &value);
    case.refuses(only, put).await?;
    let promote = store.promote(id, &case.first, &second);
    case.refuses(only, promote).await?;
    let discard = store.discard_pending(id, &second);
    case.refuses(only, discard).await?;
    case.refuses(only, store.mark(id, &second, &note())).await?;
    case.refuses(only, store.unmark(id, &second, &note())).await
}

pub(super) async fn describe_lists_every_label_with_its_version<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    case.has(Label::Current, Some(&case.first)).await?;
    case.has(Label::Pending, None).await?;
    case.has(Label::Previous, None).await?;

    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    case.has(Label::Current, Some(&second)).await?;
    case.has(Label::Pending, Some(&third)).await?;
    case.has(Label::Previous, Some(&case.first)).await
}

pub(super) async fn describe_lists_a_version_without_a_value<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.begin("second").await?;
    case.has(Label::Pending, Some(&second)).await?;
    case.has(Label::Current, Some(&case.first)).await
}

pub(super) async fn describe_says_neither_on_nor_off_where_rotation_was_never_configured<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    match Case::new(fixture).await?.state().await?.rotation_enabled {
        None => Ok(()),
        other => Err(Broken::new(format!("it says {other:?}"))),
    }
}

pub(super) async fn describe_says_that_rotation_is_on_once_it_has_begun<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    case.begin("second").await?;
    match case.state().await?.rotation_enabled {
        Some(true) => Ok(()),
        other => Err(Broken::new(format!("it says {other:?}"))),
    }
}

pub(super) async fn describe_says_that_a_secret_is_marked_for_deletion<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    if case.state().await?.deleted {
        return Err(Broken::new("it says so of a secret that is not"));
    }
    fixture.delete(&case.id).await?;
    if case.state().await?.deleted {
        Ok(())
    } else {
        Err(Broken::new("it does not say so"))
    }
}
