//! The task that asks for secrets with handles, whether they are read or not.

use std::sync::{Arc, Weak};

use super::core::Core;
use super::entry::Entry;
use super::sync::timeout;

/// The one task that asks for an entry with handles when that is due. Nothing depends on it: reads look for
/// themselves, and where its runtime ended the next handle or `changed` starts another.
pub(super) fn keep_fresh(core: &Arc<Core>, entry: &Arc<Entry>) {
    let Some(runtime) = core.runtime() else {
        return;
    };
    {
        let mut state = entry.state();
        if state.kept {
            return;
        }
        state.kept = true;
    }
    let keeper = Keeper(Arc::downgrade(entry));
    runtime.spawn(keeper.run(Arc::downgrade(core)));
}

struct Keeper(Weak<Entry>);

impl Keeper {
    /// It holds on to nothing while it waits, so that the value is wiped with the last handle.
    async fn run(self, core: Weak<Core>) {
        loop {
            let (wait, replanned) = match self.0.upgrade() {
                Some(entry) if entry.in_use() => (entry.next_look(), Arc::clone(&entry.replanned)),
                _ => return,
            };
            if !wait.is_zero() {
                let _ = timeout(wait, replanned.notified()).await;
                continue;
            }
            let flight = match (self.0.upgrade(), core.upgrade()) {
                (Some(entry), Some(core)) => {
                    entry.look(&core);
                    entry.state().flight.clone()
                }
                _ => return,
            };
            match flight {
                Some(flight) => drop(flight.landed().await),
                None => tokio::task::yield_now().await,
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(entry) = self.0.upgrade() {
            entry.state().kept = false;
        }
    }
}
