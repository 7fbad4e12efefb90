//! Rotations on real servers: `MySQL` and `MariaDB`.
#![cfg(feature = "mysql")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod by_itself;
mod compatibility;
#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
mod cut_off;
#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod hidden;
mod kit;
mod load;
mod privacy;
mod refusals;
mod signs;
mod single_user;
#[path = "../support/stored.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod stored;
mod support;
mod text;
mod wrong;
