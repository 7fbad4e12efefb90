//! One secret for one sentence, and the questions that sentences ask of it.

use std::collections::BTreeMap;
use std::future::Future;

use secrecy::ExposeSecret;

use super::{FixtureError, StoreFixture};
use crate::document::{Exposed, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::store::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};

/// Whether a sentence holds.
pub(super) type Held = Result<(), Broken>;

/// What was seen instead. It holds no value.
#[derive(Clone, Debug)]
pub(super) struct Broken(String);

impl Broken {
    pub(super) fn new(seen: impl Into<String>) -> Self {
        Self(seen.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A call that had to succeed.
impl From<StoreError> for Broken {
    fn from(fault: StoreError) -> Self {
        let code = fault.code.as_deref().unwrap_or("no code");
        Self(format!(
            "{} answered {:?} ({code})",
            fault.operation, fault.kind
        ))
    }
}

impl From<FixtureError> for Broken {
    fn from(fault: FixtureError) -> Self {
        Self(format!("the fixture could not do its part: {fault}"))
    }
}

/// The values that tell versions apart.
pub(super) const FIRST: &str = r#"{"password":"sentinel-first"}"#;

/// A version id of the right length that can be read in a report.
pub(super) fn version(name: &str) -> VersionId {
    format!("{name:-<32}").into()
}

fn name(version: &VersionId) -> &str {
    version.as_str().trim_end_matches('-')
}

/// A value that belongs to a version of that name.
pub(super) fn value(name: &str) -> SecretDocument {
    SecretDocument::from_text(&format!(r#"{{"password":"sentinel-{name}"}}"#))
}

/// A label of our own.
pub(super) fn note() -> Label {
    Label::from("CONTRACT-NOTE")
}

/// A secret whose version `first` is `AWSCURRENT`.
pub(super) struct Case<'f, F> {
    pub(super) fixture: &'f F,
    pub(super) id: SecretId,
    pub(super) first: VersionId,
}

impl<'f, F: StoreFixture> Case<'f, F> {
    pub(super) async fn new(fixture: &'f F) -> Result<Self, Broken> {
        let first = version("first");
        Ok(Self {
            id: fixture.create(&first, FIRST).await?,
            fixture,
            first,
        })
    }

    pub(super) fn store(&self) -> &F::Store {
        self.fixture.store()
    }

    /// A rotation whose version has no value yet.
    pub(super) async fn begin(&self, name: &str) -> Result<VersionId, Broken> {
        let version = version(name);
        self.fixture.begin_rotation(&self.id, &version).await?;
        Ok(version)
    }

    pub(super) async fn put(
        &self,
        version: &VersionId,
        value: &SecretDocument,
    ) -> Result<(), StoreError> {
        let store = self.store();
        store.put_pending(&self.id, version, value, None).await
    }

    /// A rotation whose version has its value.
    pub(super) async fn pending(&self, name: &str) -> Result<VersionId, Broken> {
        let version = self.begin(name).await?;
        self.put(&version, &value(name)).await?;
        Ok(version)
    }

    /// A rotation that came to its end: its version is `AWSCURRENT`, and `from` is `AWSPREVIOUS`.
    pub(super) async fn rotated(&self, from: &VersionId, name: &str) -> Result<VersionId, Broken> {
        let version = self.pending(name).await?;
        self.store().promote(&self.id, from, &version).await?;
        Ok(version)
    }

    pub(super) async fn get(&self, version: Version) -> Result<SecretVersion, StoreError> {
        self.store().get(&self.id, &version).await
    }

    pub(super) async fn state(&self) -> Result<SecretState, StoreError> {
        self.store().describe(&self.id).await
    }

    /// The label sits on that version and on no other, or on none at all.
    pub(super) async fn has(&self, label: Label, holder: Option<&VersionId>) -> Held {
        let state = self.state().await?;
        let holders: Vec<_> = holders(&state, &label).map(name).collect();
        let expected: Vec<_> = holder.map(name).into_iter().collect();
        if holders == expected {
            Ok(())
        } else {
            Err(Broken(format!(
                "{label} sits on {holders:?}, not on {expected:?}"
            )))
        }
    }

    /// The version is found by this question, and holds what it must.
    pub(super) async fn finds(
        &self,
        question: Version,
        expected: &VersionId,
        document: &SecretDocument,
    ) -> Held {
        let found = self.get(question.clone()).await?;
        if found.id != *expected {
            return Err(Broken(format!(
                "{question:?} found {}, not {}",
                name(&found.id),
                name(expected)
            )));
        }
        if same(&found.document, document) {
            Ok(())
        } else {
            Err(Broken(format!(
                "{question:?} found another value than was put there"
            )))
        }
    }

    /// The call is refused with one of these, and the secret is afterwards what it was before.
    pub(super) async fn refuses<T>(
        &self,
        kinds: &[StoreErrorKind],
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Held {
        let before = self.snapshot().await?;
        let refused = refused(kinds, call.await);
        let changed = before.compare(&self.snapshot().await?);
        // What it did weighs more than what it said.
        match (changed, refused) {
            (Err(Broken(changed)), Err(Broken(said))) => Err(Broken(format!("{changed}; {said}"))),
            (changed, refused) => changed.and(refused),
        }
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let state = self.state().await?;
        let mut values = BTreeMap::new();
        for version in state.versions.keys() {
            let value = match self.get(Version::Id(version.clone())).await {
                Ok(found) => Some(found.document),
                // A placeholder, or a secret that is marked for deletion.
                Err(fault)
                    if matches!(
                        fault.kind,
                        StoreErrorKind::NotFound | StoreErrorKind::Invalid
                    ) =>
                {
                    None
                }
                Err(fault) => return Err(fault),
            };
            values.insert(version.clone(), value);
        }
        Ok(Snapshot { state, values })
    }
}

/// All that can be seen of a secret.
pub(super) struct Snapshot {
    state: SecretState,
    values: BTreeMap<VersionId, Option<SecretDocument>>,
}

impl Snapshot {
    pub(super) fn compare(&self, after: &Self) -> Held {
        for label in [Label::Current, Label::Pending, Label::Previous] {
            let before: Vec<_> = holders(&self.state, &label).map(name).collect();
            let after: Vec<_> = holders(&after.state, &label).map(name).collect();
            if before != after {
                return Err(Broken(format!(
                    "{label} moved from {before:?} to {after:?}"
                )));
            }
        }
        if self.state != after.state {
            return Err(Broken::new(
                "a date, another label or a mark of the secret changed",
            ));
        }
        for (version, value) in &self.values {
            let unchanged = match (value, after.values.get(version)) {
                (Some(value), Some(Some(after))) => same(value, after),
                (None, Some(None)) => true,
                _ => false,
            };
            if !unchanged {
                return Err(Broken(format!("the value of {} changed", name(version))));
            }
        }
        Ok(())
    }
}

fn holders<'s>(state: &'s SecretState, label: &Label) -> impl Iterator<Item = &'s VersionId> {
    state
        .versions
        .iter()
        .filter_map(move |(id, labels)| labels.contains(label).then_some(id))
}

/// The call was refused with one of these.
pub(super) fn refused<T>(kinds: &[StoreErrorKind], reply: Result<T, StoreError>) -> Held {
    match reply {
        Err(fault) if kinds.contains(&fault.kind) => Ok(()),
        Err(fault) => Err(Broken(format!(
            "{}, not {kinds:?}",
            Broken::from(fault).as_str()
        ))),
        Ok(_) => Err(Broken(format!("it answered success, not {kinds:?}"))),
    }
}

/// To the letter.
pub(super) fn same(one: &SecretDocument, two: &SecretDocument) -> bool {
    match (one.expose(), two.expose()) {
        (Exposed::Text(one), Exposed::Text(two)) => one.expose_secret() == two.expose_secret(),
        (Exposed::Binary(one), Exposed::Binary(two)) => one.expose_secret() == two.expose_secret(),
        _ => false,
    }
}
