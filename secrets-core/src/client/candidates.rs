//! Which version to log in with, and which one next.
//!
//! A target that holds one password accepts what holds AWSCURRENT, or, once setSecret is through, what holds AWSPENDING.
//! So a refusal of the current version says that a pending one is accepted by now, or that labels have moved; and where
//! both were refused, and afterwards the same version is still current, the secret is wrong. Each answer of the store
//! may be old by the time that it is here: so what is pending is asked for before what is current, and only another current
//! version, which there is but one of each rotation, makes it worth while to begin again.

use tokio::time::Instant;

use super::entry::TooSoon;
use super::error::ClientError;
use super::handle::{Current, FromSecret, SecretHandle};
use super::refusals::{Refusals, Stamp};
use crate::event::VersionId;
use crate::store::{Label, Version};

/// How many versions [`SecretHandle::connect_with`] tries at most.
///
/// In quiet times three: the current version, the one that is current after a refresh, the pending one. The others are
/// for labels that move while one logs in.
pub const MOST_ATTEMPTS: usize = 8;

/// A version to log in with.
pub(super) struct Attempt<T> {
    pub(super) login: Current<T>,
    set_out: Stamp,
}

/// What a login has tried so far, and when.
#[derive(Clone, Default)]
pub(super) struct Tries(Vec<(VersionId, Stamp)>);

impl Tries {
    pub(super) fn one(version: &VersionId, set_out: Stamp) -> Self {
        Self(vec![(version.clone(), set_out)])
    }

    pub(super) fn add<T>(&mut self, attempt: &Attempt<T>) {
        let version = attempt.login.version_id().clone();
        self.0.push((version, attempt.set_out));
    }

    /// Whether the version was among them, under the labels that are known now.
    fn hold(&self, version: &VersionId, refusals: &Refusals) -> bool {
        let mut tried = self.0.iter().filter(|(tried, _)| tried == version);
        tried.any(|(_, set_out)| !refusals.published_since(*set_out))
    }
}

impl<T: FromSecret> SecretHandle<T> {
    /// What to try first.
    pub(super) async fn first(&self) -> Result<Attempt<T>, ClientError> {
        self.get().await?;
        self.next(&Tries::default()).await
    }

    /// What to try after these, the last of which was refused just now.
    pub(super) async fn after(&self, tries: &Tries) -> Result<Attempt<T>, ClientError> {
        if let Some((version, set_out)) = tries.0.last() {
            let now = Instant::now();
            self.refusals(|refusals| refusals.note(version, *set_out, now));
        }
        if tries.0.len() >= MOST_ATTEMPTS {
            return Err(self.nothing_left());
        }
        self.next(tries).await
    }

    /// The last of these was accepted.
    pub(super) fn let_in(&self, tries: &Tries) {
        if let Some((version, set_out)) = tries.0.last() {
            self.refusals(|refusals| refusals.accept(version, *set_out));
        }
    }

    /// What is at hand, then what the store says at once, then what has to be waited for; and in the end what was refused,
    /// but has rested.
    async fn next(&self, tries: &Tries) -> Result<Attempt<T>, ClientError> {
        if let Some(attempt) = self.at_hand(tries) {
            return Ok(attempt);
        }
        let answers = self.ask(TooSoon::Leave).await?;
        let mut too_soon = TooSoon::Leave;
        // Each round but two follows another version that has become current.
        for _ in 0..MOST_ATTEMPTS {
            let set_out = self.refusals(Refusals::stamp);
            let current = match self.current().ok() {
                Some(login) if self.is_fresh(&login, tries) => {
                    return Ok(Attempt { login, set_out });
                }
                other => other,
            };
            let pending = match self.pending(too_soon).await {
                Some(login) if self.is_fresh(&login, tries) && !self.has_moved(set_out) => {
                    return Ok(self.bridge(login, set_out));
                }
                other => other,
            };
            if too_soon == TooSoon::Leave && answers {
                too_soon = TooSoon::Anew;
                continue;
            }
            if answers && self.ask(TooSoon::Anew).await? && self.has_moved(set_out) {
                continue;
            }
            return match (current, pending) {
                // Who has just been refused does not begin again.
                _ if !tries.0.is_empty() => Err(self.nothing_left()),
                (Some(login), _) if self.has_rested(&login) => Ok(Attempt { login, set_out }),
                (_, Some(login)) if self.has_rested(&login) => Ok(self.bridge(login, set_out)),
                _ => Err(self.nothing_left()),
            };
        }
        Err(self.nothing_left())
    }

