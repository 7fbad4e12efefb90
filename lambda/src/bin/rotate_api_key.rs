//! Rotates API keys or client secrets of a provider whose manners are in `CONFIGURATION`.

use lambda::{Error, config, serve};
use rotators::api_key::ApiKey;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(ApiKey::new(store, config::api_key(env)?))).await
}
