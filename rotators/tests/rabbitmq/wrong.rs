//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Fault, Invariant, Prover, World};
use serde_json::json;

use crate::kit::Bench;
use crate::support::{SHOP, give_rights};

#[derive(Clone, Copy, Debug)]
enum Crime {
    /// The password comes before the rights, and a login is all that is asked.
    SetsThePasswordFirst,
    /// `PUT /api/users/NAME` needs tags, and none are sent.
    ForgetsTags,
    /// It sets the password of the user in use.
    ReplacesInPlace,
}

struct Wrong {
    bench: Arc<Bench>,
    world: World,
    crime: Crime,
}

struct Login {
    user: String,
    password: String,
}

impl TryFrom<&SecretDocument> for Login {
    type Error = DocumentError;
    fn try_from(secret: &SecretDocument) -> Result<Self, DocumentError> {
        let text = |key| Ok(secret.text(key)?.expose_secret().to_owned());
        Ok(Self {
            user: text("username")?,
            password: text("password")?,
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
        let server = &self.bench.fixture.server;
        let user = &pending.user;
        let path = ["users", user];
        let touched = &self.bench.touched;
        let tags = json!(["monitoring", "of the shop"]);
        let rights = async || give_rights(server, user, SHOP).await;
        let password = json!({"password": pending.password, "tags": tags});
        match self.crime {
            Crime::SetsThePasswordFirst => {
                let set = async {
                    server.put(&path, &password).await;
                    touched.fetch_add(1, Ordering::SeqCst);
                };
                self.world.effect("password", set).await?;
                // With the tests' password in between.
                let all = async {
                    rights().await;
                    server.put(&path, &password).await;
                    touched.fetch_add(1, Ordering::SeqCst);
                };
                self.world.effect("rights", all).await
            }
            Crime::ForgetsTags => {
                let password = json!({"password": pending.password, "tags": ""});
                let set = async {
                    rights().await;
                    server.put(&path, &password).await;
                    touched.fetch_add(1, Ordering::SeqCst);
                };
                self.world.effect("both", set).await
            }
            Crime::ReplacesInPlace => {
                let set = async {
                    server.put(&path, &password).await;
                    touched.fetch_add(1, Ordering::SeqCst);
                };
                self.world.effect("password", set).await
            }
        }
    }

    async fn test(&self, candidate: &Login, _: &Context) -> Result<Verdict, RotatorError> {
        if !self.bench.is_up().await {
            return Err(RotatorError::unreachable("no answer; try again"));
        }
        let server = &self.bench.fixture.server;
        Ok(
            match server
                .log_in(&candidate.user, &candidate.password, SHOP)
                .await
            {
                Ok(_) | Err(530) => Verdict::Accepted,
                Err(_) => Verdict::Rejected,
            },
        )
    }
}

#[tokio::test]
async fn wrong_pairs_are_found_out() {
    let bench = Bench::start(false).await;
    for (crime, invariant) in [
        (Crime::SetsThePasswordFirst, Invariant::NobodyLockedOut),
        (Crime::ForgetsTags, Invariant::NobodyLockedOut),
        (Crime::ReplacesInPlace, Invariant::ProfileIsTrue),
    ] {
        let fresh = async |world: World| {
            let (at, surroundings) = (Arc::clone(&bench), world.clone());
            let make = move || Wrong {
                bench: Arc::clone(&at),
                world: surroundings.clone(),
                crime,
            };
            Arc::clone(&bench).trial(&world, make).await
        };
        let prover = Prover::new(fresh)
            .step_timeout(Duration::from_secs(20))
            .faults(&[Fault::CrashAfter])
            .without_interleavings();
        let violation = prover.run().await.expect_err("it is wrong");
        assert_eq!(violation.invariant, invariant, "{crime:?}: {violation}");
    }
}
