//! Secrets Manager in memory, with the service's label rules.
//!
//! For tests, demonstrations and authors of rotators. The rules are those of the API reference
//! (`PutSecretValue`, `UpdateSecretVersionStage`, `GetSecretValue`, `DescribeSecret`), including the
//! empty `AWSPENDING` version that a rotation starts with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use secrecy::ExposeSecret;

use super::{
    Label, SecretReader, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind,
    Version,
};
use crate::document::{Exposed, SecretDocument};
use crate::event::{RotationToken, SecretId, VersionId};

/// An in-memory Secrets Manager. Clones share their secrets. Calls about different secrets do not wait for each
/// other.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<RwLock<Secrets>>);

/// Locked as a whole only to add a secret, or to copy all.
type Secrets = BTreeMap<SecretId, Mutex<Secret>>;

#[derive(Clone, Debug, Default)]
struct Secret {
    rotation_enabled: Option<bool>,
    deleted: bool,
    last_rotated: Option<SystemTime>,
    tags: BTreeMap<String, String>,
    versions: BTreeMap<VersionId, Slot>,
}

/// Whether a value was put, or was there already.
#[derive(PartialEq, Eq)]
enum Put {
    New,
    Repeated,
}

#[derive(Clone, Debug)]
struct Slot {
    labels: BTreeSet<Label>,
    created: SystemTime,
    value: Option<SecretDocument>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a secret whose first version is `AWSCURRENT`, or gives an existing one a new current value,
    /// as `CreateSecret` and `PutSecretValue` do. A rotation under way is abandoned by that.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`] where the version already holds another value;
    /// [`StoreErrorKind::Invalid`] for a secret that is marked for deletion.
    pub fn put_current(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
    ) -> Result<(), StoreError> {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let secret = secrets.entry(id.clone()).or_default();
        let secret = secret.get_mut().unwrap_or_else(PoisonError::into_inner);
        secret.must_not_be_deleted(id, "PutSecretValue")?;
        if secret.put(id, version, value, &Label::Current)? == Put::New {
            secret.strip(&Label::Pending);
        }
        Ok(())
    }

    /// Gives a secret a tag, or the tag another value, as `TagResource` does; also one of AWS's own services.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] for an unknown secret.
    pub fn tag(&self, id: &SecretId, key: &str, value: &str) -> Result<(), StoreError> {
        self.with(id, "TagResource", |secret| {
            secret.tags.insert(key.to_owned(), value.to_owned());
            Ok(())
        })
    }

    /// What `RotateSecret` does before it calls the function: rotation is enabled and an empty version
    /// labelled `AWSPENDING` is registered.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] for an unknown secret; [`StoreErrorKind::Invalid`] while an earlier
    /// rotation is not complete, unless it is the one named by `version`, and for a secret that is
    /// marked for deletion.
    pub fn begin_rotation(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.in_use(id, "RotateSecret", |secret| {
            let pending = secret.holder(&Label::Pending);
            let unfinished = pending.is_some()
                && pending != secret.holder(&Label::Current)
                && pending.as_ref() != Some(version);
            if unfinished {
                return Err(Secret::invalid(id, "RotateSecret"));
            }
            secret.rotation_enabled = Some(true);
            secret.slot(version);
            secret.label(&Label::Pending, version);
            Ok(())
        })
    }

    /// `CancelRotateSecret`: rotation is switched off; `AWSPENDING` stays where it is.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] for an unknown secret.
    pub fn cancel_rotation(&self, id: &SecretId) -> Result<(), StoreError> {
        self.with(id, "CancelRotateSecret", |secret| {
            secret.rotation_enabled = Some(false);
            Ok(())
        })
    }

    /// `DeleteSecret` with a recovery window: the secret stays, its values cannot be read.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] for an unknown secret.
    pub fn delete(&self, id: &SecretId) -> Result<(), StoreError> {
        self.with(id, "DeleteSecret", |secret| {
            secret.deleted = true;
            Ok(())
        })
    }

