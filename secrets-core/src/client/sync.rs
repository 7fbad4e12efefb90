//! What the client synchronises by. `tests/client_interleavings` compiles the same files over another module in
//! place of this one, whose scheduler decides at each of these who goes on.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64};
pub(super) use std::sync::{Mutex, MutexGuard};

pub(super) use arc_swap::{ArcSwap, ArcSwapOption};
pub(super) use tokio::runtime::Handle;
pub(super) use tokio::time::{sleep_until, timeout};
