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
mod kit;
mod load;
mod outages;
mod policies;
mod privacy;
mod rights;
mod rotation;
mod support;
mod users;
mod warnings;
mod wrong;
