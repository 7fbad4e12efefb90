//! Users that take turns, on real servers.

#![cfg(feature = "postgres")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod existing;
mod making;
mod pair;
mod refusals;
#[path = "../support/mod.rs"]
mod support;
