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
use secrets_core::testing::{Fault, Invariant, Prover, Schedule, Target, Trial, World};

use crate::kit::{self, Bench};
use crate::kit_pairs;
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
    /// The clone's password first, then what it may do; and its probe is a login.
    PasswordBeforeRights,
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
        let profile = |keys| Profile::new(Rotates::Keys(keys), Overlap::UntilNextRotation);
        match self.crime {
            Crime::PasswordBeforeRights => profile(&["username", "password"]),
            Crime::DiscardsNothing => profile(&["password"])
                .holding(Live { rest: 1, peak: 2 })
                .retiring(Retirement::AfterPromotion),
            _ => profile(&["password"]).holding(Live { rest: 2, peak: 2 }),
        }
    }

    async fn create(&self, current: &Credential, cx: &Context) -> Result<Patch, RotatorError> {
        let patch = self.inner.create(&current.inner, cx).await?;
        if self.crime != Crime::PasswordBeforeRights {
            return Ok(patch);
        }
        let partner = match current.user.strip_suffix("_clone") {
            Some(first) => first.to_owned(),
            None => format!("{}_clone", current.user),
        };
        Ok(patch.and("username", partner.into()))
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
            Crime::PasswordBeforeRights => {
                let create = format!("CREATE USER IF NOT EXISTS {user}");
                self.run(&create).await?;
                self.run(&alter).await?;
                let grant = format!("GRANT SELECT ON shop.goods TO {user}");
                self.run(&grant).await
            }
            Crime::RetainsAgain => self.run(&format!("{alter} RETAIN CURRENT PASSWORD")).await,
            Crime::DiscardsNothing | Crime::TakesDoubtForRefusal => {
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
        // MySQL asks of an unknown user for any way to log in, also for those that no client has.
        let there = format!(
            "SELECT COUNT(*) FROM mysql.user WHERE user = {}",
            literal(&candidate.user)
        );
        if self.bench.ask::<u32>(&there).await == [0] {
            return Ok(Verdict::Rejected);
        }
        match self.inner.test(&candidate.inner, cx).await {
            Err(_) if self.crime == Crime::TakesDoubtForRefusal => Ok(Verdict::Rejected),
            verdict => verdict,
        }
    }
}

/// The first promise that a rotator with this crime breaks, and when.
async fn convicted<T: Target>(
    crime: Crime,
    bench: Arc<Bench<MySql>>,
    trial: impl AsyncFn(&World, Box<dyn Fn() -> Wrong>) -> Trial<Wrong, T>,
) -> (Invariant, Schedule) {
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (bench, settings, of) = (Arc::clone(&bench), settings.clone(), world.clone());
        let rotator = move || Wrong {
            inner: SingleUser::new(of.store().clone(), settings.clone(), OldPassword::Replaced),
            bench: Arc::clone(&bench),
            world: of.clone(),
            crime,
        };
        trial(&world, Box::new(rotator)).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(10))
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
    ] {
        let trial = async |world: &World, rotator: Box<dyn Fn() -> Wrong>| {
            kit::trial(Arc::clone(&bench), world, false, rotator).await
        };
        let found = convicted(crime, Arc::clone(&bench), trial).await;
        assert_eq!(found, (invariant, schedule), "{crime:?}");
    }
}

#[tokio::test]
async fn a_password_before_the_rights_is_found_out() {
    let bench = kit_pairs::bench::<MySql>().await;
    let trial = async |world: &World, rotator: Box<dyn Fn() -> Wrong>| {
        kit_pairs::trial(Arc::clone(&bench), world, rotator).await
    };
    let found = convicted(Crime::PasswordBeforeRights, Arc::clone(&bench), trial).await;
    assert_eq!(found.0, Invariant::NobodyLockedOut);
    let schedule = found.1.to_string();
    assert!(schedule.starts_with("crash-before"), "{schedule}");
}
