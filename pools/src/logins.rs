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
            let number = self.number(&version);
            let connecting = connect(&login);
            async move {
                connecting.await.map(|inner| Connection {
                    inner,
                    version,
                    number,
                })
            }
        };
        self.handle.connect_with(versioned, refused).await
    }

    /// The number of a version that is about to be tried. It is the current one or, if it is pending, newer: so that
    /// is met first, though nobody may ever log in with it.
    fn number(&self, version: &VersionId) -> u64 {
        let current = self.handle.current();
        let mut order = self.order();
        if let Ok(current) = current {
            order.current(current.version_id());
        }
        order.number(version)
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrets_core::client::SecretsClient;
    use secrets_core::document::SecretDocument;
    use secrets_core::event::SecretId;
    use secrets_core::store::SecretStore;
    use secrets_core::store::memory::MemoryStore;

    use super::*;
    use crate::DbLogin;

    /// A secret whose password is the name of its version.
    fn value(version: &str) -> SecretDocument {
        let text = format!(r#"{{"username": "app", "password": "{version}"}}"#);
        SecretDocument::from_text(&text)
    }

    #[tokio::test(start_paused = true)]
    async fn a_pending_version_is_newer_than_a_current_one_that_was_never_logged_in_with() {
        let (store, id) = (MemoryStore::new(), SecretId::from("db"));
        let [one, two, three] = ["one", "two", "three"].map(VersionId::from);
        store.put_current(&id, &one, &value("one")).expect("new");
        let client = SecretsClient::builder(store.clone()).try_pending();
        let client = client.refresh_interval(Duration::from_millis(20)).build();
        let handle = client.secret(id.as_str()).await;
        let logins = Logins::<DbLogin>::new(handle.expect("the first version"));
        let log_in = async |accepted: &'static str| {
            let connect = |login: &DbLogin| {
                let right = login.expose_password() == accepted;
                async move { if right { Ok(()) } else { Err(()) } }
            };
            logins.log_in(connect, |()| true).await.expect("let in")
        };
        assert_eq!(log_in("one").await.version_id(), &one);
        for (from, to) in [(Some(&one), &two), (None, &three)] {
            store.begin_rotation(&id, to).expect("no other rotation");
            let fresh = value(to.as_str());
            let pending = store.put_pending(&id, to, &fresh, None);
            pending.await.expect("a pending version");
            if let Some(from) = from {
                store.promote(&id, from, to).await.expect("published");
            }
        }
        let connection = log_in("three").await;
        assert_eq!(connection.version_id(), &three);
        assert!(!logins.outdated(&connection));
    }
}
