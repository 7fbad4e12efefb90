//! What the managers of pools share: a login a connection, and which connections are too old.

use std::fmt;
use std::ops::{Deref, DerefMut};

use secrets_core::client::{ConnectError, Current, FromSecret, SecretHandle};
use secrets_core::event::VersionId;

use crate::turn::Turn;

/// A connection, and the version of the secret that it was logged in with.
pub struct Connection<C> {
    inner: C,
    version: VersionId,
    /// What was current when this version was pending, until it has become current itself.
    beside: Option<VersionId>,
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
}

impl<T: FromSecret> Logins<T> {
    pub(crate) fn new(handle: SecretHandle<T>) -> Self {
        Self {
            handle,
            turn: Turn::default(),
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
            let beside = self.beside(&login);
            let connecting = connect(&login);
            async move {
                connecting.await.map(|inner| Connection {
                    inner,
                    version,
                    beside,
                })
            }
        };
        self.handle.connect_with(versioned, refused).await
    }

    fn beside(&self, login: &Current<T>) -> Option<VersionId> {
        let current = login.is_pending().then(|| self.handle.current().ok())??;
        Some(current.version_id().clone())
    }

    /// Whether another version is current than the one that the connection was made with. One that was pending is
    /// newer than what is current, as long as that is what it was then. Where the store cannot be asked, nothing is
    /// known.
    pub(crate) fn outdated<C>(&self, connection: &mut Connection<C>) -> bool {
        let Ok(current) = self.handle.current() else {
            return false;
        };
        if connection.version == *current.version_id() {
            connection.beside = None;
            return false;
        }
        connection.beside.as_ref() != Some(current.version_id())
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

    /// A secret whose passwords are the names of its versions, and a pool's logins.
    struct World {
        store: MemoryStore,
        id: SecretId,
        logins: Logins<DbLogin>,
    }

    impl World {
        async fn start() -> Self {
            let (store, id) = (MemoryStore::new(), SecretId::from("db"));
            let first = VersionId::from("one");
            let put = store.put_current(&id, &first, &Self::value(&first));
            put.expect("a new secret");
            let client = SecretsClient::builder(store.clone()).try_pending();
            let client = client.refresh_interval(Duration::from_millis(20)).build();
            let handle = client.secret(id.as_str()).await;
            let logins = Logins::new(handle.expect("the first version"));
            Self { store, id, logins }
        }

        fn value(version: &VersionId) -> SecretDocument {
            let text = format!(r#"{{"username": "app", "password": "{version}"}}"#);
            SecretDocument::from_text(&text)
        }

        async fn create(&self, version: &'static str) {
            let version = VersionId::from(version);
            let begun = self.store.begin_rotation(&self.id, &version);
            begun.expect("no other rotation");
            let value = Self::value(&version);
            let put = self.store.put_pending(&self.id, &version, &value, None);
            put.await.expect("a pending version");
        }

        async fn publish(&self, from: &'static str, to: &'static str) {
            let (from, to) = (from.into(), to.into());
            let promoted = self.store.promote(&self.id, &from, &to).await;
            promoted.expect("published");
        }

        /// The application hears of what is current.
        async fn refresh(&self) {
            let current = self.logins.handle.refresh().await;
            current.expect("a store that answers");
        }

        async fn log_in(&self, accepted: &'static str) -> Connection<()> {
            let connect = |login: &DbLogin| {
                let right = login.expose_password() == accepted;
                async move { if right { Ok(()) } else { Err(()) } }
            };
            let connection = self.logins.log_in(connect, |()| true).await;
            let connection = connection.expect("let in");
            assert_eq!(connection.version_id().as_str(), accepted);
            connection
        }

        fn keeps(&self, connection: &mut Connection<()>) -> bool {
            !self.logins.outdated(connection)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_as_long_as_its_version_is_current() {
        let world = World::start().await;
        let mut one = world.log_in("one").await;
        world.create("two").await;
        assert!(world.keeps(&mut one));
        world.publish("one", "two").await;
        world.refresh().await;
        assert!(!world.keeps(&mut one));
        let mut two = world.log_in("two").await;
        assert!(world.keeps(&mut two));
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_a_pending_version_is_kept_before_and_after_that_is_published() {
        let world = World::start().await;
        world.create("two").await;
        let mut two = world.log_in("two").await;
        assert!(world.keeps(&mut two));
        world.publish("one", "two").await;
        world.refresh().await;
        assert!(world.keeps(&mut two));
        // Its owner takes it back.
        world.publish("two", "one").await;
        world.refresh().await;
        assert!(!world.keeps(&mut two));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pending_version_is_newer_than_a_current_one_that_was_never_logged_in_with() {
        let world = World::start().await;
        world.log_in("one").await;
        world.create("two").await;
        world.publish("one", "two").await;
        world.create("three").await;
        let mut three = world.log_in("three").await;
        assert!(world.keeps(&mut three));
    }

    /// It may be older than that for all the pool knows: so it is made anew, once.
    #[tokio::test(start_paused = true)]
    async fn a_pending_version_beside_a_current_one_that_is_heard_of_later_is_logged_in_with_once_more()
     {
        let world = World::start().await;
        world.create("two").await;
        let mut two = world.log_in("two").await;
        assert!(world.keeps(&mut two));
        world.publish("one", "two").await;
        world.create("three").await;
        // Nobody has heard of the second yet.
        let mut three = world.log_in("three").await;
        assert!(world.keeps(&mut three));
        world.refresh().await;
        assert!(!world.keeps(&mut three));
        let mut three = world.log_in("three").await;
        assert!(world.keeps(&mut three));
        world.publish("two", "three").await;
        world.refresh().await;
        assert!(world.keeps(&mut three));
    }
}
