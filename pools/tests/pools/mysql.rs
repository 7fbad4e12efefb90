//! `MySQL` and `MariaDB`, with a rotator that is no more than these tests need.

use std::marker::PhantomData;

use harness::mysql::{Edition, Server};
use harness::mysql::{MariaDb, MySql};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use secrets_core::document::Patch;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::{
    Context, Overlap, Profile, Proven, Rotates, Rotator, RotatorError, Verdict,
};
use secrets_core::store::memory::MemoryStore;
use secrets_pools::DbLogin;

use crate::support::mysql_pools::{MySqlAsync, Sqlx, login_options};
use crate::support::static_pool::Static;
use crate::support::{Place, Secret, TestPool, World};
use crate::{rotations, versions};

pub struct MySqlWorld<E> {
    server: Server<E>,
    place: Place,
    secret: Secret,
    edition: PhantomData<E>,
}

impl<E: Edition> World for MySqlWorld<E> {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    fn place(&self) -> &Place {
        &self.place
    }

    fn secret(&self) -> &Secret {
        &self.secret
    }

    async fn add_user(&self, name: &str, password: &str) {
        self.admin(&format!(
            "CREATE USER {name}@localhost IDENTIFIED BY '{password}'"
        ))
        .await;
    }

    async fn set_password(&self, name: &str, password: &str) {
        self.admin(&format!(
            "ALTER USER {name}@localhost IDENTIFIED BY '{password}'"
        ))
        .await;
    }

    async fn refusals(&self) -> usize {
        let status = "SHOW GLOBAL STATUS LIKE 'Aborted_connects'";
        let row = self.root().await.query_first(status).await;
        let row: Option<(String, String)> = row.expect("a status");
        row.expect("a row").1.parse().expect("a number")
    }
}

impl<E: Edition> MySqlWorld<E> {
    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut server = Server::<E>::builder();
        for (name, value) in settings {
            server = server.setting(name, value);
        }
        let server = server.start().await;
        let place = Place {
            port: server.port(),
            ca_pem: server.ca_pem(),
        };
        let world = Self {
            server,
            place,
            secret: Secret::new(),
            edition: PhantomData,
        };
        world.add_user("app", "first").await;
        world.secret.put("v0", "app", "first");
        world
    }

    async fn root(&self) -> Conn {
        let options = login_options(&self.place, "root", self.server.root_password());
        Conn::new(options).await.expect("a login")
    }

    async fn admin(&self, statement: &str) {
        self.root()
            .await
            .query_drop(statement)
            .await
            .expect("a valid statement");
    }

    fn rotation(&self) -> Rotation<MemoryStore, InPlace> {
        let rotator = InPlace {
            place: self.place.clone(),
            is_mariadb: self.server.version().contains("MariaDB"),
        };
        Rotation::new(self.secret.store.clone(), rotator)
    }
}

/// Replaces the one password of a user.
struct InPlace {
    place: Place,
    is_mariadb: bool,
}

impl InPlace {
    async fn log_in(&self, login: &DbLogin) -> Result<Conn, Error> {
        Conn::new(login_options(
            &self.place,
            login.username(),
            login.expose_password(),
        ))
        .await
    }
}

impl Rotator for InPlace {
    type Credential = DbLogin;

    fn profile(&self) -> Profile {
        Profile::new(Rotates::Keys(&["password"]), Overlap::ReplaceInPlace)
    }

    async fn create(&self, _: &DbLogin, cx: &Context) -> Result<Patch, RotatorError> {
        Ok(Patch::key(
            "password",
            format!("password of {}", cx.version()).into(),
        ))
    }

    async fn set(
        &self,
        login: Proven<'_, DbLogin>,
        pending: &DbLogin,
        _: &Context,
    ) -> Result<(), RotatorError> {
        let session = self.log_in(login.credential()).await;
        let mut session = session.map_err(|_| RotatorError::unreachable("no login"))?;
        let password = pending.expose_password();
        let statement = if self.is_mariadb {
            format!("SET PASSWORD = PASSWORD('{password}')")
        } else {
            format!("ALTER USER CURRENT_USER() IDENTIFIED BY '{password}'")
        };
        let set = session.query_drop(statement).await;
        set.map_err(|_| RotatorError::refused("not changed"))
    }

    async fn test(&self, candidate: &DbLogin, _: &Context) -> Result<Verdict, RotatorError> {
        match self.log_in(candidate).await {
            Ok(session) => {
                let _ = session.disconnect().await;
                Ok(Verdict::Accepted)
            }
            Err(Error::Server(fault)) if fault.code == 1045 => Ok(Verdict::Rejected),
            Err(_) => Err(RotatorError::unreachable("no answer")),
        }
    }
}

macro_rules! with_each {
    ($($test:ident)*) => {
        mod sqlx_pool {
            $(#[tokio::test] async fn $test() { super::$test::<super::Sqlx>().await; })*
        }
        mod mysql_async_pool {
            $(#[tokio::test] async fn $test() { super::$test::<super::MySqlAsync>().await; })*
        }
    };
}

with_each! {
    no_checkout_fails_in_fifty_rotations
    an_account_that_forgives_three_refusals_is_not_blocked
    user_name_and_password_change_together
    connections_of_an_older_version_are_not_handed_out_again
    a_wrong_password_is_presented_a_few_times_and_said_to_be_refused
}

async fn no_checkout_fails_in_fifty_rotations<P: TestPool>() {
    let world = MySqlWorld::<MySql>::start().await;
    let rotation = world.rotation();
    rotations::beside_a_static_pool::<P, Static<sqlx::MySql>, _>(&world, &rotation, 50).await;
}

/// `MariaDB` blocks an account after so many refusals in a row, for good. The engine's own probe is one of them.
async fn an_account_that_forgives_three_refusals_is_not_blocked<P: TestPool>() {
    let world = MySqlWorld::<MariaDb>::start_with(&[("max_password_errors", "3")]).await;
    let rotation = world.rotation();
    rotations::under_load::<P, _>(&world, &rotation, 5, 5, async || {}).await;
}

async fn user_name_and_password_change_together<P: TestPool>() {
    versions::user_name_and_password_change_together::<P, MySqlWorld<MariaDb>>().await;
}

async fn connections_of_an_older_version_are_not_handed_out_again<P: TestPool>() {
    versions::connections_of_an_older_version_are_not_handed_out_again::<P, MySqlWorld<MariaDb>>()
        .await;
}

async fn a_wrong_password_is_presented_a_few_times_and_said_to_be_refused<P: TestPool>() {
    versions::a_wrong_password_is_presented_a_few_times_and_said_to_be_refused::<
        P,
        MySqlWorld<MariaDb>,
    >()
    .await;
}
