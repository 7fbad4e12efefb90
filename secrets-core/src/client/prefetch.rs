//! Many secrets at once, and one call for up to twenty of them where the store has one.

use std::sync::Arc;

use tokio::time::Instant;

use super::SecretsClient;
use super::core::Core;
use super::entry::Entry;
use super::error::ClientError;
use super::flight::Landing;
use super::upstream::{self, Caches, Reply};
use crate::event::SecretId;

impl SecretsClient {
    /// Reads these secrets now, so that later reads find them: as many in a call as the store takes, 20 for
    /// Secrets Manager. What is held already is not asked for. Without the right to
    /// `secretsmanager:BatchGetSecretValue` they are asked for one by one, all at the same time.
    ///
    /// # Errors
    /// The first secret's, in their order, that could not be read; the others are there.
    pub async fn prefetch<S: AsRef<str>>(
        &self,
        ids: impl IntoIterator<Item = S>,
    ) -> Result<(), ClientError> {
        let core = &self.0;
        let entries: Vec<_> = ids
            .into_iter()
            .map(|id| core.current_entry(id.as_ref()))
            .collect();
        let limit = core.upstream.batch_limit();
        if limit > 1 {
            let landings: Vec<_> = entries
                .iter()
                .filter_map(|entry| entry.claim(core))
                .collect();
            let mut landings = landings.into_iter().peekable();
            while landings.peek().is_some() {
                let batch: Vec<_> = landings.by_ref().take(limit).collect();
                if let Some(runtime) = core.runtime() {
                    runtime.spawn(fly_together(Arc::clone(core), batch));
                }
            }
        }
        // Sets out for those that nobody asks for yet, before it waits for the first.
        for entry in &entries {
            entry.look(core);
        }
        let mut outcome = Ok(());
        for entry in &entries {
            let ready = core.ready(entry).await;
            outcome = outcome.and(ready);
        }
        outcome
    }
}

impl Entry {
    /// Takes the question upon the caller, if there is nothing to serve and nobody asks yet.
    fn claim(self: &Arc<Self>, core: &Arc<Core>) -> Option<Landing> {
        let mut state = self.state();
        let now = self.clock.now();
        let paused = state.retry.is_some_and(|retry| Instant::now() < retry);
        let needed = self.usable_for(&state, now).is_zero();
        (needed && !paused && state.flight.is_none())
            .then(|| Landing::new(core, self, &mut state, Caches::Answer).0)
    }
}

async fn fly_together(core: Arc<Core>, landings: Vec<Landing>) {
    let ids: Vec<SecretId> = landings
        .iter()
        .map(|landing| landing.entry.id.clone())
        .collect();
    let Some(first) = ids.first() else {
        return;
    };
    let call = core.upstream.get_batch(&ids);
    match upstream::within(&core, first, call).await {
        Ok(answers) => {
            for (landing, answer) in landings.into_iter().zip(answers) {
                landing.land(match answer {
                    Ok(version) => Ok(Reply::Value {
                        version: Box::new(version),
                        next: None,
                    }),
                    Err(fault) => Err(fault.into()),
                });
            }
        }
        Err(fault) if fault.is_transient() => {
            for landing in landings {
                landing.land(Err(fault.clone()));
            }
        }
        // Nobody has been denied a secret: only to ask for many at once.
        Err(fault) => {
            tracing::warn!(%fault, "secrets are asked for one by one");
            landings.into_iter().for_each(Landing::take_off);
        }
    }
}
