//! Looks at the promises after every effect.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::ExposeSecret;

use crate::document::{Exposed, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::rotator::{Overlap, Profile, RotatorError};
use crate::store::memory::MemoryStore;
use crate::store::{Label, SecretReader, SecretStore, Version};

use super::gate::Gate;
use super::leak;
use super::sentinel;
use super::target::Target;
use super::violation::Invariant;

/// Every version that the kit registers starts with this.
pub(super) const VERSION_PREFIX: &str = "kit-";

/// Sees one trial from beginning to end.
pub(super) struct Witness<T> {
    pub(super) store: MemoryStore,
    pub(super) target: Arc<T>,
    pub(super) gate: Gate,
    pub(super) id: SecretId,
    pub(super) profile: Profile,
    first: SecretDocument,
    /// Two invocations at once may each have their login refused through the other's doing.
    pub(super) side_by_side: Mutex<bool>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    broken: Option<(Invariant, String, usize)>,
    /// Call at which AWSCURRENT stopped working.
    gap_since: Option<usize>,
    longest_gap: usize,
    before_last_write: Option<MemoryStore>,
    /// What each pending version held when it was first seen.
    pending: BTreeMap<VersionId, SecretDocument>,
}

/// What can be told apart from outside.
#[derive(PartialEq, Eq)]
pub(super) struct Snapshot {
    labels: BTreeMap<VersionId, Vec<String>>,
    texts: Vec<Option<String>>,
    works: Vec<bool>,
    live: Option<usize>,
}

const LABELS: [Label; 3] = [Label::Current, Label::Pending, Label::Previous];

impl<T: Target> Witness<T> {
    pub(super) fn new(
        store: &MemoryStore,
        target: Arc<T>,
        gate: &Gate,
        id: &SecretId,
        profile: Profile,
        first: SecretDocument,
    ) -> Self {
        Self {
            store: store.clone(),
            target,
            gate: gate.clone(),
            id: id.clone(),
            profile,
            first,
            side_by_side: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a broken promise; the first one counts.
    pub(super) fn convict(&self, invariant: Invariant, seen: impl Into<String>) {
        let at = self.gate.calls().len();
        self.notes()
            .broken
            .get_or_insert((invariant, seen.into(), at));
    }

    /// The first broken promise, and after how many calls.
    pub(super) fn verdict(&self) -> Option<(Invariant, String, usize)> {
        self.notes().broken.clone()
    }

    /// For how many calls AWSCURRENT did not work, at the longest.
    pub(super) fn longest_gap(&self) -> usize {
        self.notes().longest_gap
    }

    /// Keeps the store as it is now, for reads that lag behind the write that follows.
    pub(super) fn note_write(&self) {
        let before = self.store.fork();
        self.notes().before_last_write = Some(before);
    }

    pub(super) fn before_last_write(&self) -> Option<MemoryStore> {
        self.notes().before_last_write.clone()
    }

    /// What a label names.
    pub(super) async fn at(&self, label: &Label) -> Option<SecretDocument> {
        let version = Version::Labelled(label.clone());
        let version = self.store.get(&self.id, &version).await.ok()?;
        Some(version.document)
    }

    async fn works(&self, label: &Label) -> Option<bool> {
        let document = self.at(label).await?;
        Some(self.target.works(&document).await)
    }

    pub(super) async fn snapshot(&self) -> Snapshot {
        let state = self.store.describe(&self.id).await.unwrap_or_default();
        let labels = state
            .versions
            .into_iter()
            .map(|(id, labels)| (id, labels.iter().map(ToString::to_string).collect()))
            .collect();
        let (mut texts, mut works) = (Vec::new(), Vec::new());
        for label in &LABELS {
            let document = self.at(label).await;
            works.push(match &document {
                Some(document) => self.target.works(document).await,
                None => false,
            });
            texts.push(document.as_ref().map(text));
        }
        Snapshot {
            labels,
            texts,
            works,
            live: self.target.live().await,
        }
    }

    /// Lets the rotator act, and looks at what it did.
    pub(super) async fn around<V>(
        &self,
        call: &'static str,
        act: impl Future<Output = Result<V, RotatorError>>,
    ) -> Result<V, RotatorError> {
        let before = [
            self.works(&Label::Current).await,
            self.works(&Label::Pending).await,
        ];
        let refused = self.target.refused_logins().await;
        let answer = act.await;
        let after = [
            self.works(&Label::Current).await,
            self.works(&Label::Pending).await,
        ];
        for ((before, after), label) in before.iter().zip(after).zip(&LABELS) {
            if *before == Some(true) && after == Some(false) {
                match call {
                    "test" => self.convict(
                        Invariant::DoubtChangesNothing,
                        format!("a probe made {label} stop working"),
                    ),
                    "retire" => self.convict(
                        Invariant::InUseIsKept,
                        format!("retiring made {label} stop working"),
                    ),
                    "create" => self.judge_creation(label),
                    _ => {}
                }
            }
        }
        let alone = !*self
            .side_by_side
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let (Some(before), Some(after), true) =
            (refused, self.target.refused_logins().await, alone)
        {
            let allowed = usize::from(call == "test");
            if after - before > allowed {
                let seen = format!("`{call}` had {} logins refused", after - before);
                self.convict(Invariant::NoLockout, seen);
            }
        }
        self.look(call).await;
        answer
    }

    /// Creating made what `label` names stop working.
    fn judge_creation(&self, label: &Label) {
        match (self.profile.overlap, label) {
            (Overlap::MintedInPlace, Label::Current) => {}
            (Overlap::ReplaceInPlace, Label::Current) => self.convict(
                Invariant::ProfileIsTrue,
                "creating made AWSCURRENT stop working, which the profile says of setting",
            ),
            _ => self.convict(
                Invariant::InUseIsKept,
                format!("creating made {label} stop working"),
            ),
        }
    }

    /// Whether it is declared that nothing works: from the making of a new credential to its storing,
    /// where it is minted in place. The pending version has no value then.
    async fn nothing_need_work(&self) -> bool {
        self.profile.overlap == Overlap::MintedInPlace && self.at(&Label::Pending).await.is_none()
    }

    /// The promises that hold at every moment.
    pub(super) async fn look(&self, call: &'static str) {
        self.look_at_pending(call).await;
        let current = self.works(&Label::Current).await == Some(true);
        let mut someone = current;
        for label in [Label::Pending, Label::Previous] {
            someone = someone || self.works(&label).await == Some(true);
        }
        if !someone && !self.nothing_need_work().await {
            let seen = format!("after `{call}` the target refuses what every label names");
            self.convict(Invariant::NobodyLockedOut, seen);
        }
        if !current && call == "promote" {
            let seen = "what was made AWSCURRENT does not work";
            self.convict(Invariant::NobodyLockedOut, seen);
        }
        if !current && self.profile.overlap == Overlap::UntilNextRotation {
            let seen = format!("after `{call}` AWSCURRENT does not work");
            self.convict(Invariant::ProfileIsTrue, seen);
        }
        self.note_gap(current);
        if let Some(live) = self.target.live().await
            && live > self.profile.live.peak
        {
            let seen = format!("after `{call}` {live} credentials are live");
            self.convict(Invariant::NothingPilesUp, seen);
        }
    }

    /// A pending version keeps the value that it was given, whoever gave it.
    async fn look_at_pending(&self, call: &'static str) {
        let version = Version::Labelled(Label::Pending);
        let Ok(pending) = self.store.get(&self.id, &version).await else {
            return;
        };
        // The kit registers every version itself; one that it did not name is somebody else's.
        if !pending.id.as_str().starts_with(VERSION_PREFIX) {
            let seen = format!("after `{call}` AWSPENDING sits on a version of nobody's");
            self.convict(Invariant::ForeignPendingStays, seen);
        }
        let rotates = self.profile.rotates;
        let returns = rotates.same_credential(&self.first, &pending.document)
            || self.notes().pending.iter().any(|(id, held)| {
                *id != pending.id && rotates.same_credential(held, &pending.document)
            });
        if returns {
            let seen = format!("after `{call}` AWSPENDING holds a value that there was before");
            self.convict(Invariant::ValueChanges, seen);
        }
        let mut notes = self.notes();
        let held = notes
            .pending
            .entry(pending.id)
            .or_insert_with(|| pending.document.clone());
        let same = held.differing_keys(&pending.document).is_empty();
        drop(notes);
        if !same {
            let seen = format!("after `{call}` a pending version holds another value");
            self.convict(Invariant::ForeignPendingStays, seen);
        }
    }

    fn note_gap(&self, works: bool) {
        let now = self.gate.calls().len();
        let mut notes = self.notes();
        if works {
            if let Some(since) = notes.gap_since.take() {
                notes.longest_gap = notes.longest_gap.max(now.saturating_sub(since));
            }
        } else {
            notes.gap_since.get_or_insert(now);
        }
    }

    /// The promises that hold between two rotations.
    pub(super) async fn look_at_rest(&self, published: &VersionId) {
        let state = self.store.describe(&self.id).await.unwrap_or_default();
        if state.holder(&Label::Current) != Some(published) {
            self.convict(
                Invariant::CrashesHeal,
                "the rotation ended well and was not published",
            );
        }
        let Some(current) = self.at(&Label::Current).await else {
            return self.convict(Invariant::NobodyLockedOut, "no version holds AWSCURRENT");
        };
        if !self.target.works(&current).await {
            let seen = "after the rotation AWSCURRENT does not work";
            self.convict(Invariant::NobodyLockedOut, seen);
        }
        if let Some(live) = self.target.live().await
            && live > self.profile.live.rest
        {
            let seen = format!("after the rotation {live} credentials are live");
            self.convict(Invariant::NothingPilesUp, seen);
        }
        let keys = self.profile.rotates.keys();
        if !keys.is_empty() && text(&self.first.with_keys_from(&current, keys)) != text(&current) {
            let seen = "a key that does not rotate is not what it was";
            self.convict(Invariant::RestOfSecretStays, seen);
        }
    }

    /// Whether a secret was said aloud since the last time.
    pub(super) async fn listen(&self) {
        let words = leak::take_words();
        if words.is_empty() {
            return;
        }
        for (secret, key) in self.sentinels().await {
            if let Some(form) = sentinel::found(&secret, &words) {
                let place = leak::place(&words, |line| sentinel::found(&secret, line).is_some());
                let seen = match key {
                    Some(key) => format!("what `{key}` holds is {place} ({form})"),
                    None => format!("what the secret holds is {place} ({form})"),
                };
                self.convict(Invariant::NothingLeaks, seen);
            }
        }
    }

    /// All rotated values that there were, each with its key: what must not be found in any text.
    async fn sentinels(&self) -> BTreeMap<String, Option<&'static str>> {
        let mut documents: Vec<SecretDocument> = vec![self.first.clone()];
        documents.extend(self.notes().pending.values().cloned());
        for label in &LABELS {
            documents.extend(self.at(label).await);
        }
        let keys = self.profile.rotates.keys();
        let mut sentinels = BTreeMap::new();
        for document in documents {
            if keys.is_empty() {
                sentinels.insert(text(&document), None);
            }
            for key in keys.iter().filter(|key| self.target.is_secret(key)) {
                if let Ok(value) = document.text(key) {
                    sentinels.insert(value.expose_secret().to_owned(), Some(*key));
                }
            }
        }
        sentinels
    }
}

fn text(document: &SecretDocument) -> String {
    match document.expose() {
        Exposed::Text(text) => text.expose_secret().to_owned(),
        Exposed::Binary(bytes) => bytes.expose_secret().escape_ascii().to_string(),
    }
}
