//! The rotator of Redis and Valkey users, against real servers.
#![cfg(feature = "redis")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
mod kit;
mod load;
mod nodes;
mod outages;
mod privacy;
mod rights;
mod rotation;
mod support;
mod users;
mod wrong;

#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod hidden;
#[path = "../support/probe.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod probe;
#[path = "../support/stored.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod stored;
#[path = "../support/load.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod under_load;
