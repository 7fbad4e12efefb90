//! For `sqlx`: a `Pool` that is given new options when the secret changes, and when a login is refused.
//!
//! ```
//! use secrets_core::client::SecretHandle;
//! use secrets_pools::DbLogin;
//! use secrets_pools::sqlx::RotatingPool;
//! use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
//!
//! # async fn run(db: SecretHandle<DbLogin>) -> Result<(), Box<dyn std::error::Error>> {
//! let options = PgConnectOptions::new_without_pgpass().host("db.example").database("app");
//! let pool = RotatingPool::connect_lazy(db, PgPoolOptions::new().max_connections(16), move |login: &DbLogin| {
//!     options.clone().username(login.username()).password(login.expose_password())
//! })?;
//! let mut connection = pool.acquire().await?;
//! sqlx::query("SELECT 1").execute(&mut *connection).await?;
//! # Ok(())
//! # }
//! ```

mod acquire;
mod installed;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ::sqlx::pool::{MaybePoolConnection, PoolConnection, PoolOptions};
use ::sqlx::{Connection, Database, Error, Pool, Transaction};
use secrets_core::client::{ClientError, ConnectError, Current, FromSecret, SecretHandle};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::turn::Turn;
use installed::Installed;

/// The versions that one checkout may log in with: as many as [`SecretHandle::connect_with`] tries, and one more, since
/// another checkout may have changed the options during a login.
const MOST_ATTEMPTS: usize = secrets_core::client::MOST_ATTEMPTS + 1;

type Options<DB> = <<DB as Database>::Connection as Connection>::Options;
type MakeOptions<DB, T> = Box<dyn Fn(&T) -> Options<DB> + Send + Sync>;

/// A pool of sqlx whose checkouts go on while the credential rotates. Clones share everything.
///
/// `&RotatingPool` is an `sqlx::Acquire`. It is no `sqlx::Executor`, whose methods depend on the features of sqlx that
/// the application chooses; so queries run on a connection. What takes nothing but a `sqlx::Pool` is given
/// [`pool`](Self::pool): its new connections have the newest options, too, but where a login is refused, nobody tries
/// again.
pub struct RotatingPool<DB: Database, T: FromSecret> {
    pool: Pool<DB>,
    shared: Arc<Shared<DB, T>>,
    follower: Arc<Follower>,
}

/// What the pool's hook sees; it must not hold the pool.
struct Shared<DB: Database, T> {
    handle: SecretHandle<T>,
    options: MakeOptions<DB, T>,
    installed: Mutex<Installed<Options<DB>>>,
    /// For logins while the pool grows.
    turn: Turn,
}

/// The task that installs new versions; it ends with the last clone of the pool.
struct Follower(AbortHandle);

impl<DB: Database, T: FromSecret> RotatingPool<DB, T> {
    /// A pool that has no connection yet. `options` is called for each version: user name and password are to come
    /// from the `T`, and may differ from one version to the next. The hook `before_acquire` of `settings` is replaced.
    /// To be called within a tokio runtime.
    ///
    /// # Errors
    /// As for [`SecretHandle::current`].
    pub fn connect_lazy(
        handle: SecretHandle<T>,
        settings: PoolOptions<DB>,
        options: impl Fn(&T) -> Options<DB> + Send + Sync + 'static,
    ) -> Result<Self, ClientError> {
        let (first, version) = {
            let current = handle.current()?;
            (options(&current), current.version_id().clone())
        };
        let shared = Arc::new(Shared {
            handle,
            options: Box::new(options),
            installed: Mutex::new(Installed::new(version, Instant::now())),
            turn: Turn::default(),
        });
        let of_hook = Arc::clone(&shared);
        let settings = settings.before_acquire(move |_, connection| {
            let made = of_hook.installed().made(connection.age, Instant::now());
            Box::pin(std::future::ready(Ok(made)))
        });
        let pool = settings.connect_lazy_with(first);
        let follower = tokio::spawn(follow(Arc::clone(&shared), pool.clone()));
        Ok(Self {
            pool,
            shared,
            follower: Arc::new(Follower(follower.abort_handle())),
        })
    }

    /// A connection, logged in with what the target accepts; within the `acquire_timeout` of the pool.
    ///
    /// # Errors
    /// [`ConnectError`] says whether the secret, the target or the credential is at fault.
    pub async fn acquire(&self) -> Result<PoolConnection<DB>, ConnectError<Error>> {
        let limit = self.pool.options().get_acquire_timeout();
        let Ok(outcome) = timeout(limit, self.checkout()).await else {
            return Err(ConnectError::Target(Error::PoolTimedOut));
        };
        outcome
    }

