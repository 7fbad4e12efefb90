//! Rotates the password of a user of Redis or Valkey.

use lambda::{Error, config, serve};
use rotators::redis::SingleUser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(SingleUser::new(store, config::redis(env)?))).await
}
