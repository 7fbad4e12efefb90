//! What [`SecretReader`](crate::store::SecretReader) says about values.

use super::StoreFixture;
use super::case::{Broken, Case, Held, value, version};
use crate::document::{MAX_SECRET_BYTES, SecretDocument};
use crate::event::SecretId;
use crate::store::{Label, SecretReader, SecretStore, StoreError, Version};

/// Puts the value and reads it back, under both names that it has then.
async fn comes_back<F: StoreFixture>(fixture: &F, document: &SecretDocument) -> Held {
    let case = Case::new(fixture).await?;
    let second = case.begin("second").await?;
    case.put(&second, document).await?;
    let pending = Version::Exactly(second.clone(), Label::Pending);
    case.finds(pending, &second, document).await?;
    let store = case.store();
    store.promote(&case.id, &case.first, &second).await?;
    case.finds(Version::CURRENT, &second, document).await
}

pub(super) async fn json_comes_back_to_the_letter<F: StoreFixture>(fixture: &F) -> Held {
    for json in [
        r#"{"z":1.50,"a":1e2,"big":123456789012345678901234567890,"n":null,"list":[1,{"b":2,"a":1}]}"#,
        r#"{"escapes":"\u00e9\ud83d\ude00\\\"\/\n\t\u0000","clé":"päss wörd ✓ 🔑","":"empty key"}"#,
        "{}",
    ] {
        comes_back(fixture, &SecretDocument::from_text(json)).await?;
    }
    Ok(())
}

pub(super) async fn plain_text_comes_back_to_the_letter<F: StoreFixture>(fixture: &F) -> Held {
    for text in [
        "hunter2",
        " \t leading and trailing, and lines\r\n\n",
        "päss ✓ 🔑 \u{202e}\u{feff}e\u{301}\u{0}\u{7f}",
        r#"not JSON: {"a": "#,
        "[1, 2]",
        "null",
        "aGVsbG8=",
    ] {
        comes_back(fixture, &SecretDocument::from_text(text)).await?;
    }
    Ok(())
}

pub(super) async fn bytes_come_back_to_the_letter<F: StoreFixture>(fixture: &F) -> Held {
    for bytes in [
        (0..=255).collect(),
        vec![0],
        // Bytes that are text, even JSON, stay bytes.
        br#"{"password":"x"}"#.to_vec(),
    ] {
        comes_back(fixture, &SecretDocument::from_bytes(bytes)).await?;
    }
    Ok(())
}

pub(super) async fn the_largest_value_comes_back_to_the_letter<F: StoreFixture>(
    fixture: &F,
) -> Held {
    let largest = "🔑".repeat(MAX_SECRET_BYTES / "🔑".len());
    comes_back(fixture, &SecretDocument::from_text(&largest)).await?;
    let largest = vec![0xff; MAX_SECRET_BYTES];
    comes_back(fixture, &SecretDocument::from_bytes(largest)).await
}

pub(super) async fn no_error_holds_any_part_of_a_value<F: StoreFixture>(fixture: &F) -> Held {
    let case = Case::new(fixture).await?;
    let (store, id, first) = (case.store(), &case.id, &case.first);
    let second = case.pending("second").await?;
    let (absent, unknown) = (version("absent"), SecretId::from("contract/no-such-secret"));
    let other = value("other");

    // Not all of these are refused by every emulator; those that are must say nothing.
    no_value(
        &case
            .get(Version::Exactly(second.clone(), Label::Current))
            .await,
    )?;
    no_value(&case.get(Version::Id(absent.clone())).await)?;
    no_value(&store.get(&unknown, &Version::CURRENT).await)?;
    no_value(&store.describe(&unknown).await)?;
    no_value(&store.put_pending(&unknown, &second, &other, None).await)?;
    no_value(&store.put_pending(id, first, &other, None).await)?;
    no_value(&store.put_pending(id, &second, &other, None).await)?;
    no_value(&store.promote(id, &second, first).await)?;
    no_value(&store.promote(&unknown, first, &second).await)?;
    no_value(&store.discard_pending(id, first).await)?;
    no_value(&store.discard_pending(&unknown, first).await)?;
    fixture.delete(id).await?;
    no_value(&case.get(Version::CURRENT).await)?;
    no_value(&store.put_pending(id, &absent, &other, None).await)
}

fn no_value<T>(reply: &Result<T, StoreError>) -> Held {
    match reply {
        Err(fault) if format!("{fault} {fault:?}").contains("sentinel") => Err(Broken::new(
            format!("the error of {} holds a value", fault.operation),
        )),
        _ => Ok(()),
    }
}