    /// The current version; or the pending one that the target has accepted.
    fn at_hand(&self, tries: &Tries) -> Option<Attempt<T>> {
        let set_out = self.refusals(Refusals::stamp);
        let current = self.current().ok()?;
        let login = if self.is_fresh(&current, tries) {
            current
        } else {
            let accepted = |login: &Current<T>| {
                self.refusals(|refusals| refusals.is_accepted(login.version_id()))
            };
            let bridge = self.slot.kept().filter(accepted)?;
            let bridge = self.is_fresh(&bridge, tries).then_some(bridge)?;
            self.refusals(|refusals| refusals.hand_out_pending(bridge.version_id(), set_out));
            bridge
        };
        Some(Attempt { login, set_out })
    }

    /// A pending version, which is kept at hand from now on.
    fn bridge(&self, login: Current<T>, set_out: Stamp) -> Attempt<T> {
        tracing::info!(
            secret = %self.id(), version = %login.version_id(),
            "AWSCURRENT is refused; trying what the rotation is about to publish"
        );
        self.slot.keep(&login);
        self.refusals(|refusals| refusals.hand_out_pending(login.version_id(), set_out));
        Attempt { login, set_out }
    }

    /// Whether nothing is known against the version.
    fn is_fresh(&self, login: &Current<T>, tries: &Tries) -> bool {
        let version = login.version_id();
        self.refusals(|refusals| !refusals.hold(version) && !tries.hold(version, refusals))
    }

    /// Whether the version was refused so long ago that it may be tried again.
    fn has_rested(&self, login: &Current<T>) -> bool {
        let now = Instant::now();
        self.refusals(|refusals| !refusals.rest(login.version_id(), now))
    }

    /// Whether another version has become current since.
    fn has_moved(&self, since: Stamp) -> bool {
        self.refusals(|refusals| refusals.published_since(since))
    }

    /// Asks the store what is current. One that does not answer has no say in whether the pending version works.
    async fn ask(&self, too_soon: TooSoon) -> Result<bool, ClientError> {
        let slot = &self.slot;
        match slot.entry.force(&slot.core, too_soon).await {
            Ok(()) => Ok(true),
            Err(fault) if fault.is_transient() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// What AWSPENDING holds, if that may be tried, and holds something that is a `T`.
    async fn pending(&self, too_soon: TooSoon) -> Option<Current<T>> {
        let core = &self.slot.core;
        if !core.settings.try_pending {
            return None;
        }
        let pending = Version::Labelled(Label::Pending);
        let entry = core.version_entry(self.id().as_str(), &pending);
        // What was read a moment ago will do where the store does not answer.
        let _ = entry.force(core, too_soon).await;
        core.ready(&entry).await.ok()?;
        entry.slot::<T>(core).ok()?.read()
    }

    /// Why there is nothing else to try.
    fn nothing_left(&self) -> ClientError {
        match self.unfit() {
            Some(fault) => ClientError::unfit(self.id())(fault),
            None => ClientError::Refused {
                secret: self.id().clone(),
            },
        }
    }

    pub(super) fn refusals<A>(&self, what: impl FnOnce(&mut Refusals) -> A) -> A {
        what(&mut self.slot.entry.state().refusals)
    }
}