    /// A store of its own with the same secrets, that later changes of this one do not reach.
    pub(crate) fn fork(&self) -> Self {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let copies = secrets.iter_mut().map(|(id, secret)| {
            let secret = secret.get_mut().unwrap_or_else(PoisonError::into_inner);
            (id.clone(), Mutex::new(secret.clone()))
        });
        Self(Arc::new(RwLock::new(copies.collect())))
    }

    fn with<T>(
        &self,
        id: &SecretId,
        operation: &'static str,
        act: impl FnOnce(&mut Secret) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let secrets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match secrets.get(id) {
            None => Err(Secret::missing(id, operation)),
            Some(secret) => act(&mut secret.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// For every call but those that a secret marked for deletion still answers.
    fn in_use<T>(
        &self,
        id: &SecretId,
        operation: &'static str,
        act: impl FnOnce(&mut Secret) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.with(id, operation, |secret| {
            secret.must_not_be_deleted(id, operation)?;
            act(secret)
        })
    }
}

impl Secret {
    fn holder(&self, label: &Label) -> Option<VersionId> {
        self.versions
            .iter()
            .find_map(|(id, slot)| slot.labels.contains(label).then(|| id.clone()))
    }

    fn slot(&mut self, version: &VersionId) -> &mut Slot {
        self.versions
            .entry(version.clone())
            .or_insert_with(|| Slot {
                labels: BTreeSet::new(),
                created: SystemTime::now(),
                value: None,
            })
    }

    fn strip(&mut self, label: &Label) {
        for slot in self.versions.values_mut() {
            slot.labels.remove(label);
        }
    }

    /// Puts a label onto a version; `AWSPREVIOUS` follows `AWSCURRENT`.
    fn label(&mut self, label: &Label, version: &VersionId) {
        let old = self.holder(label);
        if old.as_ref() == Some(version) {
            return;
        }
        self.strip(label);
        self.slot(version).labels.insert(label.clone());
        if let (Label::Current, Some(old)) = (label, old) {
            self.label(&Label::Previous, &old);
        }
    }

    fn put(
        &mut self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        label: &Label,
    ) -> Result<Put, StoreError> {
        let slot = self.slot(version);
        match &slot.value {
            Some(held) if same_bytes(held, value) => return Ok(Put::Repeated),
            Some(_) => {
                return Err(
                    StoreError::new(StoreErrorKind::Conflict, "PutSecretValue", id)
                        .with_code(Some("ResourceExistsException".into())),
                );
            }
            None => slot.value = Some(value.clone()),
        }
        self.label(label, version);
        Ok(Put::New)
    }

    fn must_not_be_deleted(
        &self,
        id: &SecretId,
        operation: &'static str,
    ) -> Result<(), StoreError> {
        if self.deleted {
            return Err(Self::invalid(id, operation));
        }
        Ok(())
    }

    fn missing(id: &SecretId, operation: &'static str) -> StoreError {
        StoreError::new(StoreErrorKind::NotFound, operation, id)
            .with_code(Some("ResourceNotFoundException".into()))
    }

    fn invalid(id: &SecretId, operation: &'static str) -> StoreError {
        StoreError::new(StoreErrorKind::Invalid, operation, id)
            .with_code(Some("InvalidRequestException".into()))
    }

    fn conflict(id: &SecretId) -> StoreError {
        StoreError::new(StoreErrorKind::Conflict, "UpdateSecretVersionStage", id)
            .with_code(Some("InvalidParameterException".into()))
    }
}

/// Compares as the service does: to the letter.
fn same_bytes(one: &SecretDocument, two: &SecretDocument) -> bool {
    match (one.expose(), two.expose()) {
        (Exposed::Text(one), Exposed::Text(two)) => one.expose_secret() == two.expose_secret(),
        (Exposed::Binary(one), Exposed::Binary(two)) => one.expose_secret() == two.expose_secret(),
        _ => false,
    }
}

impl SecretReader for MemoryStore {
    async fn get(&self, id: &SecretId, version: &Version) -> Result<SecretVersion, StoreError> {
        const GET: &str = "GetSecretValue";
        self.in_use(id, GET, |secret| {
            let missing = || Secret::missing(id, GET);
            let wanted = match version {
                Version::Labelled(label) => secret.holder(label).ok_or_else(missing)?,
                Version::Id(wanted) | Version::Exactly(wanted, _) => wanted.clone(),
            };
            let slot = secret.versions.get(&wanted).ok_or_else(missing)?;
            if let Version::Exactly(_, label) = version
                && !slot.labels.contains(label)
            {
                return Err(Secret::invalid(id, GET));
            }
            Ok(SecretVersion {
                labels: slot.labels.clone(),
                created: Some(slot.created),
                arn: None,
                document: slot.value.clone().ok_or_else(missing)?,
                id: wanted,
            })
        })
    }

    async fn tags(&self, id: &SecretId) -> Result<BTreeMap<String, String>, StoreError> {
        self.with(id, "DescribeSecret", |secret| Ok(secret.tags.clone()))
    }
}

impl SecretStore for MemoryStore {
    async fn describe(&self, id: &SecretId) -> Result<SecretState, StoreError> {
        self.with(id, "DescribeSecret", |secret| {
            Ok(SecretState {
                rotation_enabled: secret.rotation_enabled,
                rotated_by: None,
                deleted: secret.deleted,
                last_rotated: secret.last_rotated,
                next_rotation: None,
                versions: secret
                    .versions
                    .iter()
                    .filter(|(_, slot)| !slot.labels.is_empty())
                    .map(|(id, slot)| (id.clone(), slot.labels.clone()))
                    .collect(),
            })
        })
    }

    async fn put_pending(
        &self,
        id: &SecretId,
        version: &VersionId,
        value: &SecretDocument,
        _: Option<&RotationToken>,
    ) -> Result<(), StoreError> {
        self.in_use(id, "PutSecretValue", |secret| {
            secret.put(id, version, value, &Label::Pending)?;
            Ok(())
        })
    }

    async fn promote(
        &self,
        id: &SecretId,
        from: &VersionId,
        to: &VersionId,
    ) -> Result<(), StoreError> {
        self.in_use(id, "UpdateSecretVersionStage", |secret| {
            let filled = secret
                .versions
                .get(to)
                .is_some_and(|slot| slot.value.is_some());
            if !filled || secret.holder(&Label::Current).as_ref() != Some(from) {
                return Err(Secret::conflict(id));
            }
            secret.label(&Label::Current, to);
            secret.last_rotated = Some(SystemTime::now());
            Ok(())
        })
    }

    async fn discard_pending(&self, id: &SecretId, version: &VersionId) -> Result<(), StoreError> {
        self.in_use(id, "UpdateSecretVersionStage", |secret| {
            if secret.holder(&Label::Pending).as_ref() != Some(version) {
                return Err(Secret::conflict(id));
            }
            secret.strip(&Label::Pending);
            Ok(())
        })
    }

    async fn mark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.in_use(id, "UpdateSecretVersionStage", |secret| {
            let elsewhere = secret.holder(label).is_some_and(|held| held != *version);
            match secret.versions.get_mut(version) {
                Some(slot) if !elsewhere => {
                    slot.labels.insert(label.clone());
                    Ok(())
                }
                _ => Err(Secret::conflict(id)),
            }
        })
    }

    async fn unmark(
        &self,
        id: &SecretId,
        version: &VersionId,
        label: &Label,
    ) -> Result<(), StoreError> {
        self.in_use(id, "UpdateSecretVersionStage", |secret| {
            if let Some(slot) = secret.versions.get_mut(version) {
                slot.labels.remove(label);
            }
            Ok(())
        })
    }
}
