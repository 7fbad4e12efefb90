//! Workers that check out connections without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::TestPool;

/// What workers went through.
#[derive(Debug, Default)]
pub struct Report {
    pub let_in: usize,
    pub failures: Vec<String>,
}

#[derive(Default)]
pub struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<(JoinHandle<Report>, watch::Receiver<usize>)>,
}

impl Load {
    pub fn add<P: TestPool>(&mut self, pool: &Arc<P>, workers: u32) {
        for _ in 0..workers {
            let (pool, stop) = (Arc::clone(pool), Arc::clone(&self.stop));
            let (done, progress) = watch::channel(0);
            let worker = tokio::spawn(async move {
                let mut report = Report::default();
                while !stop.load(Ordering::SeqCst) {
                    match visit(&*pool).await {
                        Ok(()) => report.let_in += 1,
                        Err(failure) => report.failures.push(failure),
                    }
                    done.send_modify(|done| *done += 1);
                }
                report
            });
            self.workers.push((worker, progress));
        }
    }

    /// Waits until every worker has begun and ended a checkout from now on.
    pub async fn pass(&mut self) {
        for (_, progress) in &mut self.workers {
            let target = *progress.borrow_and_update() + 2;
            let passed = progress.wait_for(|done| *done >= target).await;
            assert!(passed.is_ok(), "a worker has panicked");
        }
    }

    /// What all workers went through.
    pub async fn end(self) -> Report {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Report::default();
        for (worker, _) in self.workers {
            let report = worker.await.expect("a worker");
            all.let_in += report.let_in;
            all.failures.extend(report.failures);
        }
        all
    }
}

async fn visit<P: TestPool>(pool: &P) -> Result<(), String> {
    let held = pool.check_out().await;
    let mut held = held.map_err(|failure| format!("{failure:?}"))?;
    pool.session(&mut held).await?;
    pool.give_back(held).await;
    Ok(())
}
