//! Rotates the password of a PostgreSQL or Aurora PostgreSQL role.

use lambda::{Error, config, serve};
use rotators::postgres::SingleUser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(SingleUser::new(store, config::postgres(env)?))).await
}
