//! Many secrets in few calls, and a configuration made of several.

use std::time::Duration;

use secrets_core::client::ClientError;
use secrets_core::store::{StoreErrorKind, Version};

use crate::stub::{Login, Mood, Stub, client, password};

fn many(count: usize) -> (Stub, Vec<String>) {
    let stub = Stub::default();
    let ids: Vec<String> = (0..count).map(|n| format!("app/{n}")).collect();
    for id in &ids {
        stub.put(id, "1");
    }
    (stub, ids)
}

#[tokio::test(start_paused = true)]
async fn twenty_secrets_are_one_call_and_fill_the_same_entries() {
    let (stub, ids) = many(45);
    let secrets = client(&stub);
    secrets.prefetch(&ids).await.expect("all of them");
    assert_eq!((stub.batches(), stub.gets()), (vec![20, 20, 5], 0));
    for id in &ids {
        let read = secrets.get_secret(id).await.expect("a secret");
        assert_eq!(password(&read), "password-1");
    }
    secrets.prefetch(&ids).await.expect("all of them");
    assert_eq!((stub.batches().len(), stub.gets()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn reads_while_they_are_on_their_way_wait_for_the_same_call() {
    let (stub, ids) = many(5);
    stub.latency(Duration::from_millis(300));
    let secrets = client(&stub);
    let (all, one) = tokio::join!(secrets.prefetch(&ids), secrets.get_secret("app/3"));
    all.expect("all of them");
    one.expect("a secret");
    assert_eq!((stub.batches(), stub.gets()), (vec![5], 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_missing_is_named_and_the_others_are_there() {
    let (stub, mut ids) = many(3);
    ids.insert(1, "app/none".into());
    let secrets = client(&stub);
    let fault = secrets.prefetch(&ids).await.expect_err("one is missing");
    assert!(
        matches!(&fault, ClientError::ResourceNotFound(fault) if fault.secret == "app/none".into()),
        "{fault:?}"
    );
    for id in ["app/0", "app/1", "app/2"] {
        secrets.get_secret(id).await.expect("a secret");
    }
    assert_eq!(stub.gets(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_ask_for_many_each_is_asked_for() {
    let (stub, ids) = many(30);
    stub.batch_mood(Mood::Fails(StoreErrorKind::Denied, "AccessDeniedException"));
    stub.latency(Duration::from_millis(300));
    let secrets = client(&stub);
    let start = tokio::time::Instant::now();
    secrets.prefetch(&ids).await.expect("all of them");
    assert_eq!(stub.gets(), 30);
    // All at the same time.
    assert_eq!(start.elapsed(), Duration::from_millis(600));
}

#[tokio::test(start_paused = true)]
async fn where_the_store_is_throttled_it_is_not_asked_for_each() {
    let (stub, ids) = many(30);
    stub.batch_mood(Mood::Fails(
        StoreErrorKind::Throttled,
        "ThrottlingException",
    ));
    let secrets = client(&stub);
    let fault = secrets.prefetch(&ids).await.expect_err("throttled");
    assert!(matches!(fault, ClientError::Throttled(_)), "{fault:?}");
    assert_eq!((stub.batches().len(), stub.gets()), (2, 0));
}

struct Config {
    db: Login,
    key: String,
}

#[tokio::test(start_paused = true)]
async fn a_configuration_is_made_of_several_secrets_in_one_call() {
    let (stub, _) = many(2);
    let secrets = client(&stub);
    let load = || {
        secrets.load(["app/0", "app/1"], |s| {
            Ok(Config {
                db: s.get("app/0")?,
                key: password(s.secret("app/1")?),
            })
        })
    };
    let config = load().await.expect("a configuration");
    assert_eq!(
        (config.db.password(), config.key.as_str()),
        ("password-1", "password-1")
    );
    load().await.expect("a configuration");
    assert_eq!((stub.batches(), stub.gets()), (vec![2], 0));

    let fault = secrets.load(["app/0"], |s| s.get::<Login>("app/1")).await;
    let fault = fault.err().expect("not asked for");
    assert_eq!(
        fault.to_string(),
        "`app/1` is not among the secrets that were loaded; name it in the call of `load`"
    );
    assert!(
        stub.asked()
            .iter()
            .all(|(_, version)| *version == Version::CURRENT)
    );
}
