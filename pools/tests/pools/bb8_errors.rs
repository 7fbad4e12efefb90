//! `bb8` connects in tasks of its own: who waits is told of a time-out, and the error sink of the reason.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bb8::{ErrorSink, Pool, RunError};
use secrets_core::client::{ClientError, ConnectError};
use secrets_pools::bb8::{Fault, Manager};
use tokio_postgres::NoTls;

use crate::postgres::PostgresWorld;
use crate::support::World;
use crate::support::postgres_pools::config;

/// All that the pool has to say.
#[derive(Clone, Debug, Default)]
struct Heard(Arc<Mutex<Vec<Fault>>>);

impl ErrorSink<Fault> for Heard {
    fn sink(&self, fault: Fault) {
        self.0.lock().expect("no panic").push(fault);
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<Fault>> {
        Box::new(self.clone())
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_to_the_error_sink_and_presented_a_few_times() {
    let world = PostgresWorld::start().await;
    world.secret().put("v1", "app", "wrong");
    let (place, heard) = (world.place().clone(), Heard::default());
    let manager = Manager::new(world.secret().handle().await, NoTls, move |login| {
        config(&place, login)
    });
    let pool = Pool::builder()
        .max_size(8)
        .connection_timeout(Duration::from_millis(500))
        .error_sink(Box::new(heard.clone()))
        .build_unchecked(manager);
    let mut checkouts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let pool = pool.clone();
        checkouts.spawn(async move { pool.get().await.map(drop) });
    }
    for outcome in checkouts.join_all().await {
        assert!(matches!(outcome, Err(RunError::TimedOut)), "{outcome:?}");
    }
    let refusals = world.refusals().await;
    assert!((1..=3).contains(&refusals), "{refusals}");

    let heard = std::mem::take(&mut *heard.0.lock().expect("no panic"));
    let mut refused = 0;
    for fault in &heard {
        match fault {
            Fault::Connect(ConnectError::Refused {
                why: ClientError::Refused { .. },
                ..
            }) => refused += 1,
            Fault::Connect(ConnectError::Secret(ClientError::Refused { .. })) => {}
            other => panic!("{other:?}"),
        }
        assert!(!format!("{fault:?} {fault}").contains("wrong\""));
    }
    assert!(refused > 0, "{heard:?}");
    assert!(
        heard.len() > refusals,
        "most were not presented again: {heard:?}"
    );
}
