//! All that the author of a rotator must know.
//!
//! A rotator supplies four calls on one kind of target. The engine ([`crate::rotation`]) owns the
//! order, the labels, the retries and the recovery; a rotator sees neither labels nor a way to write
//! the secret.

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::document::{DocumentError, Patch, SecretDocument};
use crate::event::{SecretId, VersionId};
use crate::rotation::Seen;

mod error;
mod profile;

pub use error::{RotatorError, RotatorErrorKind};
pub use profile::{Live, Overlap, Profile, Repeat, Retirement, Rotates};

/// What the target says to a credential. "Could not ask" is an error, never [`Verdict::Rejected`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The target lets this credential in.
    Accepted,
    /// The target was reached, understood the credential and refused it as wrong.
    Rejected,
}

/// A credential that the target was just seen to accept. Only the engine makes one.
///
/// It is what [`Rotator::set`] logs in with: nothing is changed at a target without having shown
/// first that the login is ours.
pub struct Proven<'a, C>(&'a C);

impl<'a, C> Proven<'a, C> {
    pub(crate) fn new(credential: &'a C) -> Self {
        Self(credential)
    }

    /// The credential that was accepted.
    pub fn credential(&self) -> &'a C {
        self.0
    }
}

impl<C> fmt::Debug for Proven<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proven([redacted])")
    }
}

/// What a call of the engine is about, and how long it may take.
#[derive(Clone, Debug)]
pub struct Context {
    secret: SecretId,
    version: VersionId,
    deadline: Instant,
    tried_since: Option<SystemTime>,
    seen: Seen,
}

impl Context {
    /// A context for calls outside a rotation, as in a test of a rotator.
    pub fn new(secret: SecretId, version: VersionId, deadline: Instant) -> Self {
        Self {
            secret,
            version,
            deadline,
            tried_since: None,
            seen: Seen::default(),
        }
    }

    /// The same for a call after one that began then and did not come to its end.
    #[must_use]
    pub fn with_tried_since(mut self, since: Option<SystemTime>) -> Self {
        self.tried_since = since;
        self
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The secret that rotates.
    pub fn secret(&self) -> &SecretId {
        &self.secret
    }

    /// The version that this rotation fills: the same on every retry, so it names what a rotator
    /// makes at a target that keeps credentials under names.
    pub fn version(&self) -> &VersionId {
        &self.version
    }

    /// When creating from the current credential was first tried, if that try and those after it did not
    /// come to their end, and the profile limits repeats ([`Repeat`]); else `None`.
    ///
    /// By the function's clock, in whole seconds, rounded down: what the target says it made before this,
    /// with room for the difference of two clocks, is not an orphan of this rotation.
    pub fn tried_since(&self) -> Option<SystemTime> {
        self.tried_since
    }

    /// When the engine drops the call.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left until the deadline; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// One kind of target whose credentials can be rotated.
///
/// The engine drops a call whose deadline has passed. A call that was dropped or answered with an
/// error may have had its effect: the engine tries again later and asks [`test`](Self::test) before
/// it changes anything.
///
/// # Example
/// A rotator of a target that lives in memory:
///
/// ```
/// use std::sync::Mutex;
/// use secrets_core::document::{DocumentError, Patch, SecretDocument};
/// use secrets_core::rotator::{Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict};
/// use secrecy::{ExposeSecret, SecretString};
///
/// struct Password(SecretString);
///
/// impl TryFrom<&SecretDocument> for Password {
///     type Error = DocumentError;
///     fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
///         secret.text("password").map(Self)
///     }
/// }
///
/// struct Vault(Mutex<SecretString>);
///
/// impl Rotator for Vault {
///     type Credential = Password;
///
///     fn profile(&self) -> Profile {
///         Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
///     }
///     async fn create(&self, _: &Password, cx: &Context) -> Result<Patch, RotatorError> {
///         Ok(Patch::key("password", format!("fresh-{}", cx.version()).into()))
///     }
///     async fn set(&self, _: Proven<'_, Password>, pending: &Password, _: &Context) -> Result<(), RotatorError> {
///         *self.0.lock().unwrap() = pending.0.clone();
///         Ok(())
///     }
///     async fn test(&self, candidate: &Password, _: &Context) -> Result<Verdict, RotatorError> {
///         let right = self.0.lock().unwrap().expose_secret() == candidate.0.expose_secret();
///         Ok(if right { Verdict::Accepted } else { Verdict::Rejected })
///     }
/// }
/// ```
pub trait Rotator: Send + Sync {
    /// What this rotator reads out of a secret, checked once.
    type Credential: for<'d> TryFrom<&'d SecretDocument, Error = DocumentError> + Send + Sync;

    /// What this rotator promises; the engine holds it to that.
    fn profile(&self) -> Profile;

    /// Makes the next credential, as changes to the current secret.
    ///
    /// # Behavior
    /// - Changes no key that the profile does not name, and differs from the current value.
    /// - Is called again only when the value it made was not stored: what it mints at a target is
    ///   then an orphan, so it names it after [`Context::version`] and finds it again. Where the target
    ///   cannot do that, [`Profile::repeat`] says when it is called again, if ever.
    /// - An error after which the target is certainly what it was says so:
    ///   [`RotatorError::having_changed_nothing`].
    fn create(
        &self,
        current: &Self::Credential,
        cx: &Context,
    ) -> impl Future<Output = Result<Patch, RotatorError>> + Send;

    /// Makes the target accept `pending`, logged in with a credential that was just accepted.
    ///
    /// # Behavior
    /// - Is called only when `pending` was refused a moment ago.
    /// - A value that the target refuses by its own rules is [`RotatorError::rejected_by_target`],
    ///   and then nothing was changed. The engine asks [`test`](Self::test) once more, since another invocation may
    ///   have set it a moment ago, and else discards the pending version.
    /// - A repeat ends in the same state.
    fn set(
        &self,
        login: Proven<'_, Self::Credential>,
        pending: &Self::Credential,
        cx: &Context,
    ) -> impl Future<Output = Result<(), RotatorError>> + Send;

    /// Asks the target whether it accepts `candidate`.
    ///
    /// # Behavior
    /// - A target that cannot be asked is an `Err`, never [`Verdict::Rejected`]: time-out, TLS fault,
    ///   locked account, too many connections.
    /// - Presents the credential once: a second refused login may lock the account.
    /// - Changes nothing.
    fn test(
        &self,
        candidate: &Self::Credential,
        cx: &Context,
    ) -> impl Future<Output = Result<Verdict, RotatorError>> + Send;

    /// Makes the target forget `retired`, at the time that [`Profile::retires`] names.
    ///
    /// # Behavior
    /// - `kept` are the credentials in use: nothing that one of them needs is removed. The last of them is
    ///   the one to log in with: it was accepted in this rotation.
    /// - Deletes by identity, never by age. "Already gone" is success.
    fn retire(
        &self,
        retired: &Self::Credential,
        kept: &[&Self::Credential],
        cx: &Context,
    ) -> impl Future<Output = Result<(), RotatorError>> + Send {
        let _ = (retired, kept, cx);
        async { Ok(()) }
    }
}
