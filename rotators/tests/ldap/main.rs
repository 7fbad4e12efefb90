//! The rotator of entries of directories, against real servers.
#![cfg(feature = "ldap")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

#[path = "../support/culprit.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod culprit;
#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod hidden;
mod kit;
mod load;
mod outages;
mod policies;
mod privacy;
#[path = "../support/probe.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod probe;
mod rights;
mod rotation;
#[path = "../support/stored.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod stored;
mod support;
#[path = "../support/load.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod under_load;
mod users;
mod warnings;
mod wrong;
