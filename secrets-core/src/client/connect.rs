//! Log in with what the target accepts, also while a rotation is under way.

use std::error::Error;
use std::fmt;
use std::future::Future;

use super::candidates::Tries;
use super::error::ClientError;
use super::handle::{Current, FromSecret, SecretHandle};
use crate::event::VersionId;

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
    /// [`try_pending`](super::Builder::try_pending), what a rotation is about to publish. Once that was accepted it
    /// comes first, until another version is published. As long as labels stay where they are, no version is tried
    /// twice in a call, and one that was refused is not presented again for a second, which doubles with each refusal up
    /// to 30 seconds: no account gets locked. Where labels move meanwhile, what was refused before it was ever accepted
    /// is tried once more, since it may have been too early for it; a call makes at most eight attempts.
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
        let mut attempt = self.first().await.map_err(ConnectError::Secret)?;
        let mut tries = Tries::default();
        loop {
            tries.add(&attempt);
            let last = match connect(attempt.login).await {
                Ok(connection) => {
                    self.let_in(&tries);
                    return Ok(connection);
                }
                Err(fault) if !refused(&fault) => return Err(ConnectError::Target(fault)),
                Err(fault) => fault,
            };
            match self.after(&tries).await {
                Ok(next) => attempt = next,
                Err(why) => return Err(ConnectError::Refused { last, why }),
            }
        }
    }

    /// What to log in with: the current version, unless it was refused a moment ago.
    ///
    /// # Errors
    /// As for [`rejected`](Self::rejected).
    pub async fn candidate(&self) -> Result<Current<T>, ClientError> {
        Ok(self.first().await?.login)
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
        let set_out = self.refusals(|refusals| refusals.set_out(version));
        let tries = Tries::one(version, set_out);
        Ok(self.after(&tries).await?.login)
    }

    /// Says that the target accepts this version, whatever was said before.
    pub fn accepted(&self, version: &VersionId) {
        self.refusals(|refusals| {
            let now = refusals.stamp();
            refusals.accept(version, now);
        });
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
