//! The entries of a client: found without a lock, bounded in number.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::entry::Entry;
use super::sync::{ArcSwap, Mutex, MutexGuard};

type Map<K> = HashMap<K, Arc<Entry>>;

/// Entries by key; several keys may lead to one. Readers see a map that is never changed: whoever adds an
/// entry, which costs a call to the store anyway, makes a new one.
pub(super) struct Cache<K> {
    map: ArcSwap<Map<K>>,
    writer: Mutex<()>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone> Cache<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            map: ArcSwap::from_pointee(Map::new()),
            writer: Mutex::new(()),
            capacity,
        }
    }

    /// Looks at the entry under the key where it stands.
    #[inline]
    pub(super) fn at<Q, A>(&self, key: &Q, look: impl FnOnce(&Arc<Entry>) -> Option<A>) -> Option<A>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        look(self.map.load().get(key)?)
    }

    /// The entry under the key, made if there is none; and how many had to go for it.
    pub(super) fn entry(&self, key: &K, make: impl FnOnce() -> Entry) -> (Arc<Entry>, usize) {
        if let Some(entry) = self.at(key, |entry| Some(Arc::clone(entry))) {
            return (entry, 0);
        }
        let writer = self.lock();
        // Another thread may have been first.
        if let Some(entry) = self.at(key, |entry| Some(Arc::clone(entry))) {
            return (entry, 0);
        }
        let mut map = Map::clone(&self.map.load());
        let evicted = make_room(&mut map, self.capacity);
        let entry = Arc::new(make());
        map.insert(key.clone(), Arc::clone(&entry));
        self.map.store(Arc::new(map));
        drop(writer);
        (entry, evicted)
    }

    /// Lets a further key lead to the entry; where it leads to another already, `own` is led there, too.
    pub(super) fn alias(&self, own: &K, further: &K, entry: &Arc<Entry>) {
        let _writer = self.lock();
        let mut map = Map::clone(&self.map.load());
        match map.get(further) {
            Some(known) if Arc::ptr_eq(known, entry) => return,
            Some(known) => {
                let known = Arc::clone(known);
                map.insert(own.clone(), known);
            }
            None if map.get(own).is_some_and(|known| Arc::ptr_eq(known, entry)) => {
                map.insert(further.clone(), Arc::clone(entry));
            }
            // It was evicted meanwhile.
            None => return,
        }
        self.map.store(Arc::new(map));
    }

    /// Leaves only this key of all that lead to the entry.
    pub(super) fn unalias(&self, own: &K, entry: &Arc<Entry>) {
        let _writer = self.lock();
        let mut map = Map::clone(&self.map.load());
        map.retain(|key, known| key == own || !Arc::ptr_eq(known, entry));
        self.map.store(Arc::new(map));
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out entries until one more fits: those first that nobody has read since the last time, and none
/// that a handle is made of, which is in the application's hand.
fn make_room<K: Hash + Eq + Clone>(map: &mut Map<K>, capacity: usize) -> usize {
    let mut evicted = 0;
    while map.len() >= capacity {
        let mut idle = None;
        let mut any = None;
        for entry in map.values() {
            if entry.in_use() {
                continue;
            }
            any = Some(entry);
            if !entry.read.swap(false, Ordering::Relaxed) {
                idle = Some(entry);
                break;
            }
        }
        let Some(gone) = idle.or(any).map(Arc::clone) else {
            break;
        };
        map.retain(|_, entry| !Arc::ptr_eq(entry, &gone));
        evicted += 1;
    }
    evicted
}
