//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;

use secrets_core::document::Patch;
use secrets_core::rotator::{Context, RotatorError, Verdict};
use secrets_core::testing::{Invariant, World};
use tokio_postgres::NoTls;

use crate::culprit::{Culprit, Login, Wrong, is_convicted};
use crate::kit::Server;
use crate::pair::quoted;

#[derive(Clone, Copy, Debug)]
enum Crime {
    /// The password comes before the rights, and a login is all that is asked.
    SetsThePasswordFirst,
    /// As AWS's function does it: all at once, but settings and limits are left out.
    LeavesOutSettings,
    /// It sets the password of the user in use.
    ReplacesInPlace,
}

struct Pair {
    server: Arc<Server>,
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

    async fn set(&self, login: &Login, pending: &Login) -> Result<(), RotatorError> {
        let first = quoted(&login.username);
        let second = quoted(&pending.username);
        let there = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        let there = self
            .server
            .admin
            .query_opt(there, &[&pending.username])
            .await;
        let is_there = there.expect("an answer").is_some();
        let password = format!("LOGIN PASSWORD '{}'", pending.password);
        if is_there {
            let alter = format!("ALTER ROLE {second} {password}");
            return self.world.effect("password", self.server.run(&alter)).await;
        }
        let create = format!("CREATE ROLE {second} {password} CONNECTION LIMIT 9");
        let grant = format!("GRANT {first} TO {second}");
        if matches!(self.crime, Crime::LeavesOutSettings) {
            let all = format!("BEGIN; {create}; {grant}; COMMIT");
            return self.world.effect("all", self.server.run(&all)).await;
        }
        self.world
            .effect("password", self.server.run(&create))
            .await?;
        let rights = format!(
            "{grant}; ALTER ROLE {second} SET work_mem = '5MB'; ALTER ROLE {second} SET search_path = public"
        );
        self.world.effect("rights", self.server.run(&rights)).await
    }

    async fn test(&self, candidate: &Login, _: &Context) -> Result<Verdict, RotatorError> {
        let mut config = tokio_postgres::Config::new();
        let server = &self.server.proxy;
        config
            .host(server.host())
            .port(server.port())
            .user(&candidate.username)
            .password(&candidate.password)
            .dbname("postgres");
        match config.connect(NoTls).await {
            Ok(_) => Ok(Verdict::Accepted),
            Err(fault) if fault.code().is_some() => Ok(Verdict::Rejected),
            Err(_) => Err(RotatorError::unreachable("no answer; try again")),
        }
    }
}

async fn convicted_of(crime: Crime, invariant: Invariant) {
    let server = Server::start(15).await;
    let fresh = async |world: World| {
        let (at, surroundings) = (Arc::clone(&server), world.clone());
        let make = move || {
            Wrong(Pair {
                server: Arc::clone(&at),
                world: surroundings.clone(),
                crime,
            })
        };
        Arc::clone(&server).trial(&world, make).await
    };
    is_convicted(crime, invariant, fresh).await;
}

#[tokio::test]
async fn a_password_before_the_rights_is_found_out() {
    convicted_of(Crime::SetsThePasswordFirst, Invariant::NobodyLockedOut).await;
}

#[tokio::test]
async fn a_test_that_compares_nothing_is_found_out() {
    convicted_of(Crime::LeavesOutSettings, Invariant::NobodyLockedOut).await;
}

#[tokio::test]
async fn a_pair_that_is_none_is_found_out() {
    convicted_of(Crime::ReplacesInPlace, Invariant::ProfileIsTrue).await;
}
