//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;
use std::time::Duration;

use harness::mysql::MySql;
use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Fault, Invariant, Prover, World};

use crate::kit::Bench;
use crate::pair::RIGHTS_OF_A_SHOPPER;
use crate::support::literal;

#[derive(Clone, Copy, Debug)]
enum Crime {
    /// The password comes before the rights, and a login is all that is asked.
    SetsThePasswordFirst,
    /// As AWS's function does it: `SHOW GRANTS` is copied, default roles and limits are left out.
    CopiesGrantsOnly,
    /// It sets the password of the user in use.
    ReplacesInPlace,
    /// A refused password is presented once more.
    TriesTwice,
}

struct Wrong {
    bench: Arc<Bench<MySql>>,
    world: World,
    crime: Crime,
}

struct Login {
    user: String,
    password: String,
    port: u16,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;
    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            user: text("username")?,
            password: text("password")?,
            port: secret.port("port")?.unwrap_or_default(),
        })
    }
}

impl Rotator for Wrong {
    type Credential = Login;

    fn profile(&self) -> Profile {
        let keys = Rotates::Keys(&["username", "password"]);
        Profile::new(keys, Overlap::UntilNextRotation).holding(Live { rest: 2, peak: 2 })
    }

    async fn create(&self, current: &Login, cx: &Context) -> Result<Patch, RotatorError> {
        let user = match (self.crime, current.user.strip_suffix("_clone")) {
            (Crime::ReplacesInPlace, _) => current.user.clone(),
            (_, Some(base)) => base.to_owned(),
            (_, None) => format!("{}_clone", current.user),
        };
        let password = SecretString::from(format!("sentinel-{}", cx.version()));
        Ok(Patch::key("username", user.as_str().into()).and("password", password))
    }

    async fn set(
        &self,
        _: Proven<'_, Login>,
        pending: &Login,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let (user, password) = (literal(&pending.user), literal(&pending.password));
        let password = format!("ALTER USER {user} IDENTIFIED BY {password}");
        let create = format!("CREATE USER IF NOT EXISTS {user} IDENTIFIED BY 'sentinel-unknown'");
        let all = RIGHTS_OF_A_SHOPPER.mysql[0].replace('$', &user);
        let statements = match self.crime {
            Crime::SetsThePasswordFirst => vec![create, password, all],
            Crime::CopiesGrantsOnly => {
                let (grants, _) = all.split_once("; SET DEFAULT ROLE").expect("both");
                vec![create, grants.to_owned(), password]
            }
            Crime::ReplacesInPlace => vec![password],
            Crime::TriesTwice => vec![create, all, password],
        };
        for statement in statements {
            let run = self.bench.root(&statement);
            self.world.effect("statement", run).await?;
        }
        Ok(())
    }

    async fn test(&self, candidate: &Login, _: &Context) -> Result<Verdict, RotatorError> {
        let tries = if matches!(self.crime, Crime::TriesTwice) {
            2
        } else {
            1
        };
        for _ in 0..tries {
            let (user, password) = (&candidate.user, &candidate.password);
            match self
                .bench
                .proxied_login(candidate.port, user, password)
                .await
            {
                None => return Err(RotatorError::unreachable("no answer; try again")),
                Some(true) => return Ok(Verdict::Accepted),
                Some(false) => {}
            }
        }
        Ok(Verdict::Rejected)
    }
}

async fn convicted_of(crime: Crime, invariant: Invariant, bench: &Arc<Bench<MySql>>) {
    let fresh = async |world: World| {
        let (at, surroundings) = (Arc::clone(bench), world.clone());
        let make = move || Wrong {
            bench: Arc::clone(&at),
            world: surroundings.clone(),
            crime,
        };
        Arc::clone(bench).trial(&world, make).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(20))
        .faults(&[Fault::CrashAfter])
        .without_interleavings();
    let violation = prover.run().await.expect_err("it is wrong");
    assert_eq!(violation.invariant, invariant, "{crime:?}: {violation}");
}

#[tokio::test]
async fn wrong_pairs_are_found_out() {
    let bench = Bench::start().await;
    for (crime, invariant) in [
        (Crime::SetsThePasswordFirst, Invariant::NobodyLockedOut),
        (Crime::CopiesGrantsOnly, Invariant::NobodyLockedOut),
        (Crime::ReplacesInPlace, Invariant::ProfileIsTrue),
        (Crime::TriesTwice, Invariant::NoLockout),
    ] {
        convicted_of(crime, invariant, &bench).await;
    }
}
