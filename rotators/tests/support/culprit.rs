//! Rotators that are wrong on purpose: what they have in common, and the court that tries them.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Fault, Invariant, Prover, Schedule, Target, Trial, World};

/// A user and its password, and the secret that holds them.
pub struct Login {
    pub username: String,
    pub password: String,
    secret: SecretDocument,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            username: text("username")?,
            password: text("password")?,
            secret: secret.clone(),
        })
    }
}

impl Login {
    /// The same as another rotator reads it.
    pub fn read<C>(&self) -> C
    where
        C: for<'d> TryFrom<&'d SecretDocument, Error = DocumentError>,
    {
        C::try_from(&self.secret).expect("a credential")
    }

    /// What a rotator that is right says of it.
    pub async fn asked<R: Rotator>(
        &self,
        right: &R,
        cx: &Context,
    ) -> Result<Verdict, RotatorError> {
        right.test(&self.read(), cx).await
    }

    /// Another password of the same user.
    pub fn new_password(cx: &Context) -> Patch {
        Patch::key("password", Self::password_of(cx))
    }

    /// The other user of the pair, with a password.
    pub fn of_the_other(&self, cx: &Context) -> Patch {
        Patch::key("username", self.other().into()).and("password", Self::password_of(cx))
    }

    /// The name of the other user of the pair.
    pub fn other(&self) -> String {
        match self.username.strip_suffix("_clone") {
            Some(base) => base.to_owned(),
            None => format!("{}_clone", self.username),
        }
    }

    fn password_of(cx: &Context) -> SecretString {
        format!("Sentinel-{}", cx.version()).into()
    }
}

/// What a rotator that is wrong does; what it leaves out is as two users that take turns have it.
pub trait Culprit: Send + Sync {
    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["username", "password"]);
        Profile::new(keys, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
    }

    fn next(&self, current: &Login, cx: &Context) -> Patch {
        current.of_the_other(cx)
    }

    fn set(
        &self,
        login: &Login,
        pending: &Login,
    ) -> impl Future<Output = Result<(), RotatorError>> + Send;

    fn test(
        &self,
        candidate: &Login,
        cx: &Context,
    ) -> impl Future<Output = Result<Verdict, RotatorError>> + Send;

    fn retire(
        &self,
        retired: &Login,
        kept: &[&Login],
        cx: &Context,
    ) -> impl Future<Output = Result<(), RotatorError>> + Send {
        let _ = (retired, kept, cx);
        async { Ok(()) }
    }
}

/// The rotator that does it.
pub struct Wrong<C>(pub C);

impl<C: Culprit> Rotator for Wrong<C> {
    type Credential = Login;

    fn profile(&self) -> Profile {
        self.0.profile()
    }

    async fn create(&self, current: &Login, cx: &Context) -> Result<Patch, RotatorError> {
        Ok(self.0.next(current, cx))
    }

    async fn set(
        &self,
        login: Proven<'_, Login>,
        pending: &Login,
        _: &Context,
    ) -> Result<(), RotatorError> {
        self.0.set(login.credential(), pending).await
    }

    async fn test(&self, candidate: &Login, cx: &Context) -> Result<Verdict, RotatorError> {
        self.0.test(candidate, cx).await
    }

    async fn retire(
        &self,
        retired: &Login,
        kept: &[&Login],
        cx: &Context,
    ) -> Result<(), RotatorError> {
        self.0.retire(retired, kept, cx).await
    }
}

/// Without what takes long and convicts nobody here.
fn court<F, R, T>(fresh: F) -> Prover<F>
where
    F: AsyncFn(World) -> Trial<R, T>,
{
    Prover::new(fresh)
        .step_timeout(Duration::from_secs(20))
        .faults(&[Fault::CrashAfter])
        .without_interleavings()
}

/// The first promise that it breaks is this one, also when that is run again; gives when.
pub async fn is_convicted<F, R, T>(crime: impl Debug, of: Invariant, fresh: F) -> Schedule
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    find(&court(fresh), crime, of).await
}

/// The same of what nothing finds but two invocations side by side.
pub async fn is_convicted_of_a_race<F, R, T>(crime: impl Debug, of: Invariant, fresh: F)
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    let when = find(&court(fresh).switches(1), crime, of).await;
    assert!(matches!(when, Schedule::SideBySide { .. }), "{when}");
}

async fn find<F, R, T>(court: &Prover<F>, crime: impl Debug, of: Invariant) -> Schedule
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    let violation = match court.run().await {
        Ok(proof) => panic!("{crime:?} was found innocent: {proof}"),
        Err(violation) => violation,
    };
    assert_eq!(violation.invariant, of, "{crime:?}: {violation}");
    let again = court.replay(&violation.schedule.to_string()).await;
    let again = again.map_err(|again| again.invariant);
    assert_eq!(again, Err(of), "{crime:?}, run again");
    println!("{crime:?}: {of} ({})", violation.schedule);
    violation.schedule
}

/// The same without a crime: it is not the rest that is wrong.
pub async fn is_innocent<F, R, T>(fresh: F)
where
    F: AsyncFn(World) -> Trial<R, T>,
    R: Rotator,
    T: Target,
{
    match court(fresh).run().await {
        Ok(proof) => println!("without a crime: {proof}"),
        Err(violation) => panic!("without a crime: {violation}"),
    }
}
