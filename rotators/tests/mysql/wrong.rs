//! Rotators that are wrong on purpose, against the real server: each is convicted of its own crime.

use std::sync::Arc;
use std::time::Duration;

use harness::mysql::MySql;
use rotators::mysql::{MySqlCredential, OldPassword, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Retirement, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Invariant, Prover, Schedule, World};

use crate::kit::{self, Bench};
use crate::support::literal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    /// Retains whatever is there, once more on a retry.
    RetainsAgain,
    /// Replaces the password and promises that the old one works on.
    HidesItsGap,
    /// Promises to end the old password after promotion, and leaves it.
    DiscardsNothing,
    /// Takes a server that does not answer for one that refuses.
    TakesDoubtForRefusal,
    /// Presents a password that was refused once more.
    AsksTwice,
}

/// The right one, but for its crime.
struct Wrong {
    inner: SingleUser<MemoryStore>,
    bench: Arc<Bench<MySql>>,
    world: World,
    crime: Crime,
}

/// What it needs of the secret itself, beside what the right one reads.
struct Credential {
    inner: MySqlCredential,
    user: String,
    password: String,
}

impl TryFrom<&SecretDocument> for Credential {
    type Error = DocumentError;

    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        Ok(Self {
            inner: MySqlCredential::try_from(secret)?,
            user: secret.text("username")?.expose_secret().to_owned(),
            password: secret.text("password")?.expose_secret().to_owned(),
        })
    }
}

impl Wrong {
    /// One effect, where the kit may break it.
    async fn run(&self, sql: &str) -> Result<(), RotatorError> {
        self.world.effect("statement", self.bench.root(sql)).await
    }
}

impl Rotator for Wrong {
    type Credential = Credential;

    fn profile(&self) -> Profile {
        let profile = Profile::new(Rotates::Keys(&["password"]), Overlap::UntilNextRotation);
        match self.crime {
            Crime::DiscardsNothing => profile
                .holding(Live { rest: 1, peak: 2 })
                .retiring(Retirement::AfterPromotion),
            _ => profile.holding(Live { rest: 2, peak: 2 }),
        }
    }

    async fn create(&self, current: &Credential, cx: &Context) -> Result<Patch, RotatorError> {
        self.inner.create(&current.inner, cx).await
    }

    async fn set(
        &self,
        login: Proven<'_, Credential>,
        pending: &Credential,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let (user, password) = (literal(&pending.user), literal(&pending.password));
        let alter = format!("ALTER USER {user} IDENTIFIED BY {password}");
        match self.crime {
            Crime::HidesItsGap => self.run(&alter).await,
            Crime::RetainsAgain => self.run(&format!("{alter} RETAIN CURRENT PASSWORD")).await,
            _ => {
                let old = literal(&login.credential().password);
                if old == password {
                    return Ok(());
                }
                let old = format!("ALTER USER {user} IDENTIFIED BY {old}");
                let new = format!("{user} IDENTIFIED BY {password}");
                self.run(&format!("{old}, {new} RETAIN CURRENT PASSWORD"))
                    .await
            }
        }
    }

    async fn test(&self, candidate: &Credential, cx: &Context) -> Result<Verdict, RotatorError> {
        match self.inner.test(&candidate.inner, cx).await {
            Err(_) if self.crime == Crime::TakesDoubtForRefusal => Ok(Verdict::Rejected),
            Ok(Verdict::Rejected) if self.crime == Crime::AsksTwice => {
                self.inner.test(&candidate.inner, cx).await
            }
            verdict => verdict,
        }
    }
}

/// The first promise that a rotator with this crime breaks, and when.
async fn convicted(crime: Crime, bench: &Arc<Bench<MySql>>) -> (Invariant, Schedule) {
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (settings, of) = (settings.clone(), (Arc::clone(bench), world.clone()));
        let rotator = move || Wrong {
            inner: SingleUser::new(
                of.1.store().clone(),
                settings.clone(),
                OldPassword::Replaced,
            ),
            bench: Arc::clone(&of.0),
            world: of.1.clone(),
            crime,
        };
        kit::trial(Arc::clone(bench), &world, false, rotator).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(20))
        .faults(&[Fault::CrashBefore])
        .without_interleavings();
    let violation = prover.run().await.expect_err("a crime");
    let again = prover.replay(&violation.schedule.to_string()).await;
    assert_eq!(again.expect_err("the same").invariant, violation.invariant);
    (violation.invariant, violation.schedule)
}

#[tokio::test]
async fn crimes_of_one_user_are_found_out() {
    let bench = Bench::<MySql>::start(&[]).await;
    for (crime, invariant, schedule) in [
        (
            Crime::RetainsAgain,
            Invariant::RepeatsAreHarmless,
            Schedule::Contract,
        ),
        (
            Crime::HidesItsGap,
            Invariant::ProfileIsTrue,
            Schedule::Undisturbed,
        ),
        (
            Crime::DiscardsNothing,
            Invariant::NothingPilesUp,
            Schedule::Undisturbed,
        ),
        (
            Crime::TakesDoubtForRefusal,
            Invariant::DoubtChangesNothing,
            Schedule::Contract,
        ),
        (
            Crime::AsksTwice,
            Invariant::NoLockout,
            Schedule::Undisturbed,
        ),
    ] {
        let found = convicted(crime, &bench).await;
        assert_eq!(found, (invariant, schedule), "{crime:?}");
    }
}
