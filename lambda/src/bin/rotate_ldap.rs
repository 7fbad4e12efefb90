//! Rotates the password of an entry of an `OpenLDAP` directory.

use lambda::{Error, config, serve};
use rotators::ldap::SingleUser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve(|env, store| Some(SingleUser::new(store, config::ldap(env)?))).await
}
