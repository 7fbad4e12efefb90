//! In place of the client's own module of this name: whatever threads and tasks meet at is a place where the
//! scheduler may let another go on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{Guard, RefCnt};
use tokio::time::Instant;

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64};
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

/// A value that is replaced whole. That arc-swap is right is for its own tests: here each of its operations is one
/// step, with a moment before and after it.
pub(crate) struct Swap<T: RefCnt>(arc_swap::ArcSwapAny<T>);

pub(crate) type ArcSwap<T> = Swap<Arc<T>>;
pub(crate) type ArcSwapOption<T> = Swap<Option<Arc<T>>>;

impl<T: RefCnt> Swap<T> {
    pub(crate) fn load(&self) -> Guard<T> {
        shuttle::thread::yield_now();
        let value = self.0.load();
        shuttle::thread::yield_now();
        value
    }

    pub(crate) fn store(&self, value: T) {
        shuttle::thread::yield_now();
        self.0.store(value);
        shuttle::thread::yield_now();
    }
}

impl<T> Swap<Arc<T>> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(value))
    }
}

impl<T> Swap<Option<Arc<T>>> {
    pub(crate) fn empty() -> Self {
        Self(arc_swap::ArcSwapOption::empty())
    }
}

/// Where tasks go: to the scheduler. The first of them are lost, as with a runtime that ends.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<AtomicU64>);

impl Handle {
    pub(crate) fn losing(tasks: u64) -> Self {
        Self(Arc::new(AtomicU64::new(tasks)))
    }

    /// There is none but the one that is chosen.
    pub(crate) fn try_current() -> Result<Self, ()> {
        Err(())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        use std::sync::atomic::Ordering::SeqCst;
        let lost = self
            .0
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if lost.is_err() {
            shuttle::future::spawn(task);
        }
    }
}

pub(crate) struct Elapsed;

/// No time passes here, so none runs out.
pub(crate) async fn timeout<F: Future>(_: Duration, work: F) -> Result<F::Output, Elapsed> {
    Ok(work.await)
}

pub(crate) async fn sleep_until(_: Instant) {
    shuttle::future::yield_now().await;
}
