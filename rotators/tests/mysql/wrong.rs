//! Rotators that are wrong on purpose, against the real server: each is convicted of its own crime.

use std::sync::Arc;
use std::time::Duration;

use harness::mysql::MySql;
use rotators::mysql::{MySqlCredential, OldPassword, SingleUser};
use secrecy::ExposeSecret;
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Fault, Invariant, Prover, Schedule, World};

use crate::kit::Bench;
use crate::kit_pairs;
use crate::support::literal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crime {
    /// Retains whatever is there, once more on a retry.
    RetainsAgain,
    /// Replaces the password and promises that the old one works on.
    HidesItsGap,
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
        let keys: &[&str] = match self.crime {
            Crime::PasswordBeforeRights => &["username", "password"],
            _ => &["password"],
        };
        Profile::new(Rotates::Keys(keys), Overlap::UntilNextRotation)
            .holding(Live { rest: 2, peak: 2 })
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
        match self.crime {
            Crime::RetainsAgain => {
                let retain = "RETAIN CURRENT PASSWORD";
                self.run(&format!(
                    "ALTER USER {user} IDENTIFIED BY {password} {retain}"
                ))
                .await
            }
            Crime::HidesItsGap => {
                self.run(&format!("ALTER USER {user} IDENTIFIED BY {password}"))
                    .await
            }
            Crime::PasswordBeforeRights => {
                let _ = login;
                self.run(&format!("CREATE USER IF NOT EXISTS {user}"))
                    .await?;
                self.run(&format!("ALTER USER {user} IDENTIFIED BY {password}"))
                    .await?;
                self.run(&format!("GRANT SELECT ON shop.goods TO {user}"))
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
        self.inner.test(&candidate.inner, cx).await
    }
}

async fn convicted(crime: Crime) -> (Invariant, Schedule) {
    let bench = kit_pairs::bench::<MySql>().await;
    let settings = bench.fixture.settings();
    let fresh = async |world: World| {
        let (bench, settings) = (Arc::clone(&bench), settings.clone());
        let of = (Arc::clone(&bench), world.clone());
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
        kit_pairs::trial(bench, &world, rotator).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(3))
        .faults(&[Fault::CrashBefore])
        .without_interleavings();
    let violation = prover.run().await.expect_err("a crime");
    let again = prover.replay(&violation.schedule.to_string()).await;
    assert_eq!(again.expect_err("the same").invariant, violation.invariant);
    (violation.invariant, violation.schedule)
}

#[tokio::test]
async fn retaining_without_a_probe_is_found_out() {
    let (invariant, schedule) = convicted(Crime::RetainsAgain).await;
    assert_eq!(
        (invariant, schedule),
        (Invariant::RepeatsAreHarmless, Schedule::Contract)
    );
}

#[tokio::test]
async fn a_hidden_gap_is_found_out() {
    let (invariant, schedule) = convicted(Crime::HidesItsGap).await;
    assert_eq!(
        (invariant, schedule),
        (Invariant::ProfileIsTrue, Schedule::Undisturbed)
    );
}

#[tokio::test]
async fn a_password_before_the_rights_is_found_out() {
    let (invariant, schedule) = convicted(Crime::PasswordBeforeRights).await;
    assert_eq!(invariant, Invariant::NobodyLockedOut);
    assert!(
        schedule.to_string().starts_with("crash-before"),
        "{schedule}"
    );
}
