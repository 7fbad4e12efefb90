//! IAM users and their access keys.
//!
//! [`MotoIam`] sets up users on the emulator moto, whose IAM and STS are used as they are, with keys and
//! rights checked ([`Moto::start_that_checks_keys`](crate::secrets_manager::Moto::start_that_checks_keys)).
//! What moto cannot do is in [`FakeIam`]: new keys that are refused for a while, faults at an exact request,
//! rights of a single action, and thousands of rotations in a minute.

mod fake;
mod moto;
mod signature;
mod state;

pub use fake::FakeIam;
pub use moto::MotoIam;
