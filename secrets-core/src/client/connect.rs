//! Log in with what the target accepts, also while a rotation is under way.

use std::error::Error;
use std::fmt;
use std::future::Future;

use tokio::time::Instant;

use super::entry::TooSoon;
use super::error::ClientError;
use super::handle::{Current, FromSecret, SecretHandle};
use crate::event::VersionId;
use crate::store::{Label, Version};

/// The current version, the one that is current after a refresh, the pending one.
const MOST_ATTEMPTS: usize = 3;

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError<E> {
    /// There was no credential to try.
    Secret(ClientError),
    /// The target failed in another way than by refusing the credential.
    Target(E),
    /// The target refused every credential that may be in use.
    Refused {
        /// Its last refusal.
        last: E,
        /// Why there was no other credential to try.
        why: ClientError,
    },
}

impl<T: FromSecret> SecretHandle<T> {
    /// Logs in with what `connect` makes of the credential.
    ///
    /// Where `refused` says that an error means a refused credential, the next candidate is tried: what is
    /// current now; what the store says is current; and, if the client is to
    /// [`try_pending`](super::Builder::try_pending), what a rotation is about to publish. No version is tried
    /// twice in a call, and one that was refused is not presented again for a second, which doubles with
    /// each refusal up to 30 seconds: no account gets locked.
    ///
    /// # Errors
    /// [`ConnectError`] says whether the secret, the target or the credential is at fault.
    ///
    /// ```
    /// # use secrets_core::client::{ConnectError, Current, SecretHandle, FromSecret};
    /// # struct Connection; struct Fault { code: &'static str }
    /// # async fn connect(_: &str) -> Result<Connection, Fault> { Ok(Connection) }
    /// # trait Login: FromSecret { fn url(&self) -> String; }
    /// # async fn run<T: Login>(db: SecretHandle<T>) -> Result<(), ConnectError<Fault>> {
    /// let connection = db
    ///     .connect_with(|login| async move { connect(&login.url()).await }, |fault| fault.code == "28P01")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_with<C, E, F>(
        &self,
        mut connect: impl FnMut(Current<T>) -> F,
        refused: impl Fn(&E) -> bool,
    ) -> Result<C, ConnectError<E>>
    where
        F: Future<Output = Result<C, E>>,
    {
        let mut candidate = self.candidate().await.map_err(ConnectError::Secret)?;
        let mut tried = Vec::with_capacity(MOST_ATTEMPTS);
        loop {
            let version = candidate.version_id().clone();
            tried.push(version.clone());
            let last = match connect(candidate).await {
                Ok(connection) => {
                    self.accepted(&version);
                    return Ok(connection);
                }
                Err(fault) if !refused(&fault) => return Err(ConnectError::Target(fault)),
                Err(fault) => fault,
            };
            match self.after(&tried).await {
                Ok(next) => candidate = next,
                Err(why) => return Err(ConnectError::Refused { last, why }),
            }
        }
    }

    /// What to log in with: the current version, unless it was refused a moment ago.
    ///
    /// # Errors
    /// As for [`rejected`](Self::rejected).
    pub async fn candidate(&self) -> Result<Current<T>, ClientError> {
        let current = self.get().await?;
        if self.was_refused(current.version_id()) {
            drop(current);
            return self.next_candidate(&[]).await;
        }
        Ok(current)
    }

    /// Says that the target has refused this version, and gives what to try next: a version that has become
    /// current meanwhile, what the store says is current, or what is pending where the client may try that.
    ///
    /// The store is asked once for all who say so at the same time, and not more often than
    /// `refresh_interval` allows; where nothing else is left to try, that is waited for.
    ///
    /// # Errors
    /// [`ClientError::Refused`] where nothing is left to try, or why the store does not give the secret.
    pub async fn rejected(&self, version: &VersionId) -> Result<Current<T>, ClientError> {
        self.after(std::slice::from_ref(version)).await
    }

    /// What to try after these, the last of which was refused just now.
    pub(super) async fn after(&self, tried: &[VersionId]) -> Result<Current<T>, ClientError> {
        if let Some(refused) = tried.last() {
            let now = Instant::now();
            self.slot.entry.state().refusals.note(refused, now);
        }
        if tried.len() >= MOST_ATTEMPTS {
            return Err(self.nothing_left());
        }
        self.next_candidate(tried).await
    }

    /// Says that the target accepts this version, whatever was said before.
    pub fn accepted(&self, version: &VersionId) {
        self.slot.entry.state().refusals.forget(version);
    }

    async fn next_candidate(&self, tried: &[VersionId]) -> Result<Current<T>, ClientError> {
        // What is at hand, then what the store says at once, and only then what has to be waited for.
        if let Some(current) = self.untried(self.current().ok(), tried) {
            return Ok(current);
        }
        for too_soon in [TooSoon::Leave, TooSoon::Wait] {
            let slot = &self.slot;
            match slot.entry.force(&slot.core, too_soon).await {
                Err(fault) if !fault.is_transient() => return Err(fault),
                // A store that does not answer has no say in whether the pending version works.
                Ok(()) | Err(_) => {}
            }
            if let Some(current) = self.untried(self.current().ok(), tried) {
                return Ok(current);
            }
            if slot.core.settings.try_pending
                && let Some(pending) = self.pending(tried, too_soon).await
            {
                tracing::info!(
                    secret = %self.id(), version = %pending.version_id(),
                    "AWSCURRENT is refused; trying what the rotation is about to publish"
                );
                return Ok(pending);
            }
        }
        Err(self.nothing_left())
    }

    /// Why there is nothing else to try.
    fn nothing_left(&self) -> ClientError {
        match self.unfit() {
            Some(fault) => fault.into(),
            None => ClientError::Refused {
                secret: self.id().clone(),
            },
        }
    }

    /// The candidate, if it was not tried, and was not refused to somebody else a moment ago.
    fn untried(&self, candidate: Option<Current<T>>, tried: &[VersionId]) -> Option<Current<T>> {
        let candidate = candidate?;
        let version = candidate.version_id();
        (!tried.contains(version) && !self.was_refused(version)).then_some(candidate)
    }

    fn was_refused(&self, version: &VersionId) -> bool {
        let now = Instant::now();
        self.slot.entry.state().refusals.hold(version, now)
    }

    /// What AWSPENDING holds, if it holds something that is a `T`, and is worth a try.
    async fn pending(&self, tried: &[VersionId], too_soon: TooSoon) -> Option<Current<T>> {
        let core = &self.slot.core;
        let pending = Version::Labelled(Label::Pending);
        let entry = core.version_entry(self.id().as_str(), &pending);
        let held = async || {
            core.ready(&entry).await.ok()?;
            self.untried(entry.slot::<T>(core).ok()?.read(), tried)
        };
        if let Some(held) = held().await {
            return Some(held);
        }
        entry.force(core, too_soon).await.ok()?;
        held().await
    }
}

impl<E> fmt::Display for ConnectError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "there is no credential to log in with; the secret's error says why",
            Self::Target(_) => "the target could not be logged in to; its error says why",
            Self::Refused { .. } => {
                "the target refused every credential that may be in use; compare the secret with the target"
            }
        })
    }
}

impl<E: Error + 'static> Error for ConnectError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Secret(fault) => Some(fault),
            Self::Target(fault) | Self::Refused { last: fault, .. } => Some(fault),
        }
    }
}
