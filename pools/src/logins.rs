//! What the managers of pools share: a login a connection, and which connections are too old.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrets_core::client::{ConnectError, Current, FromSecret, SecretHandle};
use secrets_core::event::VersionId;

use crate::order::Order;
use crate::turn::Turn;

/// A connection, and the version of the secret that it was logged in with.
pub struct Connection<C> {
    inner: C,
    version: VersionId,
    number: u64,
}

impl<C> Connection<C> {
    /// The version that it was logged in with.
    pub fn version_id(&self) -> &VersionId {
        &self.version
    }

    /// The connection alone, for whoever takes it out of its pool.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C> Deref for Connection<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.inner
    }
}

impl<C> DerefMut for Connection<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.inner
    }
}

impl<C> fmt::Debug for Connection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection {{ version: {} }}", self.version)
    }
}

/// The logins of one pool.
pub(crate) struct Logins<T> {
    handle: SecretHandle<T>,
    turn: Turn,
    order: Mutex<Order>,
}

impl<T: FromSecret> Logins<T> {
    pub(crate) fn new(handle: SecretHandle<T>) -> Self {
        Self {
            handle,
            turn: Turn::default(),
            order: Mutex::default(),
        }
    }

    /// A new connection, by what `connect` makes of a version.
    pub(crate) async fn log_in<C, E, F>(
        &self,
        connect: impl Fn(&T) -> F + Sync,
        refused: impl Fn(&E) -> bool + Send,
    ) -> Result<Connection<C>, ConnectError<E>>
    where
        F: Future<Output = Result<C, E>> + Send,
        C: Send,
        E: Send,
    {
        let _turn = self.turn.take().await;
        let versioned = |login: Current<T>| {
            let version = login.version_id().clone();
            let connecting = connect(&login);
            async move { connecting.await.map(|connection| (connection, version)) }
        };
        let (inner, version) = self.handle.connect_with(versioned, refused).await?;
        let number = self.order().number(&version);
        Ok(Connection {
            inner,
            version,
            number,
        })
    }

    /// Whether a newer version is current than the one the connection was made with. Where the store cannot be
    /// asked, none is known.
    pub(crate) fn outdated<C>(&self, connection: &Connection<C>) -> bool {
        let Ok(current) = self.handle.current() else {
            return false;
        };
        connection.number < self.order().current(current.version_id())
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Logins<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}
