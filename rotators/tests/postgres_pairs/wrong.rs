//! Rotators of pairs that are wrong on purpose, each convicted of what it does.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use secrets_core::document::{DocumentError, Patch, SecretDocument};
use secrets_core::rotator::{
    Context, Live, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::testing::{Fault, Invariant, Prover, World};
use tokio_postgres::NoTls;

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

struct Wrong {
    server: Arc<Server>,
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
        login: Proven<'_, Login>,
        pending: &Login,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let first = quoted(&login.credential().user);
        let second = quoted(&pending.user);
        let there = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        let there = self.server.admin.query_opt(there, &[&pending.user]).await;
        let password = format!("LOGIN PASSWORD '{}'", pending.password);
        if there.expect("an answer").is_some() {
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
            .user(&candidate.user)
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
        let make = move || Wrong {
            server: Arc::clone(&at),
            world: surroundings.clone(),
            crime,
        };
        Arc::clone(&server).trial(&world, make).await
    };
    let prover = Prover::new(fresh)
        .step_timeout(Duration::from_secs(20))
        .faults(&[Fault::CrashAfter])
        .without_interleavings();
    let violation = prover.run().await.expect_err("it is wrong");
    assert_eq!(violation.invariant, invariant, "{crime:?}: {violation}");
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
