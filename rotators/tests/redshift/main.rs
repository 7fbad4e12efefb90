//! Users of Amazon Redshift: tested against a protocol fake.

#![cfg(feature = "redshift")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails"
)]

#[path = "../support/crimes.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod crimes;
#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
mod hidden;
mod kit;
mod kit_pairs;
mod load;
mod logins;
mod pairs;
mod postgres;
#[path = "../support/readers.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod readers;
mod refusals;
mod single_user;
mod support;
mod wrong;
