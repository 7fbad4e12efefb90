//! Rotates the access key of an AWS IAM user.

use lambda::{Error, config, serve};
use rotators::iam::IamKey;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(IamKey::new(store, config::iam_key(env)?))).await
}
