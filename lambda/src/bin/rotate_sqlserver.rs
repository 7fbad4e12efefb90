//! Rotates the password of a login or contained user of SQL Server, or two users that take turns.

use lambda::config::{self, Strategy};
use lambda::environment::Environment;
use lambda::{Error, serve};
use rotators::sqlserver::{AlternatingUsers, SingleUser};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A fault in it is reported by the reading below.
    match config::strategy(&mut Environment::of_process()) {
        Strategy::SingleUser => {
            serve(|env, store| {
                config::strategy(env);
                Some(SingleUser::new(store, config::sqlserver_with_admins(env)?))
            })
            .await
        }
        Strategy::AlternatingUsers => {
            serve(|env, store| {
                let settings = config::sqlserver_with_admins(env);
                let pair = config::suffix_pair(env);
                Some(AlternatingUsers::new(store, settings?, pair?))
            })
            .await
        }
    }
}
