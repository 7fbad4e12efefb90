//! Pools over real servers, while the credential rotates.

#![allow(
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

mod mysql;
mod postgres;
mod rotations;
mod support;
mod versions;
