//! Users that take turns, on real servers.

#![cfg(feature = "postgres")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
mod cut_off;
mod existing;
#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
mod hostile;
mod kit;
mod load;
mod making;
mod pair;
mod privacy;
mod refusals;

#[path = "../support/mod.rs"]
mod support;
mod wrong;
