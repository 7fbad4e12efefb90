//! Which call fails, and where.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Where a fault strikes.
#[derive(Clone, Debug)]
pub enum Fault<A> {
    /// The upstream has not seen the call.
    Before(A),
    /// The upstream has done what the call asked, and the caller has no answer yet.
    After(A),
}

/// A test's own code, run by a proxy. It runs to its end even if the caller goes away meanwhile.
#[derive(Clone)]
pub struct Hook(Arc<dyn Fn() -> Work + Send + Sync>);

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Hook {
    /// Code that does not wait.
    pub fn new(code: impl Fn() + Send + Sync + 'static) -> Self {
        let code = Arc::new(code);
        Self::new_async(move || {
            let code = Arc::clone(&code);
            async move { code() }
        })
    }

    /// Code that waits.
    pub fn new_async<F>(code: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(code())))
    }

    pub(super) async fn run(&self) {
        to_the_end((self.0)()).await;
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hook")
    }
}

/// Waits for `work`, which goes on even if this wait is given up: a proxy stops serving a caller
/// that goes away, and the upstream must not be left with half of a call for that.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Counts calls, keeps a record of each, and holds the faults.
#[derive(Debug)]
pub(super) struct Script<A, R> {
    state: Mutex<State<A, R>>,
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct State<A, R> {
    records: Vec<R>,
    at: BTreeMap<usize, Fault<A>>,
    from: Option<(usize, Fault<A>)>,
}

impl<A: Clone, R: Clone> Script<A, R> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                records: Vec::new(),
                at: BTreeMap::new(),
                from: None,
            }),
            count: watch::Sender::new(0),
        }
    }

    /// Counts a call; the fault that strikes it, if any.
    pub(super) fn next(&self, record: R) -> Option<Fault<A>> {
        let mut state = self.lock();
        state.records.push(record);
        let number = state.records.len();
        self.count.send_replace(number);
        if let Some(fault) = state.at.get(&number) {
            return Some(fault.clone());
        }
        let (first, fault) = state.from.as_ref()?;
        (number >= *first).then(|| fault.clone())
    }

    pub(super) fn fault_at(&self, call: usize, fault: Fault<A>) {
        self.lock().at.insert(call, fault);
    }

    pub(super) fn fault_from(&self, call: usize, fault: Fault<A>) {
        self.lock().from = Some((call, fault));
    }

    pub(super) fn clear_faults(&self) {
        let mut state = self.lock();
        state.at.clear();
        state.from = None;
    }

    pub(super) fn reset(&self) {
        self.clear_faults();
        self.lock().records.clear();
        self.count.send_replace(0);
    }

    pub(super) fn records(&self) -> Vec<R> {
        self.lock().records.clone()
    }

    pub(super) async fn reached(&self, call: usize) {
        let mut count = self.count.subscribe();
        let reached = count.wait_for(|&count| count >= call).await;
        drop(reached.expect("the sender is in self"));
    }

    fn lock(&self) -> MutexGuard<'_, State<A, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
