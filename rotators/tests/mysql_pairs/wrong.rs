//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;

use harness::mysql::MySql;
use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use secrets_core::testing::{Invariant, World};

use crate::culprit::{Culprit, Login, Wrong, is_convicted};
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

struct Pair {
    bench: Arc<Bench<MySql>>,
    world: World,
    crime: Crime,
}

impl Culprit for Pair {
    fn next(&self, current: &Login, cx: &Context) -> Patch {
        match self.crime {
            Crime::ReplacesInPlace => Login::new_password(cx),
            _ => current.of_the_other(cx),
        }
    }

    async fn set(&self, _: &Login, pending: &Login) -> Result<(), RotatorError> {
        let (user, password) = (literal(&pending.username), literal(&pending.password));
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
        let Login {
            username, password, ..
        } = candidate;
        let port = self.bench.proxy.port();
        for _ in 0..tries {
            match self.bench.proxied_login(port, username, password).await {
                None => return Err(RotatorError::unreachable("no answer; try again")),
                Some(true) => return Ok(Verdict::Accepted),
                Some(false) => {}
            }
        }
        Ok(Verdict::Rejected)
    }
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
