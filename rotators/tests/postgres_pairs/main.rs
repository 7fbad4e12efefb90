//! Users that take turns, on real servers.

#![cfg(feature = "postgres")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod cut_off;
mod existing;
mod hostile;
mod kit;
mod load;
mod making;
mod pair;
#[path = "../support/patience.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod patience;
mod privacy;
mod refusals;

#[path = "../support/mod.rs"]
mod support;
mod wrong;
