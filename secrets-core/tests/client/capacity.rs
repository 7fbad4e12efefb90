//! The number of secrets that are held is bounded, and versions are held by themselves.

use std::time::Duration;

use secrets_core::store::{Label, Version};

use crate::stub::{ID, Login, Stub, TTL, builder, client, pass, password};

#[tokio::test(start_paused = true)]
async fn what_nobody_reads_goes_first_and_handles_stay() {
    let stub = Stub::new();
    let secrets = builder(&stub).0.capacity(4).build();
    let db = secrets.secret::<Login>(ID).await.expect("a login");
    for n in 0..100 {
        let id = format!("app/{n}");
        stub.put(&id, "1");
        secrets.get_secret(&id).await.expect("a secret");
    }
    assert_eq!(secrets.stats().evictions, 97);
    let before = stub.gets();
    assert_eq!(db.current().expect("a login").password(), "password-1");
    secrets.get_secret(ID).await.expect("a secret");
    assert_eq!(stub.gets(), before);

    // A handle that outlives everything still learns of new versions.
    stub.put(ID, "2");
    pass(TTL).await;
    assert_eq!(db.current().expect("a login").password(), "password-2");
}

#[tokio::test(start_paused = true)]
async fn what_is_read_all_the_time_is_not_evicted_by_what_is_read_once() {
    let stub = Stub::new();
    let secrets = builder(&stub).0.capacity(4).build();
    secrets.get_secret(ID).await.expect("a secret");
    let mut again = 0;
    for n in 0..100 {
        let before = stub.gets();
        secrets.get_secret(ID).await.expect("a secret");
        again += stub.gets() - before;
        let id = format!("app/{n}");
        stub.put(&id, "1");
        secrets.get_secret(&id).await.expect("a secret");
    }
    // One in a while it is the one that is met when all have been read since the last time.
    assert!(again < 50, "evicted {again} times out of 100");
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_not_there_do_not_pile_up() {
    let stub = Stub::new();
    let secrets = builder(&stub).0.capacity(4).build();
    for n in 0..100 {
        secrets
            .get_secret(format!("none/{n}"))
            .await
            .expect_err("none");
    }
    assert_eq!(secrets.stats().evictions, 96);
}

#[tokio::test(start_paused = true)]
async fn a_version_is_held_longer_and_a_label_as_long_as_any_value() {
    let stub = Stub::new();
    stub.put(ID, "2");
    let secrets = client(&stub);
    let first = Version::Id("1".into());
    let previous = Version::Labelled(Label::Previous);
    for _ in 0..3 {
        for version in [&first, &previous] {
            let read = secrets.get_secret_version(ID, version).await;
            assert_eq!(password(&read.expect("a version")), "password-1");
        }
    }
    assert_eq!(stub.gets(), 2);
    // The current label leads to the entry that `get_secret` uses.
    secrets.get_secret(ID).await.expect("a secret");
    let current = secrets.get_secret_version(ID, &Version::CURRENT).await;
    assert_eq!(password(&current.expect("a version")), "password-2");
    assert_eq!(stub.gets(), 3);

    pass(TTL).await;
    stub.put(ID, "3");
    for version in [&first, &previous] {
        secrets
            .get_secret_version(ID, version)
            .await
            .expect("a version");
    }
    pass(Duration::ZERO).await;
    assert_eq!(stub.gets(), 4);
    let read = secrets.get_secret_version(ID, &previous).await;
    assert_eq!(password(&read.expect("a version")), "password-2");
    pass(Duration::from_hours(1)).await;
    secrets
        .get_secret_version(ID, &first)
        .await
        .expect("a version");
    pass(Duration::ZERO).await;
    assert_eq!(stub.gets(), 5);
}
