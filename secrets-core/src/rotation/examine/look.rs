//! What an examination reads and asks. It writes nothing, and presents each credential once.

use tokio::time::{Instant, timeout_at};

use super::super::read::credential;
use super::super::{Reason, Rotation};
use super::finding::Weight;
use super::{Candidate, Examination, Finding, Standing, decide};
use crate::document::SecretDocument;
use crate::event::{SecretId, VersionId};
use crate::rotator::{Context, Rotator, RotatorErrorKind, Verdict};
use crate::store::{
    Label, SecretState, SecretStore, SecretVersion, StoreError, StoreErrorKind, Version,
};

/// A version as it was read: its place among the candidates, and its value.
struct Read {
    candidate: usize,
    document: SecretDocument,
}

impl<S: SecretStore, R: Rotator> Rotation<S, R> {
    /// Finds out what state a secret's rotation is in.
    ///
    /// # Behavior
    /// - Nothing is written, neither to the store nor to the target.
    /// - Each credential is presented at most once; `AWSPREVIOUS` only where neither of the others is accepted.
    /// - A pending value that differs in more than what rotates is not presented: its host may be foreign.
    /// - All faults are gathered, the gravest first.
    ///
    /// `asked` is the version of an event that fails (its `ClientRequestToken`), if there is one: then it is
    /// also told why that version cannot go on.
    ///
    /// # Example
    /// ```
    /// use std::time::Duration;
    /// use secrets_core::event::SecretId;
    /// use secrets_core::rotation::Rotation;
    /// use secrets_core::rotator::Rotator;
    /// use secrets_core::store::SecretStore;
    /// use tokio::time::Instant;
    ///
    /// async fn look<S: SecretStore, R: Rotator>(rotation: &Rotation<S, R>, secret: &SecretId) -> bool {
    ///     let deadline = Instant::now() + Duration::from_secs(30);
    ///     let seen = rotation.examine(secret, None, deadline).await;
    ///     for finding in &seen.findings {
    ///         println!("{}: {finding}; {}", finding.code(), finding.remedy());
    ///     }
    ///     !seen.needs_action()
    /// }
    /// ```
    pub async fn examine(
        &self,
        secret: &SecretId,
        asked: Option<&VersionId>,
        deadline: Instant,
    ) -> Examination {
        let mut seen = Examination {
            secret: secret.clone(),
            state: None,
            profile: self.rotator.profile(),
            candidates: Vec::new(),
            findings: Vec::new(),
        };
        match in_time(deadline, self.store.describe(secret)).await {
            Ok(state) => seen.state = Some(state.clone()),
            Err(reason) => {
                seen.findings.push(Finding::Fault(reason));
                return seen;
            }
        }
        let state = seen.state.clone().unwrap_or_default();
        let current = if state.deleted {
            None
        } else {
            self.look_at_values(&mut seen, &state, deadline).await
        };
        let mut findings = decide::findings(&seen, asked, (self.now)());
        if let Some(current) = current {
            findings.extend(
                self.second_secret(secret, &current.document, deadline)
                    .await,
            );
            if seen.candidate(&Label::Pending).is_none()
                && let Some(not_before) = self.not_before(current.created, &state)
            {
                findings.push(Finding::Fault(Reason::TooSoon { not_before }));
            }
        }
        if findings.iter().any(|it| it.weight() != Weight::Note) {
            findings.retain(|it| *it != Finding::Healthy);
        }
        findings.sort_by_key(Finding::weight);
        seen.findings = findings;
        seen
    }

