//! The client's own protocol in many orders of threads and tasks: one question at a time, and what readers may see
//! of the answer. These are the files of the client, compiled over another `sync`, whose scheduler (shuttle) decides
//! who goes on at each lock, each atomic number and each value that is published.
//!
//! What is not tried: orders of memory weaker than one after the other, in which a read that sees an old window
//! takes the lock; arc-swap and tokio's channels, which are taken to be right.
#![allow(
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "a test that panics is a test that fails; not all of the client is used"
)]

mod document {
    pub(crate) use secrets_core::document::*;
}
mod event {
    pub(crate) use secrets_core::event::*;
}
mod store {
    pub(crate) use secrets_core::store::*;
}

#[path = "../../src/client"]
mod client {
    mod builder;
    mod cache;
    mod clock;
    mod core;
    mod entry;
    mod flight;
    mod handle;
    mod keeper;
    mod pace;
    mod refusals;
    mod secret;
    mod slot;
    mod stats;
    #[path = "../../tests/client_interleavings/sync.rs"]
    mod sync;
    mod upstream;

    #[path = "../../tests/client_interleavings/orders.rs"]
    mod orders;

    pub(crate) use clock::TestClock;
    pub(crate) use handle::SecretHandle;

    mod error {
        pub(crate) use secrets_core::client::ClientError;
    }

    pub(crate) struct SecretsClient(std::sync::Arc<core::Core>);
}
