//! A value that is due is served while one task asks; a store that does not answer takes nothing away.

use std::time::Duration;

use secrets_core::client::ClientError;
use secrets_core::store::StoreErrorKind;

use crate::stub::{
    ID, Login, MAX_STALE, Mood, SECOND, Stub, TIMEOUT, TTL, at_once, builder, client, pass,
    password,
};

#[tokio::test(start_paused = true)]
async fn a_fresh_value_is_not_asked_for() {
    let stub = Stub::new();
    let secrets = client(&stub);
    for _ in 0..100 {
        secrets.get_secret(ID).await.expect("a secret");
        pass(TTL / 101).await;
    }
    assert_eq!(stub.gets(), 1);
    assert_eq!((secrets.stats().misses, secrets.stats().hits), (1, 99));
}

#[tokio::test(start_paused = true)]
async fn an_expired_value_is_served_while_one_task_asks() {
    let stub = Stub::new();
    let secrets = client(&stub);
    secrets.get_secret(ID).await.expect("a secret");
    stub.put(ID, "2");
    pass(TTL).await;
    let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
    assert_eq!(
        (password(&read), read.version().as_str()),
        ("password-1".into(), "1")
    );
    pass(Duration::ZERO).await;
    let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
    assert_eq!(
        (password(&read), read.version().as_str()),
        ("password-2".into(), "2")
    );
    assert_eq!(stub.gets(), 2);
    let stats = secrets.stats();
    assert_eq!((stats.rotations, stats.stale_reads), (1, 1));
    assert_eq!(stats.max_age, TTL);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_delays_nobody_who_holds_a_value() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.mood(Mood::Hangs);
    pass(TTL).await;
    for second in 0..600 {
        at_once(secrets.get_secret(ID)).await.expect("a secret");
        let current = db.current().expect("a login");
        assert!(current.is_stale(), "after {second} s");
        pass(Duration::from_secs(1)).await;
    }
    // One call at a time, each given up after its time; then a pause that grows from 1 s to a minute.
    let (mut asked, mut time) = (1, Duration::ZERO);
    for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60] {
        time += TIMEOUT + Duration::from_secs(pause);
        if time <= Duration::from_mins(10) {
            asked += 1;
        }
    }
    assert_eq!(stub.gets(), 1 + asked);
}

#[tokio::test(start_paused = true)]
async fn who_holds_nothing_waits_no_longer_than_the_time_out() {
    let stub = Stub::new();
    stub.mood(Mood::Hangs);
    let secrets = client(&stub);
    let start = tokio::time::Instant::now();
    let fault = secrets.get_secret(ID).await.expect_err("no answer");
    assert_eq!(
        (&fault, start.elapsed()),
        (
            &ClientError::TimedOut {
                secret: ID.into(),
                after: TIMEOUT
            },
            TIMEOUT
        )
    );
    assert!(fault.is_transient());
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_keeps_the_value_and_is_not_asked_on_every_read() {
    for (kind, code) in [
        (StoreErrorKind::Throttled, "ThrottlingException"),
        (StoreErrorKind::Unavailable, "InternalServiceError"),
        (StoreErrorKind::Denied, "ExpiredTokenException"),
        (StoreErrorKind::Denied, "InvalidSignatureException"),
    ] {
        let stub = Stub::new();
        let secrets = client(&stub);
        secrets.get_secret(ID).await.expect("a secret");
        stub.fail(kind, code);
        pass(TTL).await;
        for _ in 0..60 {
            let read = at_once(secrets.get_secret(ID)).await.expect(code);
            assert_eq!(password(&read), "password-1");
            pass(Duration::from_secs(1)).await;
        }
        // At 0 s, and after pauses of 1, 2, 4, 8, 16 and 32 s; the last one is not over yet.
        assert_eq!(stub.gets(), 1 + 6, "{code}");
        stub.mood(Mood::Answers);
        stub.put(ID, "2");
        pass(Duration::from_mins(1)).await;
        secrets.get_secret(ID).await.expect("a secret");
        pass(Duration::ZERO).await;
        let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
        assert_eq!(password(&read), "password-2", "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_nobody_could_confirm_for_max_stale_is_not_served() {
    let stub = Stub::new();
    let secrets = client(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.fail(StoreErrorKind::Throttled, "ThrottlingException");
    pass(TTL.saturating_add(MAX_STALE).saturating_sub(SECOND)).await;
    secrets.get_secret(ID).await.expect("still served");
    db.current().expect("still served");
    pass(Duration::from_secs(1)).await;
    for fault in [
        secrets.get_secret(ID).await.expect_err("too old"),
        db.current().expect_err("too old"),
    ] {
        let ClientError::Stale { secret, age, cause } = &fault else {
            panic!("{fault:?}");
        };
        assert_eq!((secret, *age), (&ID.into(), TTL + MAX_STALE));
        assert!(
            matches!(cause.as_deref(), Some(ClientError::Throttled(_))),
            "{cause:?}"
        );
        assert!(fault.is_transient());
        assert_eq!(
            fault.fault().and_then(|fault| fault.code.as_deref()),
            Some("ThrottlingException")
        );
    }
    // It is still held, and one answer is enough.
    stub.mood(Mood::Answers);
    pass(Duration::from_secs(61)).await;
    let read = db.get().await.expect("a login");
    assert_eq!(read.password(), "password-1");
}

#[tokio::test(start_paused = true)]
async fn a_value_beyond_max_stale_that_nobody_tried_to_confirm_is_asked_for_and_waited_for() {
    let stub = Stub::new();
    let secrets = builder(&stub).0.max_stale(Duration::ZERO).build();
    secrets.get_secret(ID).await.expect("a secret");
    stub.put(ID, "2");
    pass(TTL * 100).await;
    let read = secrets.get_secret(ID).await.expect("a secret");
    assert_eq!(password(&read), "password-2");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_comes_and_goes_starts_its_pauses_anew() {
    let stub = Stub::new();
    let secrets = client(&stub);
    secrets.get_secret(ID).await.expect("a secret");
    for round in 0..5 {
        stub.fail(StoreErrorKind::Unavailable, "InternalServiceError");
        pass(TTL).await;
        let before = stub.gets();
        for _ in 0..4 {
            secrets.get_secret(ID).await.expect("a secret");
            pass(Duration::from_secs(1)).await;
        }
        // At 0, 1 and 3 s.
        assert_eq!(stub.gets() - before, 3, "round {round}");
        stub.mood(Mood::Answers);
        pass(Duration::from_secs(4)).await;
        secrets.get_secret(ID).await.expect("a secret");
        pass(Duration::ZERO).await;
        assert_eq!(stub.gets() - before, 4, "round {round}");
    }
}