    /// A transaction on such a connection.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, ConnectError<Error>> {
        let connection = MaybePoolConnection::PoolConnection(self.acquire().await?);
        let begun = Transaction::begin(connection, None).await;
        begun.map_err(ConnectError::Target)
    }

    /// The pool itself, for what takes nothing else.
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    async fn checkout(&self) -> Result<PoolConnection<DB>, ConnectError<Error>> {
        let shared = &self.shared;
        shared.follow(&self.pool);
        let grows = self.pool.num_idle() == 0
            && self.pool.size() < self.pool.options().get_max_connections();
        let _turn = if grows {
            shared.turn.take().await
        } else {
            None
        };
        let mut last = None;
        for _ in 0..MOST_ATTEMPTS {
            let (version, epoch, refused) = {
                let installed = shared.installed();
                (
                    installed.version.clone(),
                    installed.epoch,
                    installed.refused,
                )
            };
            if refused {
                if let Some(idle) = self.idle().await {
                    return Ok(idle);
                }
                self.look_for_another()
                    .await
                    .map_err(ConnectError::Secret)?;
            }
            match self.pool.acquire().await {
                Ok(connection) => {
                    if last.is_some() && shared.installed().epoch == epoch {
                        shared.handle.accepted(&version);
                    }
                    return Ok(connection);
                }
                Err(fault) if !is_refusal(&fault) => return Err(ConnectError::Target(fault)),
                // Other options were installed meanwhile: whose login it was is not known.
                Err(fault) if shared.installed().epoch != epoch => last = Some(fault),
                Err(fault) => match shared.handle.rejected(&version).await {
                    Ok(next) => {
                        shared.install(&self.pool, &next);
                        last = Some(fault);
                    }
                    Err(why) => {
                        shared.installed().refused = true;
                        return Err(ConnectError::Refused { last: fault, why });
                    }
                },
            }
        }
        let secret = shared.handle.id().clone();
        let why = ClientError::Refused { secret };
        Err(match last {
            Some(last) => ConnectError::Refused { last, why },
            None => ConnectError::Secret(why),
        })
    }

    /// A connection for which nobody has to log in, of whatever version.
    async fn idle(&self) -> Option<PoolConnection<DB>> {
        while let Some(mut idle) = self.pool.try_acquire() {
            if idle.ping().await.is_ok() {
                return Some(idle);
            }
            idle.close_on_drop();
        }
        None
    }

    /// After everything was refused: nothing is presented again before its time.
    async fn look_for_another(&self) -> Result<(), ClientError> {
        let next = self.shared.handle.candidate().await?;
        self.shared.install(&self.pool, &next);
        self.shared.installed().refused = false;
        Ok(())
    }
}

impl<DB: Database, T: FromSecret> Shared<DB, T> {
    /// Installs what has become current, unless it was installed before that, as pending.
    fn follow(&self, pool: &Pool<DB>) {
        let Ok(current) = self.handle.current() else {
            return;
        };
        let mut installed = self.installed();
        if installed.current != *current.version_id() {
            installed.current = current.version_id().clone();
            self.replace(&mut installed, pool, &current);
        }
    }

    fn install(&self, pool: &Pool<DB>, next: &Current<T>) {
        let mut installed = self.installed();
        if let Ok(current) = self.handle.current() {
            installed.current = current.version_id().clone();
        }
        self.replace(&mut installed, pool, next);
    }

    fn replace(&self, installed: &mut Installed<Options<DB>>, pool: &Pool<DB>, next: &Current<T>) {
        if installed.version == *next.version_id() {
            return;
        }
        let before = Arc::downgrade(&pool.connect_options());
        pool.set_connect_options((self.options)(next));
        let version = next.version_id().clone();
        tracing::debug!(secret = %self.handle.id(), %version, "new connections log in with this version");
        installed.replace(version, before, Instant::now());
    }

    fn installed(&self) -> MutexGuard<'_, Installed<Options<DB>>> {
        self.installed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn follow<DB: Database, T: FromSecret>(shared: Arc<Shared<DB, T>>, pool: Pool<DB>) {
    let mut handle = shared.handle.clone();
    loop {
        shared.follow(&pool);
        handle.changed().await;
    }
}

/// Whether the server means by it that the user or the password is wrong.
///
/// Sources: `PostgreSQL` manual, appendix A, class 28; for `MySQL`, `28000` is what its Server Error Message Reference
/// gives for 1045 and 1698.
fn is_refusal(fault: &Error) -> bool {
    let Error::Database(fault) = fault else {
        return false;
    };
    matches!(fault.code().as_deref(), Some("28P01" | "28000"))
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<DB: Database, T: FromSecret> Clone for RotatingPool<DB, T> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            shared: Arc::clone(&self.shared),
            follower: Arc::clone(&self.follower),
        }
    }
}

impl<DB: Database, T: FromSecret> fmt::Debug for RotatingPool<DB, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotatingPool")
            .field("secret", &self.shared.handle)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
