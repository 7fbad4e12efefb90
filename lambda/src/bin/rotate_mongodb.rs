//! Rotates the password of a MongoDB or Amazon DocumentDB user, or two users that take turns.

use lambda::config::{self, Strategy};
use lambda::environment::Environment;
use lambda::{Error, serve};
use rotators::mongodb::{AlternatingUsers, SingleUser};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A fault in it is reported by the reading below.
    match config::strategy(&mut Environment::of_process()) {
        Strategy::SingleUser => {
            serve(|env, store| {
                config::strategy(env);
                Some(SingleUser::new(store, config::mongodb(env)?))
            })
            .await
        }
        Strategy::AlternatingUsers => {
            serve(|env, store| {
                let (settings, pair) = (config::mongodb(env), config::suffix_pair(env));
                Some(AlternatingUsers::new(store, settings?, pair?))
            })
            .await
        }
    }
}
