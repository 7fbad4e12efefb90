//! What applications embed: secrets that are read at once, kept fresh, and never printed.
//!
//! ```
//! use secrets_core::client::{ClientError, SecretsClient};
//! # use secrets_core::document::{DocumentError, SecretDocument};
//! # use secrecy::SecretString;
//! struct Login { user: SecretString, password: SecretString }
//!
//! impl TryFrom<&SecretDocument> for Login {
//!     type Error = DocumentError;
//!
//!     fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
//!         Ok(Self { user: secret.text("username")?, password: secret.text("password")? })
//!     }
//! }
//!
//! # #[cfg(feature = "testing")]
//! # async fn run() -> Result<(), ClientError> {
//! # let store = secrets_core::store::memory::MemoryStore::new();
//! let secrets = SecretsClient::new(store);
//! let api_key = secrets.get_secret("app/api-key").await?; // text, JSON or bytes
//! let db = secrets.secret::<Login>("app/db").await?;      // parsed once a version
//! let login = db.current()?;                              // no waiting, no lock, no allocation
//! # Ok(())
//! # }
//! ```
//!
//! What is promised, and how it behaves when the store does not, is in `docs/client.md`.
//!
//! # How it works
//! `SecretsClient::get_secret` finds the `Entry` of the id in a map that is never changed, only replaced
//! (`cache`), and takes the value from it (`entry`). Both take no lock. An entry whose `Window` has closed
//! is looked at behind a lock: is it due, is somebody asking already, may it still be served? If it is due,
//! one task asks the store (`flight`, `upstream`), and everybody goes on with what there is. A
//! [`SecretHandle`] adds a value that was parsed when the version came in (`handle`, `slot`), and the search for a
//! credential that the target accepts (`connect`, `candidates`, `refusals`).
//!
//! There is no synchronisation of our own on the way of a read: a value is published by `arc_swap`, whole;
//! all decisions are taken behind one lock an entry; the two numbers of the window are a hint only. What there is
//! comes from `sync`, so that a test can run these files under a scheduler that tries many orders.

pub mod blocking;
mod builder;
mod cache;
mod candidates;
mod clock;
mod connect;
mod core;
mod entry;
#[cfg(feature = "aws")]
mod environment;
mod error;
#[cfg(feature = "extension")]
pub mod extension;
mod flight;
mod handle;
mod keeper;
mod load;
mod pace;
mod prefetch;
mod refusals;
mod secret;
mod slot;
mod stats;
mod sync;
mod upstream;

use std::fmt;
use std::sync::Arc;

use crate::store::{Label, SecretReader, Version};

pub use builder::Builder;
pub use candidates::MOST_ATTEMPTS;
#[cfg(feature = "testing")]
pub use clock::TestClock;
pub use connect::ConnectError;
#[cfg(feature = "aws")]
pub use environment::MissingSettings;
pub use error::{ClientError, Fault};
pub use handle::{Current, FromSecret, SecretHandle};
pub use load::Loaded;
pub use secret::Secret;
pub use stats::Stats;

use core::Core;

/// Reads secrets of one store, and holds what it has read. Clones share everything.
#[derive(Clone)]
pub struct SecretsClient(Arc<Core>);

impl SecretsClient {
    /// A client over this reader, with all settings at their defaults.
    pub fn new(reader: impl SecretReader + 'static) -> Self {
        Self::builder(reader).build()
    }

    /// A client over this reader, to be set up.
    pub fn builder<R: SecretReader + 'static>(reader: R) -> Builder<R> {
        Builder::new(reader)
    }

    /// The value that holds `AWSCURRENT`, by name, ARN or partial ARN.
    ///
    /// # Errors
    /// [`ClientError`], where there is no value that may be served.
    pub async fn get_secret(&self, id: impl AsRef<str>) -> Result<Secret, ClientError> {
        let (core, id) = (&self.0, id.as_ref());
        if let Some(secret) = self.held(id) {
            return Ok(secret);
        }
        core.read(&core.current_entry(id)).await
    }

    /// What may be served without a further look.
    #[inline]
    fn held(&self, id: &str) -> Option<Secret> {
        let held = self.0.current.at(id, |entry| entry.fresh())?;
        self.0.counters.hit();
        Some(Secret(held))
    }

    /// The same, as what the caller makes of it, each time anew.
    ///
    /// # Errors
    /// As for [`get_secret`](Self::get_secret); [`ClientError::Document`] where the value does not fit.
    pub async fn get<T: FromSecret>(&self, id: impl AsRef<str>) -> Result<T, ClientError> {
        let id = id.as_ref();
        let secret = self.get_secret(id).await?;
        T::try_from(&secret).map_err(ClientError::unfit(&id.into()))
    }

    /// A certain version, or the one that holds a certain label.
    ///
    /// A version never changes; so one that is asked for by id is held for `version_ttl`.
    ///
    /// # Errors
    /// As for [`get_secret`](Self::get_secret).
    pub async fn get_secret_version(
        &self,
        id: impl AsRef<str>,
        version: &Version,
    ) -> Result<Secret, ClientError> {
        if *version == Version::Labelled(Label::Current) {
            return self.get_secret(id).await;
        }
        let entry = self.0.version_entry(id.as_ref(), version);
        if let Some(held) = entry.fresh() {
            self.0.counters.hit();
            return Ok(Secret(held));
        }
        self.0.read(&entry).await
    }

    /// A handle on the secret as a `T`: parsed once a version, to be kept and cloned.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn secret<T: FromSecret>(
        &self,
        id: impl AsRef<str>,
    ) -> Result<SecretHandle<T>, ClientError> {
        let (core, id) = (&self.0, id.as_ref());
        core.ready(&core.current_entry(id)).await?;
        // Only now is it known which ids mean the same secret.
        let entry = core.current_entry(id);
        core.ready(&entry).await?;
        let slot = entry.slot(core).map_err(ClientError::unfit(&entry.id))?;
        Ok(SecretHandle::new(slot))
    }

    /// What this client has done so far.
    pub fn stats(&self) -> Stats {
        self.0.counters.snapshot()
    }
}

impl fmt::Debug for SecretsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsClient")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
