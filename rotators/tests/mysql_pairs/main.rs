//! Users of `MySQL` and `MariaDB` that take turns, on real servers.
#![cfg(feature = "mysql")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

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
mod hostile;
mod kit;
mod load_pairs;
mod pair;
mod pairs;
mod privacy;
mod refusals;
#[path = "../support/stored.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod stored;
#[path = "../mysql/support.rs"]
#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "shared with the tests of single users"
)]
mod support;
#[path = "../mysql/text.rs"]
#[allow(dead_code, reason = "shared with the tests of single users")]
mod text;
mod wrong;
