//! Users of Amazon Redshift: tested against a protocol fake.

#![cfg(feature = "redshift")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
mod hidden;
mod kit;
mod kit_pairs;
mod logins;
mod pairs;
mod postgres;
mod refusals;
mod single_user;
mod support;
