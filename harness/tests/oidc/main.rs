//! What the OAuth server does: the facts that rotators of tokens, client secrets and refresh tokens rely
//! on. `harness::oidc` lists them.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod assertion;
mod assertions;
mod client;
mod client_credentials;
mod install;
mod mutual_tls;
mod refresh;
mod registration;
mod registration_secrets;
mod revocation;
mod traffic;
