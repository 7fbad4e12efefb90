//! What all clones of a client share: the entries, and how a read comes by one that may be served.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use super::cache::Cache;
use super::clock::Clock;
use super::entry::{Entry, Seen};
use super::error::ClientError;
use super::secret::Secret;
use super::stats::Counters;
use super::sync::Handle;
use super::upstream::Upstream;
use super::{builder, flight};
use crate::event::SecretId;
use crate::store::Version;

pub(super) struct Core {
    pub(super) upstream: Box<dyn Upstream>,
    pub(super) settings: builder::Settings,
    pub(super) clock: Clock,
    pub(super) counters: Counters,
    /// What holds AWSCURRENT, by every id under which it was asked for, and by ARN.
    pub(super) current: Cache<Box<str>>,
    /// Everything else.
    pub(super) versions: Cache<(Box<str>, Version)>,
    pub(super) chosen: Option<Handle>,
    pub(super) built_in: OnceLock<Handle>,
}

impl Core {
    /// Where to ask the store: see [`flight`].
    pub(super) fn runtime(&self) -> Option<Handle> {
        if let Some(chosen) = &self.chosen {
            return Some(chosen.clone());
        }
        let Ok(here) = Handle::try_current() else {
            return self.built_in.get().cloned();
        };
        let _ = self.built_in.set(here.clone());
        Some(here)
    }

    pub(super) fn current_entry(&self, id: &str) -> Arc<Entry> {
        if let Some(entry) = self.current.at(id, |entry| Some(Arc::clone(entry))) {
            return entry;
        }
        let key: Box<str> = id.into();
        let made = self.current.entry(&key, || self.make(id, Version::CURRENT));
        self.evicted(made)
    }

    pub(super) fn version_entry(&self, id: &str, version: &Version) -> Arc<Entry> {
        let key = (id.into(), version.clone());
        let made = self.versions.entry(&key, || self.make(id, version.clone()));
        self.evicted(made)
    }

    pub(super) fn make(&self, id: &str, version: Version) -> Entry {
        let rules = self.settings.rules(&version);
        Entry::new(SecretId::from(id), version, rules, self.clock.clone())
    }

    pub(super) fn evicted(&self, (entry, evicted): (Arc<Entry>, usize)) -> Arc<Entry> {
        let evicted = u64::try_from(evicted).unwrap_or(u64::MAX);
        self.counters
            .evictions
            .fetch_add(evicted, Ordering::Relaxed);
        entry
    }

    pub(super) async fn read(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<Secret, ClientError> {
        loop {
            self.ready(entry).await?;
            let held = entry.value.load();
            if held.is_some() {
                return Ok(Secret(held));
            }
        }
    }

    /// Waits until the entry holds a value that may be served; not at all if it does.
    pub(super) async fn ready(self: &Arc<Self>, entry: &Arc<Entry>) -> Result<(), ClientError> {
        let mut lost = 0;
        let mut waited = false;
        loop {
            let flight = match entry.look(self) {
                Seen::Usable if waited => return Ok(()),
                Seen::Usable => {
                    self.counters.hit();
                    return Ok(());
                }
                Seen::Failed(fault) => {
                    self.counters.negative_hits.fetch_add(1, Ordering::Relaxed);
                    return Err(fault);
                }
                Seen::Awaited(flight) => flight,
            };
            if !waited {
                self.counters.misses.fetch_add(1, Ordering::Relaxed);
                waited = true;
            }
            match flight.landed().await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(fault)) if fault.is_transient() && entry.value.load().is_some() => {
                    return Err(entry.fault());
                }
                Ok(Err(fault)) => return Err(fault),
                Err(flight::Lost) if lost < 2 => lost += 1,
                Err(flight::Lost) => {
                    return Err(ClientError::Interrupted {
                        secret: entry.id.clone(),
                    });
                }
            }
        }
    }

    /// The store has told the secret's ARN: from now on it leads to the same entry as the id that was
    /// asked for. The name does not, unless it was asked for: another account's secret, asked for by ARN,
    /// may have the name of one of ours.
    pub(super) fn unify(&self, entry: &Arc<Entry>, before: Option<&SecretId>) {
        let arn = entry.state().arn.clone();
        if entry.version != Version::CURRENT || arn.as_ref() == before {
            return;
        }
        let own: Box<str> = entry.id.as_str().into();
        if before.is_some() {
            // Deleted and made anew under its name: what else led here meant the other one.
            self.current.unalias(&own, entry);
        }
        if let Some(arn) = arn {
            self.current.alias(&own, &arn.as_str().into(), entry);
        }
    }
}
