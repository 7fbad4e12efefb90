//! What is printed.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people to watch"
)]

use std::sync::Arc;
use std::time::Instant;

use secrets_core::event::{SecretId, VersionId};
use secrets_core::store::memory::MemoryStore;
use secrets_core::store::{Label, SecretStore};

use crate::readers::Seen;

/// Lines with the milliseconds since the start.
#[derive(Clone)]
pub(crate) struct Timeline(Arc<Instant>);

impl Timeline {
    pub(crate) fn start() -> Self {
        println!("{:>7}  what happened", "ms");
        Self(Arc::new(Instant::now()))
    }

    pub(crate) fn line(&self, what: &str) {
        println!("{:>7}  {what}", self.0.elapsed().as_millis());
    }

    /// What happened, and where the labels are now.
    pub(crate) async fn labels(&self, what: &str, store: &MemoryStore, id: &SecretId) {
        let Ok(state) = store.describe(id).await else {
            return self.line(what);
        };
        let labels: Vec<_> = [Label::Current, Label::Pending, Label::Previous]
            .iter()
            .filter_map(|label| Some(format!("{label} {}", short(state.holder(label)?))))
            .collect();
        self.line(&format!("{what:<28} {}", labels.join("  ")));
    }

    pub(crate) fn summary(&self, seen: &Seen) {
        self.line(&format!(
            "readers: {} reads, {} bridged with AWSPENDING, {} with a newer AWSCURRENT",
            seen.reads, seen.by_pending, seen.by_newer
        ));
        println!("\nfailed reads: {}", seen.failed);
    }
}

/// `v2` for version 2 of this demonstration.
pub(crate) fn short(version: &VersionId) -> String {
    format!("v{}", version.as_str().trim_start_matches('0'))
}

pub(crate) fn complain(fault: &str) {
    eprintln!("quickstart: {fault}");
}
