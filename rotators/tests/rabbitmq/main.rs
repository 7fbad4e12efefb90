//! Users of `RabbitMQ`, on a real broker. A broker takes some seconds to start, so few tests have many
//! scenarios each.
#![cfg(feature = "rabbitmq")]
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
#[path = "../support/faults.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod faults;
#[path = "../support/hidden.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other tests")]
mod hidden;
mod hostile;
mod kit;
mod load;
mod network;
mod refusals;
mod rotation;
mod support;
mod wrong;
