//! Rotates OAuth tokens, chains of refresh tokens, and client secrets, as `OAUTH_ROTATES` says.

use lambda::config::{self, OAuth};
use lambda::{Error, environment::Environment, serve};
use rotators::api_key::ApiKey;
use rotators::oauth::refresh_chain::RefreshChain;
use rotators::oauth::registration::Registration;
use rotators::oauth::tokens::Tokens;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match config::oauth(&mut Environment::of_process()) {
        OAuth::Tokens => serve(|env, store| Some(Tokens::new(store, config::tokens(env)?))).await,
        OAuth::RefreshChain => {
            serve(|env, store| Some(RefreshChain::new(store, config::refresh_chain(env)?))).await
        }
        OAuth::ClientSecret => {
            serve(|env, store| Some(ApiKey::new(store, config::client_secret(env)?))).await
        }
        OAuth::Registration => {
            serve(|env, _| Some(Registration::new(config::registration(env)?))).await
        }
    }
}
