//! The rotators of MongoDB and DocumentDB users, against a protocol fake.
#![cfg(feature = "mongodb")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that panics is a test that fails; figures are printed"
)]

mod commands;
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
mod hostile;
mod kit;
mod load;
mod outages;
mod pairs;
mod refusals;
mod rights;
mod single_user;
mod support;
mod wrong;

#[path = "../support/hidden.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod hidden;

#[path = "../support/impostor.rs"]
#[allow(
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "shared with other tests"
)]
mod impostor;
