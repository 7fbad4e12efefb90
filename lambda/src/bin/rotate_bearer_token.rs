//! Rotates the app-only bearer token of X (Twitter), or of a provider with the same manners.

use lambda::{Error, config, serve};
use rotators::oauth::bearer::BearerToken;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(BearerToken::new(store, config::bearer_token(env)?))).await
}
