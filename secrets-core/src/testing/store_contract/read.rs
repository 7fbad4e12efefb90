//! What [`SecretReader`](crate::store::SecretReader) says about finding a version.

use std::time::{Duration, SystemTime};

use super::StoreFixture;
use super::case::{Broken, Case, FIRST, Held, refused, value, version};
use crate::document::SecretDocument;
use crate::event::SecretId;
use crate::store::StoreErrorKind::{Invalid, NotFound};
use crate::store::{Label, SecretReader, SecretStore, Version};

pub(super) async fn a_label_finds_its_version<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let (first, document) = (&case.first, SecretDocument::from_text(FIRST));
    case.finds(Version::CURRENT, first, &document).await?;

    let second = case.pending("second").await?;
    case.finds(Version::CURRENT, first, &document).await?;
    let pending = Version::Labelled(Label::Pending);
    case.finds(pending, &second, &value("second")).await?;

    case.store().promote(&case.id, first, &second).await?;
    case.finds(Version::CURRENT, &second, &value("second"))
        .await?;
    let previous = Version::Labelled(Label::Previous);
    case.finds(previous, first, &document).await
}

pub(super) async fn an_id_finds_its_version_whatever_its_labels<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.rotated(&case.first, "second").await?;
    let third = case.pending("third").await?;
    let first = SecretDocument::from_text(FIRST);
    let by_id = |id: &_| Version::Id(Clone::clone(id));
    case.finds(by_id(&case.first), &case.first, &first).await?;
    case.finds(by_id(&second), &second, &value("second"))
        .await?;
    case.finds(by_id(&third), &third, &value("third")).await?;

    // No label is left on this one.
    case.store().discard_pending(&case.id, &third).await?;
    case.finds(by_id(&third), &third, &value("third")).await
}

pub(super) async fn exactly_finds_a_version_that_holds_the_label<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    let pending = Version::Exactly(second.clone(), Label::Pending);
    case.finds(pending, &second, &value("second")).await?;
    let current = Version::Exactly(case.first.clone(), Label::Current);
    let first = SecretDocument::from_text(FIRST);
    case.finds(current, &case.first, &first).await?;
    let labels = case.get(Version::Id(second)).await?.labels;
    if labels == [Label::Pending].into() {
        Ok(())
    } else {
        Err(Broken::new(format!("the version says it has {labels:?}")))
    }
}

pub(super) async fn exactly_with_a_label_that_sits_elsewhere_is_not_found_or_invalid<
    F: StoreFixture,
>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.pending("second").await?;
    for (version, label) in [
        (&second, Label::Current),
        (&case.first, Label::Pending),
        (&case.first, Label::Previous),
    ] {
        let exactly = Version::Exactly(version.clone(), label);
        refused(&[NotFound, Invalid], case.get(exactly).await)?;
    }
    Ok(())
}

pub(super) async fn a_label_that_no_version_holds_is_not_found<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    for label in [
        Label::Pending,
        Label::Previous,
        Label::from("no-such-label"),
    ] {
        refused(&[NotFound], case.get(Version::Labelled(label)).await)?;
    }
    Ok(())
}

pub(super) async fn a_version_that_is_not_there_is_not_found<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let by_id = Version::Id(version("absent"));
    refused(&[NotFound], case.get(by_id).await)?;
    let exactly = Version::Exactly(version("absent"), Label::Current);
    refused(&[NotFound], case.get(exactly).await)
}

pub(super) async fn a_version_without_a_value_is_not_found<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.begin("second").await?;
    for version in [
        Version::Labelled(Label::Pending),
        Version::Id(second.clone()),
        Version::Exactly(second, Label::Pending),
    ] {
        refused(&[NotFound], case.get(version).await)?;
    }
    Ok(())
}

pub(super) async fn an_unknown_secret_is_not_found<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let unknown = SecretId::from("contract/no-such-secret");
    for version in [
        Version::CURRENT,
        Version::Id(case.first.clone()),
        Version::Exactly(case.first.clone(), Label::Current),
    ] {
        refused(&[NotFound], case.store().get(&unknown, &version).await)?;
    }
    Ok(())
}

pub(super) async fn a_secret_marked_for_deletion_gives_no_value<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let case = Case::new(fixture).await?;
    fixture.delete(&case.id).await?;
    for version in [Version::CURRENT, Version::Id(case.first.clone())] {
        refused(&[Invalid], case.get(version).await)?;
    }
    Ok(())
}

pub(super) async fn a_version_tells_when_it_was_made<F: StoreFixture>(fixture: &F) -> Held {
    /// The service's clock is another one, and tells whole seconds.
    const MARGIN: Duration = Duration::from_mins(5);
    let before = SystemTime::now();
    let case = Case::new(fixture).await?;
    case.pending("second").await?;
    for label in [Label::Current, Label::Pending] {
        let created = case.get(Version::Labelled(label)).await?.created;
        let created = created.ok_or_else(|| Broken::new("no date of creation"))?;
        if created + MARGIN < before || created > SystemTime::now() + MARGIN {
            return Err(Broken::new("the date of creation is not the time of day"));
        }
    }
    Ok(())
}
