//! What the store over the SDK makes of faults of the service and of the network.
#![allow(
    clippy::expect_used,
    reason = "a test that panics is a test that fails"
)]

mod call;
mod errors;
mod logs;
mod replies;
