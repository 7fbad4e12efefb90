//! A secret that an application keeps at hand: parsed once a version, read without a lock.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::Guard;
use tokio::sync::watch;

use super::entry::{Seen, TooSoon};
use super::error::ClientError;
use super::keeper::keep_fresh;
use super::slot::{Parsed, Slot};
use crate::document::{DocumentError, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::store::{Label, Version};

/// What a secret can be read as: anything that is made of a document.
pub trait FromSecret:
    for<'d> TryFrom<&'d SecretDocument, Error = DocumentError> + Send + Sync + 'static
{
}

impl<T> FromSecret for T where
    T: for<'d> TryFrom<&'d SecretDocument, Error = DocumentError> + Send + Sync + 'static
{
}

/// A secret that is kept at hand as a `T`; made by [`SecretsClient::secret`](super::SecretsClient::secret).
///
/// All handles of one secret and one type share what was parsed. While one lives, a task asks for the secret
/// when that is due, whether it is read or not.
pub struct SecretHandle<T> {
    pub(super) slot: Arc<Slot<T>>,
    seen: watch::Receiver<u64>,
}

/// The current version of a secret as a `T`. It stays what it is when a newer version comes, so keep it no
/// longer than it takes to use it.
pub struct Current<T>(Guard<Option<Arc<Parsed<T>>>>);

impl<T: FromSecret> SecretHandle<T> {
    pub(super) fn new(slot: Arc<Slot<T>>) -> Self {
        keep_fresh(&slot.core, &slot.entry);
        let seen = slot.versions.subscribe();
        Self { slot, seen }
    }

    /// The current version: no waiting, no lock, no allocation.
    ///
    /// A value that is due to be confirmed is served while one task asks the store.
    ///
    /// # Errors
    /// The store has refused to give the secret, or could not be asked for longer than `max_stale`.
    #[inline]
    pub fn current(&self) -> Result<Current<T>, ClientError> {
        let value = self.slot.value.load();
        let entry = &self.slot.entry;
        if value.is_some() && entry.window.holds(entry.clock.tick()) {
            return Ok(Current(value));
        }
        drop(value);
        self.look()
    }

    #[cold]
    fn look(&self) -> Result<Current<T>, ClientError> {
        let slot = &self.slot;
        match slot.entry.look(&slot.core) {
            Seen::Usable => {
                let value = slot.value.load();
                match (value.is_some(), slot.unfit()) {
                    (true, _) => Ok(Current(value)),
                    (false, Some(fault)) => Err(fault.into()),
                    (false, None) => Err(slot.entry.fault()),
                }
            }
            Seen::Awaited(_) => Err(slot.entry.fault()),
            Seen::Failed(fault) => Err(fault),
        }
    }

    /// The same; where there is nothing that may be served, it waits for the store's answer.
    ///
    /// # Errors
    /// As for [`current`](Self::current), after the store was asked.
    pub async fn get(&self) -> Result<Current<T>, ClientError> {
        if let Ok(current) = self.current() {
            return Ok(current);
        }
        self.slot.core.ready(&self.slot.entry).await?;
        self.current()
    }

    /// Asks the store now, whatever the age of the value, and gives what is current then. Whoever asks at the
    /// same time shares the call, and `refresh_interval` limits how often there is one.
    ///
    /// # Errors
    /// The store's. What is held goes on being served by [`current`](Self::current) if that is transient.
    pub async fn refresh(&self) -> Result<Current<T>, ClientError> {
        let slot = &self.slot;
        slot.entry.force(&slot.core, TooSoon::Wait).await?;
        self.current()
    }

    /// Waits for a version that this handle has not been told of yet. A new handle, or a clone, knows the one
    /// that is current when it is made, or what its original knew.
    pub async fn changed(&mut self) {
        keep_fresh(&self.slot.core, &self.slot.entry);
        // The sender lives as long as the slot, which this handle holds.
        let _ = self.seen.changed().await;
    }

    /// Waits until another version than this one is current.
    ///
    /// # Errors
    /// As for [`current`](Self::current).
    pub async fn newer_than(&self, version: &VersionId) -> Result<Current<T>, ClientError> {
        let mut versions = self.slot.versions.subscribe();
        keep_fresh(&self.slot.core, &self.slot.entry);
        loop {
            versions.mark_unchanged();
            let current = self.get().await?;
            if current.version_id() != version {
                return Ok(current);
            }
            drop(current);
            let _ = versions.changed().await;
        }
    }

    /// The id by which the secret is asked for.
    pub fn id(&self) -> &SecretId {
        &self.slot.entry.id
    }

    /// Why the newest version of the secret is not the one that is served: it could not be read as a `T`.
    pub(super) fn unfit(&self) -> Option<DocumentError> {
        self.slot.unfit()
    }
}

impl<T> Current<T> {
    /// Of what a slot holds, if it holds anything.
    pub(super) fn of(value: Guard<Option<Arc<Parsed<T>>>>) -> Option<Self> {
        value.is_some().then_some(Self(value))
    }

    /// The same, to be kept for longer.
    pub(super) fn shared(&self) -> Option<Arc<Parsed<T>>> {
        Option::clone(&self.0)
    }

    fn parsed(&self) -> &Parsed<T> {
        match &*self.0 {
            Some(parsed) => parsed,
            None => unreachable!("only made of a value that is there"),
        }
    }

    /// Which version it is.
    pub fn version_id(&self) -> &VersionId {
        &self.parsed().version
    }

    /// Whether it is not the current version but the one that held AWSPENDING when it was read, as
    /// [`connect_with`](SecretHandle::connect_with) hands out where AWSCURRENT is refused.
    pub fn is_pending(&self) -> bool {
        self.parsed().entry.version == Version::Labelled(Label::Pending)
    }

    /// How long ago the store last confirmed the secret that this is a version of.
    pub fn age(&self) -> Duration {
        self.parsed().entry.age().unwrap_or_default()
    }

    /// Whether it is time to ask the store again, or there already is another version.
    pub fn is_stale(&self) -> bool {
        let parsed = self.parsed();
        parsed.entry.is_due() || parsed.entry.held_version().as_ref() != Some(&parsed.version)
    }
}

impl<T> Deref for Current<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.parsed().value
    }
}

impl<T> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Current {{ version: {}, value: [redacted] }}",
            self.version_id()
        )
    }
}

impl<T> fmt::Display for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[redacted], version {}", self.version_id())
    }
}

impl<T> Clone for SecretHandle<T> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
            seen: self.seen.clone(),
        }
    }
}

impl<T> fmt::Debug for SecretHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHandle {{ secret: {} }}", self.slot.entry.id)
    }
}
