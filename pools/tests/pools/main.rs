//! Pools over real servers, while the credential rotates.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "tests fail by panicking, and say what they have counted"
)]

mod bb8_errors;
mod mysql;
mod postgres;
mod rotations;
mod sqlx_pool;
mod support;
mod versions;
