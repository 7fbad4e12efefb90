//! Applications that log in without a pause while rotations go by.

use harness::redshift::StoredAs;
use rotators::redshift::SingleUser;
use secrets_core::rotation::Rotation;
use secrets_core::rotator::Rotator;
use secrets_core::store::memory::MemoryStore;
use serde_json::json;

use crate::readers::{Pending, Seen, under_load};
use crate::support::{Fixture, settings};

const ROTATIONS: usize = 50;
/// Each of them costs some refusals where that is what is looked for.
const A_FEW: usize = 10;

async fn fixture() -> Fixture {
    let fixture = Fixture::start("app", StoredAs::Md5).await;
    // Handshakes of debug builds would be most of the time.
    fixture.put_current("plain", &json!({"ssl": false}));
    fixture
}

async fn seen<R: Rotator>(
    fixture: &Fixture,
    rotation: &Rotation<MemoryStore, R>,
    pending: Pending,
    rotations: usize,
) -> Seen {
    let target = SingleUser::new(fixture.store.clone(), settings());
    let seen = under_load(
        &fixture.store,
        &"s".into(),
        rotation,
        target,
        pending,
        rotations,
    )
    .await;
    println!("Redshift, AWSPENDING {pending:?}: {rotations} rotations, {seen:?}");
    seen
}

#[tokio::test]
async fn no_login_fails_while_users_take_turns() {
    let fixture = fixture().await;
    let seen = seen(&fixture, &fixture.pair(), Pending::Left, ROTATIONS).await;
    assert_eq!(seen.failed, 0);
}

#[tokio::test]
async fn no_login_of_one_user_fails_where_what_is_pending_is_tried() {
    let fixture = fixture().await;
    let seen = seen(&fixture, &fixture.single(), Pending::Tried, ROTATIONS).await;
    assert_eq!(seen.failed, 0);
    assert!(seen.refused >= ROTATIONS, "the gap was there: {seen:?}");
}

/// The counter-check: the gap that the profile declares.
#[tokio::test]
async fn logins_of_one_user_fail_where_it_is_not() {
    let fixture = fixture().await;
    let seen = seen(&fixture, &fixture.single(), Pending::Left, A_FEW).await;
    assert!(seen.failed >= A_FEW, "{seen:?}");
    assert!(seen.failed < seen.logins, "it ends: {seen:?}");
}
