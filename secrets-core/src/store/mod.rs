//! Where secrets live: what the engine and clients need of Secrets Manager, named by intent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use crate::document::SecretDocument;
use crate::event::{RotationToken, SecretId, VersionId};

#[cfg(feature = "aws")]
pub mod aws;
mod error;
#[cfg(feature = "testing")]
pub mod memory;

pub use error::{StoreError, StoreErrorKind};

/// A staging label: it sits on at most one version of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// `AWSCURRENT`: what applications read.
    Current,
    /// `AWSPENDING`: what a rotation is about to publish.
    Pending,
    /// `AWSPREVIOUS`: what was current before.
    Previous,
    /// Any other label.
    Custom(String),
}

impl Label {
    /// The label on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Pending => "AWSPENDING",
            Self::Previous => "AWSPREVIOUS",
            Self::Custom(label) => label,
        }
    }
}

impl From<&str> for Label {
    fn from(label: &str) -> Self {
        match label {
            "AWSCURRENT" => Self::Current,
            "AWSPENDING" => Self::Pending,
            "AWSPREVIOUS" => Self::Previous,
            other => Self::Custom(other.to_owned()),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which version of a secret is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Whichever holds the label.
    Labelled(Label),
    /// This one, whatever its labels.
    Id(VersionId),
    /// This one, if it holds the label; else the answer is an error.
    Exactly(VersionId, Label),
}

impl Version {
    /// What applications read: the label is named, since emulators differ on what no label means.
    pub const CURRENT: Self = Self::Labelled(Label::Current);
}

/// One version with its value.
#[derive(Clone, Debug)]
pub struct SecretVersion {
    /// Its id.
    pub id: VersionId,
    /// Its labels when it was read.
    pub labels: BTreeSet<Label>,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// The ARN of the secret, where the store tells it. A secret is asked for by many ids; it has one ARN.
    pub arn: Option<SecretId>,
    /// Its value.
    pub document: SecretDocument,
}

/// What is known of a secret without reading a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretState {
    /// `None` where rotation was never configured.
    pub rotation_enabled: Option<bool>,
    /// The function that rotates it, as an ARN, where there is one.
    pub rotated_by: Option<String>,
    /// Scheduled for deletion: no value can be read until it is restored.
    pub deleted: bool,
    /// When the last rotation came to its end.
    pub last_rotated: Option<SystemTime>,
    /// The next one is to happen on or before this date.
    pub next_rotation: Option<SystemTime>,
    /// All versions that the service lists, also empty ones.
    pub versions: BTreeMap<VersionId, BTreeSet<Label>>,
}

impl SecretState {
    /// The version that holds the label.
    pub fn holder(&self, label: &Label) -> Option<&VersionId> {
        self.versions
            .iter()
            .find_map(|(id, labels)| labels.contains(label).then_some(id))
    }