    /// Reads the three values and presents what is worth it. Gives the current one.
    async fn look_at_values(
        &self,
        seen: &mut Examination,
        state: &SecretState,
        deadline: Instant,
    ) -> Option<SecretVersion> {
        let holder = |label| state.holder(&label).cloned();
        let current = holder(Label::Current);
        let pending = holder(Label::Pending).filter(|it| Some(it) != current.as_ref());
        let previous = holder(Label::Previous).filter(|it| Some(it) != pending.as_ref());
        let current = self.read(seen, Label::Current, current, deadline).await;
        let pending = self.read(seen, Label::Pending, pending, deadline).await;
        let previous = self.read(seen, Label::Previous, previous, deadline).await;

        let mut asked: Vec<Read> = Vec::new();
        if let Some((candidate, version)) = &current {
            let document = version.document.clone();
            let read = Read {
                candidate: *candidate,
                document,
            };
            self.present(seen, read, &mut asked, deadline).await;
        }
        if let Some((candidate, pending)) = pending {
            let altered = current.as_ref().and_then(|(_, current)| {
                match self.check_unaltered(&pending.document, &current.document) {
                    Err(Reason::PendingAltered { keys }) => Some(keys),
                    _ => None,
                }
            });
            let document = pending.document;
            // What is no credential at all is told as that, and not by the keys that it lacks.
            let readable = credential::<R>(&document, Label::Pending).is_ok();
            if let Some(keys) = altered.filter(|_| readable) {
                seen.candidates[candidate].standing = Standing::Altered(keys);
            } else {
                let read = Read {
                    candidate,
                    document,
                };
                self.present(seen, read, &mut asked, deadline).await;
            }
        }
        // A refused login more may lock the account: the old value is tried only where it is needed.
        let accepted = |it: &Candidate| it.standing == Standing::Accepted;
        let refused = |it: &Candidate| it.standing == Standing::Rejected;
        if let (Some((candidate, previous)), Some((_, current))) = (previous, &current)
            && !seen.candidates.iter().any(accepted)
            && seen.candidates.iter().any(refused)
        {
            let keys = self.rotator.profile().rotates.keys();
            let document = current.document.with_keys_from(&previous.document, keys);
            let read = Read {
                candidate,
                document,
            };
            self.present(seen, read, &mut asked, deadline).await;
        }
        current.map(|(_, version)| version)
    }

    async fn read(
        &self,
        seen: &mut Examination,
        label: Label,
        version: Option<VersionId>,
        deadline: Instant,
    ) -> Option<(usize, SecretVersion)> {
        let version = version?;
        let exactly = Version::Exactly(version.clone(), label.clone());
        let read = in_time(deadline, self.store.get(&seen.secret, &exactly)).await;
        let (standing, value) = match read {
            Ok(value) => (Standing::NotAsked, Some(value)),
            Err(reason) if label != Label::Current && is_missing(&reason) => {
                (Standing::Empty, None)
            }
            Err(reason) => (Standing::Failed(reason), None),
        };
        seen.candidates.push(Candidate {
            label,
            version,
            created: value.as_ref().and_then(|value| value.created),
            standing,
        });
        Some((seen.candidates.len() - 1, value?))
    }

    /// Presents a credential, unless it was presented already or there is no use in it.
    async fn present(
        &self,
        seen: &mut Examination,
        read: Read,
        asked: &mut Vec<Read>,
        deadline: Instant,
    ) {
        let label = seen.candidates[read.candidate].label.clone();
        let version = seen.candidates[read.candidate].version.clone();
        let rotates = self.rotator.profile().rotates;
        let same = asked
            .iter()
            .find(|it| rotates.same_credential(&it.document, &read.document));
        let standing = if let Some(same) = same {
            Standing::SameAs(seen.candidates[same.candidate].label.clone())
        } else {
            match credential::<R>(&read.document, label) {
                Err(reason) => Standing::Failed(reason),
                // A target that does not answer one does not answer the next either.
                Ok(_) if seen.candidates.iter().any(is_out_of_reach) => Standing::NotAsked,
                Ok(login) => self.ask(&seen.secret, version, &login, deadline).await,
            }
        };
        seen.candidates[read.candidate].standing = standing;
        asked.push(read);
    }

    pub(super) async fn ask(
        &self,
        secret: &SecretId,
        version: VersionId,
        login: &R::Credential,
        deadline: Instant,
    ) -> Standing {
        let cx = Context::new(secret.clone(), version, deadline);
        match in_time(deadline, self.rotator.test(login, &cx)).await {
            Ok(Verdict::Accepted) => Standing::Accepted,
            Ok(Verdict::Rejected) => Standing::Rejected,
            Err(reason) => Standing::Failed(reason),
        }
    }
}

/// The fault of a call, or that the time was up.
pub(super) async fn in_time<T, E: Into<Reason>>(
    deadline: Instant,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, Reason> {
    match timeout_at(deadline, call).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(Reason::OutOfTime),
    }
}

fn is_missing(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Store(StoreError {
            kind: StoreErrorKind::NotFound | StoreErrorKind::Invalid,
            ..
        })
    )
}

fn is_out_of_reach(candidate: &Candidate) -> bool {
    match &candidate.standing {
        Standing::Failed(Reason::OutOfTime) => true,
        Standing::Failed(Reason::Rotator(fault)) => matches!(
            fault.kind(),
            RotatorErrorKind::Unreachable | RotatorErrorKind::Tls
        ),
        _ => false,
    }
}
