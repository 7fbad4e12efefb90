//! What was made of a secret's versions, for all handles of one type.

use std::any::{Any, TypeId};
use std::sync::{Arc, PoisonError, Weak};

use arc_swap::Guard;
use tokio::sync::watch;

use super::core::Core;
use super::entry::{Entry, Held};
use super::handle::{Current, FromSecret};
use super::sync::{ArcSwapOption, Mutex, MutexGuard};
use crate::document::DocumentError;
use crate::event::VersionId;

/// What was made of one version.
pub(super) struct Parsed<T> {
    pub(super) value: T,
    pub(super) version: VersionId,
    pub(super) entry: Arc<Entry>,
}

/// Where the handles of one secret and type find the current value.
pub(super) struct Slot<T> {
    pub(super) core: Arc<Core>,
    pub(super) entry: Arc<Entry>,
    pub(super) value: ArcSwapOption<Parsed<T>>,
    /// The pending version that was last tried: what to go on with, where the target accepts it, until it is published.
    bridge: Mutex<Option<Arc<Parsed<T>>>>,
    /// Why the newest version is not in `value`.
    unfit: Mutex<Option<DocumentError>>,
    pub(super) versions: watch::Sender<u64>,
}

/// What an entry does with all that was made of its value.
pub(super) trait Publish: Send + Sync {
    fn publish(&self, held: &Held);
    fn clear(&self);
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<T: FromSecret> Publish for Slot<T> {
    fn publish(&self, held: &Held) {
        let unfit = match T::try_from(&held.document) {
            Ok(value) => {
                self.value.store(Some(Arc::new(Parsed {
                    value,
                    version: held.id.clone(),
                    entry: Arc::clone(&self.entry),
                })));
                self.bridged().take();
                self.versions.send_modify(|count| *count += 1);
                None
            }
            Err(fault) => {
                tracing::error!(
                    secret = %self.entry.id, version = %held.id, %fault,
                    "this version does not fit; handles keep the one before"
                );
                Some(fault)
            }
        };
        *self.unfit.lock().unwrap_or_else(PoisonError::into_inner) = unfit;
    }

    fn clear(&self) {
        self.value.store(None);
        self.bridged().take();
    }

    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<T> Slot<T> {
    pub(super) fn read(&self) -> Option<Current<T>> {
        Current::of(self.value.load())
    }

    /// Keeps a pending version at hand, as long as there is a current one.
    pub(super) fn keep(&self, pending: &Current<T>) {
        let mut bridge = self.bridged();
        if self.value.load().is_some() {
            *bridge = pending.shared();
        }
    }

    pub(super) fn kept(&self) -> Option<Current<T>> {
        let kept = self.bridged().clone();
        Current::of(Guard::from_inner(kept))
    }

    fn bridged(&self) -> MutexGuard<'_, Option<Arc<Parsed<T>>>> {
        self.bridge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the newest version is not the one that is served.
    pub(super) fn unfit(&self) -> Option<DocumentError> {
        let unfit = self.unfit.lock().unwrap_or_else(PoisonError::into_inner);
        unfit.clone()
    }
}

impl Entry {
    /// The slot of that type, made if there is none yet.
    pub(super) fn slot<T: FromSecret>(
        self: &Arc<Self>,
        core: &Arc<Core>,
    ) -> Result<Arc<Slot<T>>, DocumentError> {
        let mut state = self.state();
        let known = state.slots.iter();
        let known = known.filter(|(kind, _)| *kind == TypeId::of::<T>());
        let mut known = known.filter_map(|(_, slot)| slot.upgrade()?.any().downcast().ok());
        if let Some(slot) = known.next() {
            return Ok(slot);
        }
        drop(known);
        let slot = Arc::new(Slot {
            core: Arc::clone(core),
            entry: Arc::clone(self),
            value: ArcSwapOption::empty(),
            bridge: Mutex::default(),
            unfit: Mutex::default(),
            versions: watch::Sender::new(0),
        });
        if let Some(held) = &*self.value.load() {
            slot.publish(held);
        }
        if let Some(fault) = slot.unfit() {
            return Err(fault);
        }
        let weak: Weak<Slot<T>> = Arc::downgrade(&slot);
        state.slots.push((TypeId::of::<T>(), weak));
        Ok(slot)
    }
}
