//! Users of SQL Server, against a fake that speaks its protocol and keeps its rules.
#![cfg(feature = "sqlserver")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod contained;
#[path = "../support/crimes.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod crimes;
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
mod load;
mod pairs;
mod privacy;
#[path = "../support/readers.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod readers;
mod refusals;
mod single_user;
mod support;
mod tls;
mod wrong;
