//! However many ask, the store is asked once.

use std::time::Duration;

use secrets_core::client::ClientError;
use secrets_core::store::StoreErrorKind;
use tokio::task::JoinSet;

use crate::stub::{ID, Login, Stub, TTL, at_once, client, pass, password, settle};

const UPSTREAM: Duration = Duration::from_millis(300);

#[tokio::test(start_paused = true)]
async fn a_thousand_concurrent_cold_reads_are_one_call() {
    let stub = Stub::new();
    stub.latency(UPSTREAM);
    let secrets = client(&stub);
    let mut readers = JoinSet::new();
    for _ in 0..1000 {
        let secrets = secrets.clone();
        readers.spawn(async move { secrets.get_secret(ID).await.map(|read| password(&read)) });
    }
    for read in readers.join_all().await {
        assert_eq!(read, Ok("password-1".to_owned()));
    }
    assert_eq!(stub.gets(), 1);
    let stats = secrets.stats();
    assert_eq!((stats.misses, stats.hits, stats.calls), (1000, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_concurrent_cold_reads_that_fail_are_one_call() {
    let stub = Stub::new();
    stub.latency(UPSTREAM);
    stub.fail(StoreErrorKind::Throttled, "ThrottlingException");
    let secrets = client(&stub);
    let mut readers = JoinSet::new();
    for _ in 0..1000 {
        let secrets = secrets.clone();
        readers.spawn(async move { secrets.get_secret(ID).await.map(drop) });
    }
    for read in readers.join_all().await {
        assert!(matches!(read, Err(ClientError::Throttled(_))), "{read:?}");
    }
    assert_eq!(stub.gets(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_readers_at_expiry_are_one_call_and_none_of_them_waits() {
    let stub = Stub::new();
    let secrets = client(&stub);
    secrets.get_secret(ID).await.expect("a secret");
    stub.put(ID, "2");
    stub.latency(UPSTREAM);
    pass(TTL).await;
    for _ in 0..1000 {
        let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
        assert_eq!(password(&read), "password-1");
    }
    pass(UPSTREAM).await;
    assert_eq!(stub.gets(), 2);
    let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
    assert_eq!(password(&read), "password-2");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_refreshes_before_the_time_are_one_call() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    stub.latency(UPSTREAM);
    let mut refreshes = JoinSet::new();
    for _ in 0..1000 {
        let db = db.clone();
        refreshes.spawn(async move { db.refresh().await.map(|c| c.password().to_owned()) });
    }
    for read in refreshes.join_all().await {
        assert_eq!(read, Ok("password-2".to_owned()));
    }
    assert_eq!((stub.gets(), stub.past_caches()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn refreshes_one_after_the_other_keep_their_distance() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    let start = tokio::time::Instant::now();
    for _ in 0..5 {
        db.refresh().await.expect("a login");
    }
    assert_eq!((stub.gets(), start.elapsed()), (6, Duration::from_secs(4)));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_is_not_answered_by_a_question_that_set_out_before() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.latency(UPSTREAM);
    pass(TTL).await;
    // The task that keeps the handle fresh has asked; its answer is under way.
    assert_eq!(stub.gets(), 2);
    stub.latency(Duration::ZERO);
    let current = db.refresh().await.expect("a login");
    assert_eq!((stub.gets(), current.password()), (3, "password-1"));
}

#[tokio::test(start_paused = true)]
async fn the_first_caller_may_go_without_taking_the_answer_along() {
    let stub = Stub::new();
    stub.latency(UPSTREAM);
    let secrets = client(&stub);
    let first = {
        let secrets = secrets.clone();
        tokio::spawn(async move { secrets.get_secret(ID).await.map(drop) })
    };
    settle().await;
    let second = {
        let secrets = secrets.clone();
        tokio::spawn(async move { secrets.get_secret(ID).await.map(|read| password(&read)) })
    };
    settle().await;
    first.abort();
    let read = second.await.expect("no panic");
    assert_eq!(read, Ok("password-1".to_owned()));
    assert_eq!(stub.gets(), 1);
}

#[test]
fn where_the_runtime_of_the_first_caller_ends_the_next_one_asks_anew() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().expect("a runtime")
    };
    let stub = Stub::new();
    stub.mood(crate::stub::Mood::Hangs);
    let (one, two) = (runtime(), runtime());
    let secrets = one.block_on(async {
        let secrets = client(&stub);
        let waiting = secrets.clone();
        tokio::spawn(async move { waiting.get_secret(ID).await.map(drop) });
        settle().await;
        secrets
    });
    assert_eq!(stub.gets(), 1);
    let waiting = two.spawn({
        let secrets = secrets.clone();
        async move { secrets.get_secret(ID).await.map(|read| password(&read)) }
    });
    two.block_on(settle());
    stub.mood(crate::stub::Mood::Answers);
    drop(one);
    let read = two.block_on(waiting).expect("no panic");
    assert_eq!(read, Ok("password-1".to_owned()));
    assert_eq!(stub.gets(), 2);

    // And where none is left, reads of what is held go on, and others say what is missing.
    drop(two);
    let mut none = std::pin::pin!(secrets.get_secret("app/other"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match none.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(Err(ClientError::Interrupted { secret })) => {
            assert_eq!(secret, "app/other".into());
        }
        other => panic!("{other:?}"),
    }
}
