//! The client for applications without tokio.
//!
//! A thread of its own runs what has to wait for the store. A read of a value that is held does not go
//! there: it is the same few instructions as in the asynchronous client.
//!
//! ```
//! # use secrets_core::document::{DocumentError, SecretDocument};
//! # #[cfg(feature = "testing")]
//! # fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # let store = secrets_core::store::memory::MemoryStore::new();
//! use secrets_core::client::blocking::SecretsClient;
//!
//! let secrets = SecretsClient::new(store)?;
//! let api_key = secrets.get_secret("app/api-key")?;
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder as RuntimeBuilder, Handle};
use tokio::sync::oneshot;

use super::candidates::Tries;
use super::connect::ConnectError;
use super::handle::{Current, FromSecret};
use super::{Builder, ClientError, Loaded, Secret, Stats};
use crate::event::{SecretId, VersionId};
use crate::store::{SecretReader, Version};

/// Reads secrets of one store, and holds what it has read. Clones share everything.
///
/// Its thread ends when the last clone and the last handle are gone.
#[derive(Clone)]
pub struct SecretsClient {
    client: super::SecretsClient,
    thread: Arc<Thread>,
}

/// A secret that is kept at hand as a `T`.
pub struct SecretHandle<T> {
    handle: super::SecretHandle<T>,
    thread: Arc<Thread>,
}

/// The runtime that asks the store.
struct Thread {
    runtime: Handle,
    /// Dropped with this: the thread ends.
    _running: oneshot::Sender<()>,
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = RuntimeBuilder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("secrets-client".into())
            .spawn(move || {
                // An error is the end that is waited for.
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            runtime: handle,
            _running: running,
        })
    }

    /// Waits for an answer that is made on the thread. Nothing if the work did not come to its end.
    fn wait<A: Send + 'static>(&self, work: impl Future<Output = A> + Send + 'static) -> Option<A> {
        let (sender, answer) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // Whoever waits is still there.
            let _ = sender.send(work.await);
        });
        answer.recv().ok()
    }
}

impl SecretsClient {
    /// A client over this reader, with all settings at their defaults.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn new(reader: impl SecretReader + 'static) -> io::Result<Self> {
        Self::build(super::SecretsClient::builder(reader))
    }

    /// A client that was set up by [`super::SecretsClient::builder`].
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn build<R: SecretReader + 'static>(builder: Builder<R>) -> io::Result<Self> {
        let thread = Arc::new(Thread::start()?);
        let client = builder.runtime(&thread.runtime).build();
        Ok(Self { client, thread })
    }

    /// As [`super::SecretsClient::get_secret`].
    ///
    /// # Errors
    /// The same.
    pub fn get_secret(&self, id: impl AsRef<str>) -> Result<Secret, ClientError> {
        let id = id.as_ref();
        if let Some(secret) = self.client.held(id) {
            return Ok(secret);
        }
        let (client, owned) = (self.client.clone(), id.to_owned());
        self.wait(id, async move { client.get_secret(owned).await })
    }

    /// As [`super::SecretsClient::get`].
    ///
    /// # Errors
    /// The same.
    pub fn get<T: FromSecret>(&self, id: impl AsRef<str>) -> Result<T, ClientError> {
        let id = id.as_ref();
        T::try_from(&*self.get_secret(id)?).map_err(ClientError::unfit(&id.into()))
    }

    /// As [`super::SecretsClient::get_secret_version`].
    ///
    /// # Errors
    /// The same.
    pub fn get_secret_version(
        &self,
        id: impl AsRef<str>,
        version: &Version,
    ) -> Result<Secret, ClientError> {
        let id = id.as_ref();
        let (client, owned, version) = (self.client.clone(), id.to_owned(), version.clone());
        self.wait(id, async move {
            client.get_secret_version(owned, &version).await
        })
    }

    /// As [`super::SecretsClient::prefetch`].
    ///
    /// # Errors
    /// The same.
    pub fn prefetch(&self, ids: &[&str]) -> Result<(), ClientError> {
        let owned: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let client = self.client.clone();
        let first = ids.first().copied().unwrap_or_default();
        self.wait(first, async move { client.prefetch(owned).await })
    }

    /// As [`super::SecretsClient::load`].
    ///
    /// # Errors
    /// The same.
    pub fn load<C>(
        &self,
        ids: &[&str],
        make: impl FnOnce(&Loaded) -> Result<C, ClientError>,
    ) -> Result<C, ClientError> {
        self.prefetch(ids)?;
        let secrets = ids
            .iter()
            .map(|id| Ok((SecretId::from(*id), self.get_secret(id)?)));
        make(&Loaded::of(secrets.collect::<Result<_, ClientError>>()?))
    }

    /// As [`super::SecretsClient::secret`].
    ///
    /// # Errors
    /// The same.
    pub fn secret<T: FromSecret>(
        &self,
        id: impl AsRef<str>,
    ) -> Result<SecretHandle<T>, ClientError> {
        let id = id.as_ref();
        let (client, owned) = (self.client.clone(), id.to_owned());
        let handle = self.wait(id, async move { client.secret(owned).await })?;
        Ok(SecretHandle {
            handle,
            thread: Arc::clone(&self.thread),
        })
    }

    /// As [`super::SecretsClient::stats`].
    pub fn stats(&self) -> Stats {
        self.client.stats()
    }

    fn wait<A: Send + 'static>(
        &self,
        id: &str,
        work: impl Future<Output = Result<A, ClientError>> + Send + 'static,
    ) -> Result<A, ClientError> {
        let interrupted = || ClientError::Interrupted { secret: id.into() };
        self.thread.wait(work).ok_or_else(interrupted)?
    }
}

