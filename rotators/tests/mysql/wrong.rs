//! Rotators that are wrong on purpose, against the real server: each is convicted of its own crime.

use std::sync::Arc;

use harness::mysql::MySql;
use rotators::mysql::{OldPassword, SingleUser};
use secrets_core::document::Patch;
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Retirement, Rotates, RotatorError, Verdict,
};
use secrets_core::store::memory::MemoryStore;
use secrets_core::testing::{Invariant, Schedule, World};

use crate::culprit::{Culprit, Login, Wrong, is_convicted};
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

struct OneUser {
    right: SingleUser<MemoryStore>,
    bench: Arc<Bench<MySql>>,
    world: World,
    crime: Crime,
}

impl OneUser {
    /// One effect, where the kit may break it.
    async fn run(&self, sql: &str) -> Result<(), RotatorError> {
        self.world.effect("statement", self.bench.root(sql)).await
    }
}

impl Culprit for OneUser {
    fn profile(&self) -> Profile {
        let profile = Profile::new(Rotates::Keys(&["password"]), Overlap::UntilNextRotation);
        match self.crime {
            Crime::DiscardsNothing => profile
                .holding(Live { rest: 1, peak: 2 })
                .retiring(Retirement::AfterPromotion),
            _ => profile.holding(Live { rest: 2, peak: 2 }),
        }
    }

    fn next(&self, _: &Login, cx: &Context) -> Patch {
        Login::new_password(cx)
    }

    async fn set(&self, login: &Login, pending: &Login) -> Result<(), RotatorError> {
        let (user, password) = (literal(&pending.username), literal(&pending.password));
        let alter = format!("ALTER USER {user} IDENTIFIED BY {password}");
        match self.crime {
            Crime::HidesItsGap => self.run(&alter).await,
            Crime::RetainsAgain => self.run(&format!("{alter} RETAIN CURRENT PASSWORD")).await,
            _ => {
                let old = literal(&login.password);
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

    async fn test(&self, candidate: &Login, cx: &Context) -> Result<Verdict, RotatorError> {
        match candidate.asked(&self.right, cx).await {
            Err(_) if self.crime == Crime::TakesDoubtForRefusal => Ok(Verdict::Rejected),
            Ok(Verdict::Rejected) if self.crime == Crime::AsksTwice => {
                candidate.asked(&self.right, cx).await
            }
            verdict => verdict,
        }
    }
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
        let settings = bench.fixture.settings();
        let fresh = async |world: World| {
            let (settings, of) = (settings.clone(), (Arc::clone(&bench), world.clone()));
            let make = move || {
                let store = of.1.store().clone();
                Wrong(OneUser {
                    right: SingleUser::new(store, settings.clone(), OldPassword::Replaced),
                    bench: Arc::clone(&of.0),
                    world: of.1.clone(),
                    crime,
                })
            };
            kit::trial(Arc::clone(&bench), &world, false, make).await
        };
        let when = is_convicted(crime, invariant, fresh).await;
        assert_eq!(when, schedule, "{crime:?}");
    }
}
