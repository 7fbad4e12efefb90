//! With labels and dates: values are not read without need, and rotations are seen early.

use std::time::{Duration, SystemTime};

use secrets_core::client::SecretsClient;
use secrets_core::store::StoreErrorKind;

use crate::stub::{ID, Login, Mood, SECOND, Stub, TTL, builder, pass};

fn following(stub: &Stub) -> SecretsClient {
    builder(stub).0.follow_rotations().build()
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_still_current_is_not_read_again() {
    let stub = Stub::new();
    let secrets = following(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    pass(TTL * 5).await;
    assert!(!db.current().expect("a login").is_stale());
    assert_eq!((stub.gets(), stub.describes()), (1, 6));
    stub.put(ID, "2");
    pass(TTL).await;
    assert_eq!(db.current().expect("a login").password(), "password-2");
    assert_eq!((stub.gets(), stub.describes()), (2, 7));
}

#[tokio::test(start_paused = true)]
async fn while_a_rotation_is_under_way_the_secret_is_watched() {
    let stub = Stub::new();
    let secrets = following(&stub);
    let id = ID.into();
    stub.store
        .begin_rotation(&id, &"2".into())
        .expect("a rotation");
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    pass(Duration::from_secs(20)).await;
    assert_eq!((stub.gets(), stub.describes()), (1, 5));
    stub.begin("2").await;
    stub.publish("1", "2").await;
    pass(Duration::from_secs(5)).await;
    assert_eq!(db.current().expect("a login").password(), "password-2");
    assert_eq!(stub.gets(), 2);
    // And then no more.
    let before = stub.describes();
    pass(TTL.saturating_sub(SECOND * 10)).await;
    assert_eq!(stub.describes(), before);
}

#[tokio::test(start_paused = true)]
async fn around_the_date_of_the_next_rotation_the_secret_is_watched() {
    let stub = Stub::new();
    // The clock of the tests starts there.
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    stub.next_rotation(start + Duration::from_hours(10));
    let ttl = Duration::from_hours(24);
    let secrets = builder(&stub).0.ttl(ttl).follow_rotations().build();
    let _db = secrets.secret::<Login>(ID).await.expect("a login");
    pass(Duration::from_hours(9).saturating_sub(SECOND)).await;
    assert_eq!(stub.describes(), 1);
    pass(Duration::from_hours(1)).await;
    assert_eq!(stub.describes(), 1 + 60);
}

#[tokio::test(start_paused = true)]
async fn where_describe_is_denied_values_are_read_as_without_it() {
    let stub = Stub::new();
    let denied = Mood::Fails(StoreErrorKind::Denied, "AccessDeniedException");
    stub.describe_mood(denied);
    let secrets = following(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.put(ID, "2");
    pass(TTL * 3).await;
    assert_eq!(db.current().expect("a login").password(), "password-2");
    assert_eq!((stub.gets(), stub.describes()), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn where_describe_fails_the_value_goes_on_being_served() {
    let stub = Stub::new();
    let secrets = following(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.describe_mood(Mood::Fails(
        StoreErrorKind::Throttled,
        "ThrottlingException",
    ));
    pass(TTL + Duration::from_secs(1)).await;
    assert_eq!(db.current().expect("a login").password(), "password-1");
    assert!(db.current().expect("a login").is_stale());
    assert_eq!(stub.gets(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_is_dropped_although_its_labels_are_still_there() {
    let stub = Stub::new();
    let secrets = following(&stub);
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    stub.store.delete(&ID.into()).expect("a secret");
    pass(TTL).await;
    assert!(!db.current().expect_err("deleted").is_transient());
}

#[tokio::test(start_paused = true)]
async fn the_first_read_does_not_wait_for_the_dates() {
    let stub = Stub::new();
    stub.describe_mood(Mood::Hangs);
    let secrets = following(&stub);
    let start = tokio::time::Instant::now();
    secrets.get_secret(ID).await.expect("a secret");
    assert_eq!(start.elapsed(), Duration::ZERO);
}
