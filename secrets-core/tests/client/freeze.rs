//! A process that was frozen, or whose clock was set: age is what the older of two clocks says.

use std::time::Duration;

use crate::stub::{ID, Login, Mood, SECOND, Stub, TTL, at_once, builder, pass, password, settle};

#[tokio::test(start_paused = true)]
async fn the_first_read_after_a_thaw_asks_without_waiting() {
    let stub = Stub::new();
    let (builder, clock) = builder(&stub);
    let secrets = builder.build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    // No timer has gone on.
    clock.freeze(TTL * 3);
    assert_eq!(stub.gets(), 1);
    let current = db.current().expect("a login");
    assert_eq!((current.password(), current.age()), ("password-1", TTL * 3));
    assert!(current.is_stale());
    settle().await;
    assert_eq!(stub.gets(), 2);
    assert_eq!(db.current().expect("a login").password(), "password-2");

    clock.freeze(TTL);
    stub.mood(Mood::Hangs);
    let read = at_once(secrets.get_secret(ID)).await.expect("a secret");
    assert_eq!(password(&read), "password-2");
    settle().await;
    assert_eq!(stub.gets(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_makes_no_value_fresh_for_long() {
    let stub = Stub::new();
    let (builder, clock) = builder(&stub);
    let secrets = builder.build();
    secrets.get_secret(ID).await.expect("a secret");
    pass(TTL / 2).await;
    // Further than the value is old: the next read notices, and asks when the other clock says so.
    clock.set_back(Duration::from_hours(8760));
    secrets.get_secret(ID).await.expect("a secret");
    assert_eq!(stub.gets(), 1);
    pass(TTL / 2).await;
    secrets.get_secret(ID).await.expect("a secret");
    settle().await;
    assert_eq!(stub.gets(), 2);

    // By less than that: nobody notices, but it is no more than once again as long.
    pass(TTL / 2).await;
    clock.set_back(TTL / 2);
    pass(TTL.saturating_sub(SECOND)).await;
    secrets.get_secret(ID).await.expect("a secret");
    settle().await;
    assert_eq!(stub.gets(), 2);
    pass(Duration::from_secs(1)).await;
    secrets.get_secret(ID).await.expect("a secret");
    settle().await;
    assert_eq!(stub.gets(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_forward_costs_one_call() {
    let stub = Stub::new();
    let (builder, clock) = builder(&stub);
    let secrets = builder.build();
    secrets.get_secret(ID).await.expect("a secret");
    clock.freeze(Duration::from_hours(1));
    for _ in 0..100 {
        secrets.get_secret(ID).await.expect("a secret");
        settle().await;
    }
    assert_eq!(stub.gets(), 2);
}