    /// Whether the version holds the label.
    pub fn holds(&self, version: &VersionId, label: &Label) -> bool {
        self.versions
            .get(version)
            .is_some_and(|labels| labels.contains(label))
    }
}

/// Reads values: all that a client needs.
///
/// # Behavior
/// - A label finds its version.
/// - An id finds its version whatever its labels.
/// - [`Version::Exactly`] finds a version that holds the label.
/// - [`Version::Exactly`] with a label that sits elsewhere is [`StoreErrorKind::NotFound`] or
///   [`StoreErrorKind::Invalid`].
/// - A label that no version holds is [`StoreErrorKind::NotFound`].
/// - A version that is not there is [`StoreErrorKind::NotFound`].
/// - A version without a value is [`StoreErrorKind::NotFound`]: the placeholder that the service
///   registers before `createSecret`.
/// - An unknown secret is [`StoreErrorKind::NotFound`].
/// - A secret marked for deletion gives no value: [`StoreErrorKind::Invalid`].
/// - A version tells when it was made.
/// - JSON comes back to the letter. Order of keys and format of numbers are part of that; white
///   space between them is not.
/// - Plain text comes back to the letter.
/// - Bytes come back to the letter.
/// - The largest value comes back to the letter: 65,536 bytes.
/// - No error holds any part of a value.
///
/// Each line here, and of the lists below, is a check of `testing::store_contract` by its own words.
pub trait SecretReader: Send + Sync {
    /// Reads one version.
    fn get(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> impl Future<Output = Result<SecretVersion, StoreError>> + Send;

    /// The same, past any cache that stands between here and the service. By default there is none.
    fn get_past_caches(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> impl Future<Output = Result<SecretVersion, StoreError>> + Send {
        self.get(id, version)
    }

    /// How many ids [`get_batch`](Self::get_batch) takes to the service in one call; 1 where it asks
    /// for one after the other.
    fn batch_limit(&self) -> usize {
        1
    }

    /// Reads the current version of each of these secrets: one answer an id, in their order.
    ///
    /// # Errors
    /// An error of the call as a whole, such as a missing right to ask for many at once.
    fn get_batch(
        &self,
        ids: &[SecretId],
    ) -> impl Future<Output = Result<Vec<Result<SecretVersion, StoreError>>, StoreError>> + Send
    {
        async move {
            let mut answers = Vec::with_capacity(ids.len());
            for id in ids {
                answers.push(self.get(id, &Version::CURRENT).await);
            }
            Ok(answers)
        }
    }

    /// The tags of a secret, those of AWS's own services among them (`aws:...`), by their keys.
    ///
    /// # Errors
    /// [`StoreErrorKind::Invalid`] without a code where values are all that can be read: by default.
    fn tags(
        &self,
        id: &SecretId,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StoreError>> + Send {
        let fault = StoreError::new(StoreErrorKind::Invalid, "DescribeSecret", id);
        async move { Err(fault) }
    }
}

/// What a rotation needs beyond reading.
///
/// # Behavior
/// - An unknown secret is [`StoreErrorKind::NotFound`] by any call.
/// - A secret marked for deletion takes no change: [`StoreErrorKind::Invalid`].
pub trait SecretStore: SecretReader {
    /// Labels and dates of a secret.
    ///
    /// # Behavior
    /// - Lists every label with its version.
    /// - Lists a version without a value.
    /// - Says neither on nor off where rotation was never configured.
    /// - Says that rotation is on once it has begun.
    /// - Says that a secret is marked for deletion.
    fn describe(
        &self,
        id: &SecretId,
    ) -> impl Future<Output = Result<SecretState, StoreError>> + Send;

    /// Fills a version and labels it `AWSPENDING`.
    ///
    /// # Behavior
    /// - Fills the placeholder.
    /// - Makes a version that is not there.
    /// - Takes `AWSPENDING` from its holder.
    /// - Leaves the other labels alone.
    /// - Of the same value again succeeds and changes nothing.
    /// - Of another value is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - Of another value for a promoted version is [`StoreErrorKind::Conflict`] and changes nothing.
    fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Moves `AWSCURRENT` from one version to another, in one call, if it still sits on `from`.
    ///
    /// # Behavior
    /// - Moves `AWSCURRENT`.
    /// - Moves `AWSPREVIOUS` onto `from`.
    /// - Leaves `AWSPENDING` on `to` or nowhere.
    /// - From a version without `AWSCURRENT` is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - Over a newer value is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - Repeated is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - To a version that is not there is an error and changes nothing.
    fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes `AWSPENDING` off a version, if it still sits there, so that the next rotation starts fresh.
    ///
    /// # Behavior
    /// - Takes `AWSPENDING` off.
    /// - Leaves the other labels alone.
    /// - Of a version without `AWSPENDING` is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - Lets another rotation begin.
    fn discard_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts a label of our own onto a version: a note that outlives the invocation. It is never one of the
    /// service's.
    ///
    /// # Behavior
    /// - Puts the label onto the version.
    /// - Leaves the other labels alone.
    /// - Repeated succeeds and changes nothing.
    /// - Of a label that sits on another version is [`StoreErrorKind::Conflict`] and changes nothing.
    /// - Of a version that is not there is an error and changes nothing.
    fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Takes a label of our own off a version: afterwards the version does not hold it.
    ///
    /// # Behavior
    /// - Takes the label off.
    /// - Leaves the other labels alone.
    /// - Of a version that does not hold the label succeeds and changes nothing.
    fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A store that is shared is a store.
impl<T: SecretReader> SecretReader for std::sync::Arc<T> {
    fn get(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> impl Future<Output = Result<SecretVersion, StoreError>> + Send {
        (**self).get(id, version)
    }

    fn get_past_caches(
        &self,
        id: &SecretId,
        version: &Version,
    ) -> impl Future<Output = Result<SecretVersion, StoreError>> + Send {
        (**self).get_past_caches(id, version)
    }

    fn batch_limit(&self) -> usize {
        (**self).batch_limit()
    }

    fn get_batch(
        &self,
        ids: &[SecretId],
    ) -> impl Future<Output = Result<Vec<Result<SecretVersion, StoreError>>, StoreError>> + Send
    {
        (**self).get_batch(ids)
    }

    fn tags(
        &self,
        id: &SecretId,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StoreError>> + Send {
        (**self).tags(id)
    }
}

impl<T: SecretStore> SecretStore for std::sync::Arc<T> {
    fn describe(
        &self,
        id: &SecretId,
    ) -> impl Future<Output = Result<SecretState, StoreError>> + Send {
        (**self).describe(id)
    }

    fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        token: Option<&RotationToken>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).put_pending(id, version, value, token)
    }

    fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).promote(id, from, to)
    }

    fn discard_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).discard_pending(id, version)
    }

    fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).mark(id, version, label)
    }

    fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).unmark(id, version, label)
    }
}
