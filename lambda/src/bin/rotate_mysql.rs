//! Rotates the password of a MySQL, Aurora MySQL or MariaDB user, or two users that take turns.

use lambda::config::{self, Strategy};
use lambda::environment::Environment;
use lambda::{Error, serve};
use rotators::mysql::{AlternatingUsers, SingleUser};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // A fault in it is reported by the reading below.
    match config::strategy(&mut Environment::of_process()) {
        Strategy::SingleUser => {
            serve(|env, store| {
                config::strategy(env);
                let (settings, old_password) =
                    (config::mysql_with_admins(env), config::old_password(env));
                Some(SingleUser::new(store, settings?, old_password))
            })
            .await
        }
        Strategy::AlternatingUsers => {
            serve(|env, store| {
                let (settings, pair) = (config::mysql_with_admins(env), config::suffix_pair(env));
                Some(AlternatingUsers::new(store, settings?, pair?))
            })
            .await
        }
    }
}
