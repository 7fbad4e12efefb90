//! Rotates the password of a PostgreSQL or Aurora PostgreSQL role, or two roles that take turns.

use lambda::config::{self, Strategy};
use lambda::environment::Environment;
use lambda::{Error, serve};
use rotators::postgres::{AlternatingUsers, PostgresSettings, SingleUser};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A fault in it is reported by the reading below.
    match config::strategy(&mut Environment::of_process()) {
        Strategy::SingleUser => {
            serve(|env, store| {
                config::strategy(env);
                Some(SingleUser::new(store, settings(env)?))
            })
            .await
        }
        Strategy::AlternatingUsers => {
            serve(|env, store| {
                let (settings, pair) = (settings(env), config::postgres_pair(env));
                Some(AlternatingUsers::new(store, settings?, pair?))
            })
            .await
        }
    }
}

fn settings(env: &mut Environment) -> Option<PostgresSettings> {
    let admin_servers = config::admin_servers(env);
    let mut settings = config::postgres(env)?;
    settings.admin_servers = admin_servers;
    Some(settings)
}
