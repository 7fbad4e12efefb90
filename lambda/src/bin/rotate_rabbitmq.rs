//! Rotates between two users of `RabbitMQ`, or the password of one.

use lambda::config::{self, Strategy};
use lambda::environment::Environment;
use lambda::{Error, serve};
use rotators::rabbitmq::{AlternatingUsers, SingleUser};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A fault in it is reported by the reading below.
    match config::rabbitmq_strategy(&mut Environment::of_process()) {
        Strategy::AlternatingUsers => {
            serve(|env, store| {
                config::rabbitmq_strategy(env);
                let (settings, pair) = (config::rabbitmq(env), config::suffix_pair(env));
                Some(AlternatingUsers::new(store, settings?, pair?))
            })
            .await
        }
        Strategy::SingleUser => {
            serve(|env, store| Some(SingleUser::new(store, config::rabbitmq(env)?))).await
        }
    }
}