impl<T: FromSecret> SecretHandle<T> {
    /// As [`super::SecretHandle::current`].
    ///
    /// # Errors
    /// The same.
    #[inline]
    pub fn current(&self) -> Result<Current<T>, ClientError> {
        self.handle.current()
    }

    /// As [`super::SecretHandle::rejected`].
    ///
    /// # Errors
    /// The same.
    pub fn rejected(&self, version: &VersionId) -> Result<Current<T>, ClientError> {
        let version = version.clone();
        self.wait(|handle| async move { handle.rejected(&version).await })
    }

    /// As [`super::SecretHandle::accepted`].
    pub fn accepted(&self, version: &VersionId) {
        self.handle.accepted(version);
    }

    /// As [`super::SecretHandle::connect_with`]; `connect` runs on the caller's thread.
    ///
    /// # Errors
    /// The same.
    pub fn connect_with<C, E>(
        &self,
        mut connect: impl FnMut(&T) -> Result<C, E>,
        refused: impl Fn(&E) -> bool,
    ) -> Result<C, ConnectError<E>> {
        let first = self.wait(|handle| async move { handle.first().await });
        let mut attempt = first.map_err(ConnectError::Secret)?;
        let mut tries = Tries::default();
        loop {
            tries.add(&attempt);
            let last = match connect(&attempt.login) {
                Ok(connection) => {
                    self.handle.let_in(&tries);
                    return Ok(connection);
                }
                Err(fault) if !refused(&fault) => return Err(ConnectError::Target(fault)),
                Err(fault) => fault,
            };
            let after = tries.clone();
            match self.wait(|handle| async move { handle.after(&after).await }) {
                Ok(next) => attempt = next,
                Err(why) => return Err(ConnectError::Refused { last, why }),
            }
        }
    }

    fn wait<A: Send + 'static, F>(
        &self,
        work: impl FnOnce(super::SecretHandle<T>) -> F,
    ) -> Result<A, ClientError>
    where
        F: Future<Output = Result<A, ClientError>> + Send + 'static,
    {
        let interrupted = || ClientError::Interrupted {
            secret: self.handle.id().clone(),
        };
        let answer = self.thread.wait(work(self.handle.clone()));
        answer.ok_or_else(interrupted)?
    }
}

impl<T> Clone for SecretHandle<T> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            thread: Arc::clone(&self.thread),
        }
    }
}

impl<T> fmt::Debug for SecretHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.handle, f)
    }
}

impl fmt::Debug for SecretsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.client, f)
    }
}
