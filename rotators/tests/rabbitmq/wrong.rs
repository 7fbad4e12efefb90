//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use secrets_core::testing::{Invariant, World};
use serde_json::{Value, json};

use crate::culprit::{Culprit, Login, Wrong, is_convicted};
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

struct Pair {
    bench: Arc<Bench>,
    world: World,
    crime: Crime,
}

impl Pair {
    async fn put(&self, user: &str, what: &Value) {
        let server = &self.bench.fixture.server;
        server.put(&["users", user], what).await;
        self.bench.touched.fetch_add(1, Ordering::SeqCst);
    }

    async fn give_rights(&self, user: &str) {
        give_rights(&self.bench.fixture.server, user, SHOP).await;
    }
}

impl Culprit for Pair {
    fn next(&self, current: &Login, cx: &Context) -> Patch {
        match self.crime {
            Crime::ReplacesInPlace => Login::new_password(cx),
            _ => current.of_the_other(cx),
        }
    }

    async fn set(&self, _: &Login, pending: &Login) -> Result<(), RotatorError> {
        let user = &pending.username;
        let tags = json!(["monitoring", "of the shop"]);
        let password = json!({"password": pending.password, "tags": tags});
        match self.crime {
            Crime::SetsThePasswordFirst => {
                let set = self.put(user, &password);
                self.world.effect("password", set).await?;
                // With the tests' password in between.
                let all = async {
                    self.give_rights(user).await;
                    self.put(user, &password).await;
                };
                self.world.effect("rights", all).await
            }
            Crime::ForgetsTags => {
                let password = json!({"password": pending.password, "tags": ""});
                let set = async {
                    self.give_rights(user).await;
                    self.put(user, &password).await;
                };
                self.world.effect("both", set).await
            }
            Crime::ReplacesInPlace => {
                let set = self.put(user, &password);
                self.world.effect("password", set).await
            }
        }
    }

    async fn test(&self, candidate: &Login, _: &Context) -> Result<Verdict, RotatorError> {
        if !self.bench.is_up().await {
            return Err(RotatorError::unreachable("no answer; try again"));
        }
        let Login {
            username, password, ..
        } = candidate;
        let server = &self.bench.fixture.server;
        Ok(match server.log_in(username, password, SHOP).await {
            Ok(_) | Err(530) => Verdict::Accepted,
            Err(_) => Verdict::Rejected,
        })
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
            let make = move || {
                Wrong(Pair {
                    bench: Arc::clone(&at),
                    world: surroundings.clone(),
                    crime,
                })
            };
            Arc::clone(&bench).trial(&world, make).await
        };
        is_convicted(crime, invariant, fresh).await;
    }
}
