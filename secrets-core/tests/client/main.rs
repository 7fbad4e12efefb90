//! The client's promises, one module each, with a paused clock and counted calls.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod aliases;
mod back_to_back;
mod blocking;
mod capacity;
mod connect;
mod faults;
mod freeze;
mod handle;
mod prefetch;
mod reads;
mod rotations;
mod single_flight;
mod stale;
mod stub;
