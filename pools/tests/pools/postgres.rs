//! `PostgreSQL`, rotated by our own rotator.

use harness::postgres::PostgresServer;
use rotators::password::{PasswordPolicy, PasswordRules};
use rotators::postgres::{PasswordForm, PostgresSettings, SingleUser};
use secrets_core::document::SecretDocument;
use secrets_core::rotation::Rotation;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;
use sqlx::Postgres;

use crate::support::postgres_pools::{Bb8, Deadpool, Sqlx};
use crate::support::static_pool::Static;
use crate::support::{Place, Secret, TestPool, World};
use crate::{rotations, versions};

const FIRST: &str = "sentinel-First~1";

pub struct PostgresWorld {
    server: PostgresServer,
    place: Place,
    secret: Secret,
}

impl World for PostgresWorld {
    async fn start() -> Self {
        // What a password is hashed with is up to the server here, and cheap: logins are what these tests are about.
        let server = PostgresServer::builder().major(18).allow_plaintext();
        let server = server.setting("scram_iterations", "1").start().await;
        let place = Place {
            port: server.port(),
            ca_pem: server.ca_pem(),
        };
        let value = json!({
            "engine": "postgres", "host": "127.0.0.1", "port": place.port, "dbname": "postgres",
            "username": "app", "password": FIRST, "ca_certificate": place.ca_pem,
        });
        let world = Self {
            server,
            place,
            secret: Secret::new(),
        };
        world.add_user("app", FIRST).await;
        let value = SecretDocument::from_text(&value.to_string());
        world.secret.put_document("v0", &value);
        world
    }

    fn place(&self) -> &Place {
        &self.place
    }

    fn secret(&self) -> &Secret {
        &self.secret
    }

    async fn add_user(&self, name: &str, password: &str) {
        self.admin(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"))
            .await;
    }

    async fn set_password(&self, name: &str, password: &str) {
        self.admin(&format!("ALTER ROLE {name} PASSWORD '{password}'"))
            .await;
    }

    async fn refusals(&self) -> usize {
        let refused = "password authentication failed for user";
        self.server.log().matches(refused).count()
    }
}

impl PostgresWorld {
    async fn admin(&self, statement: &str) {
        let done = self.server.admin().await.batch_execute(statement).await;
        done.expect("a valid statement");
    }

    fn rotation(&self) -> Rotation<MemoryStore, SingleUser<MemoryStore>> {
        let policy = PasswordPolicy::new(&PasswordRules::default()).expect("the default");
        let mut settings = PostgresSettings::new(policy);
        settings.password_form = PasswordForm::Plain;
        let rotator = SingleUser::new(self.secret.store.clone(), settings);
        Rotation::new(self.secret.store.clone(), rotator)
    }
}

macro_rules! with_each {
    ($($test:ident)*) => {
        mod sqlx_pool {
            $(#[tokio::test] async fn $test() { super::$test::<super::Sqlx>().await; })*
        }
        mod deadpool_pool {
            $(#[tokio::test] async fn $test() { super::$test::<super::Deadpool>().await; })*
        }
        mod bb8_pool {
            $(#[tokio::test] async fn $test() { super::$test::<super::Bb8>().await; })*
        }
    };
}

with_each! {
    no_checkout_fails_in_fifty_rotations
    no_checkout_fails_in_rotations_without_a_pause
    user_name_and_password_change_together
    connections_of_an_older_version_are_not_handed_out_again
}

async fn no_checkout_fails_in_fifty_rotations<P: TestPool>() {
    let world = PostgresWorld::start().await;
    let rotation = world.rotation();
    rotations::beside_a_static_pool::<P, Static<Postgres>, _>(&world, &rotation, 50).await;
}

async fn no_checkout_fails_in_rotations_without_a_pause<P: TestPool>() {
    let world = PostgresWorld::start().await;
    let rotation = world.rotation();
    rotations::without_a_pause::<P, _>(&world, &rotation, 20, 3).await;
}

async fn user_name_and_password_change_together<P: TestPool>() {
    versions::user_name_and_password_change_together::<P, PostgresWorld>().await;
}

async fn connections_of_an_older_version_are_not_handed_out_again<P: TestPool>() {
    versions::connections_of_an_older_version_are_not_handed_out_again::<P, PostgresWorld>().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_to_sqlx() {
    versions::a_wrong_password_is_presented_a_few_times_and_said_to_be_refused::<Sqlx, PostgresWorld>().await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_to_deadpool() {
    versions::a_wrong_password_is_presented_a_few_times_and_said_to_be_refused::<
        Deadpool,
        PostgresWorld,
    >()
    .await;
}
