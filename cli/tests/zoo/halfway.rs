//! A rotation that ended too early, or left something behind.

use serde_json::json;

use super::support::{FIRST, OTHER, SECOND, SECRET, Stage, quoted, token};
use super::{doctor, finds, stays, unstick};

#[tokio::test]
async fn z01_a_pending_version_without_a_value() {
    let stage = Stage::start().await;
    stage.secrets().begin_rotation(SECRET, &token(1)).await;
    let json = finds(&stage, &["PendingEmpty"], "roll_forward").await;
    assert_eq!(json["versions"][1]["standing"], "empty");
    let done = unstick(&stage, &[]).await;
    assert_eq!(done["done"]["version"], token(1), "the same version");
    assert_ne!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));
}

#[tokio::test]
async fn z02_created_and_not_set_goes_forward_or_is_discarded_when_old() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    let json = finds(&stage, &["PendingNotSet"], "roll_forward").await;
    assert_eq!(json["discardable"], true);

    // Somebody may be at work with it.
    let young = ["unstick", SECRET, "--yes", "--discard"];
    let ended = stage.json(&young).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (5, &json!("TooYoung"))
    );
    assert_eq!(stage.password("AWSPENDING").await.as_deref(), Some(SECOND));
    unstick(&stage, &["--discard", "--min-age", "0"]).await;
    assert_eq!(stage.password("AWSPENDING").await, None);
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));

    stage.put_pending(2, SECOND).await;
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn z03_set_and_not_published_is_never_discarded() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.set_password(SECOND).await;
    let json = finds(&stage, &["PendingNotPublished"], "roll_forward").await;
    assert_eq!(json["discardable"], false);
    let discard = ["unstick", SECRET, "--yes", "--discard", "--min-age", "0"];
    let ended = stage.json(&discard).await;
    assert_eq!(
        (ended.code, &ended.json()["error"]["code"]),
        (5, &json!("NotSafe"))
    );
    assert_eq!(stage.password("AWSPENDING").await.as_deref(), Some(SECOND));
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

/// Two users that take turns: the second works from setSecret on, and so does the first.
#[tokio::test]
async fn z04_both_work() {
    let stage = Stage::start().await;
    let admin = json!({"username": "postgres", "password": stage.postgres.superuser_password()});
    stage
        .secrets()
        .create_secret("Demo/admin", &admin.to_string())
        .await;
    let value = |user: &str, password: &str| {
        let mut value = stage.value(password);
        value["username"] = user.into();
        value["masterarn"] = "Demo/admin".into();
        value.to_string()
    };
    stage.put(1, "AWSCURRENT", &value("app", FIRST)).await;
    stage
        .put(2, "AWSPENDING", &value("app_clone", SECOND))
        .await;
    let create = format!("CREATE ROLE app_clone LOGIN PASSWORD {}", quoted(SECOND));
    stage.sql(&create).await;

    let mut command = stage.command(&["doctor", SECRET, "--json"]);
    command.env("STRATEGY", "alternating_users");
    let ended = stage.end(command).await;
    assert_eq!(ended.codes(), ["BothAccepted"], "{ended:?}");
    assert_eq!(
        (ended.code, &ended.json()["discardable"]),
        (3, &json!(false))
    );

    let mut command = stage.command(&["unstick", SECRET, "--yes", "--json"]);
    command.env("STRATEGY", "alternating_users");
    let ended = stage.end(command).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
    assert!(stage.current_works().await);
}

#[tokio::test]
async fn z05_neither_works_or_only_the_one_before() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    stage.set_password(OTHER).await;
    finds(&stage, &["NoCredentialAccepted"], "none").await;
    stays(&stage).await;

    // AWSPREVIOUS has what works: the engine logs in with that.
    let other = stage.value(OTHER).to_string();
    stage.put(2, "AWSPREVIOUS", &other).await;
    finds(&stage, &["OnlyPreviousAccepted"], "roll_forward").await;
    unstick(&stage, &[]).await;
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn z06_pending_on_the_current_version_is_how_a_rotation_ends() {
    let stage = Stage::start().await;
    stage.run(&["run", SECRET]).await;
    let (codes, repair, ended) = doctor(&stage, &[]).await;
    assert_eq!(codes, ["PendingOnCurrent"]);
    assert_eq!((repair.as_str(), ended.code), ("none", 0));
    stage.store.reset();
    let ended = stage.json(&["unstick", SECRET, "--yes"]).await;
    assert_eq!(ended.code, 0);
    assert_eq!(stage.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn z07_the_pending_version_belongs_to_an_older_token() {
    let stage = Stage::start().await;
    stage.put_pending(1, SECOND).await;
    let asked = token(2);
    let (codes, repair, ended) = doctor(&stage, &["--asked", &asked]).await;
    assert_eq!(codes, ["ForeignPending", "PendingNotSet"], "{ended:?}");
    assert_eq!((repair.as_str(), ended.code), ("none", 3));
    let cause = ended.json()["findings"][0]["cause"].clone();
    assert!(
        cause.as_str().is_some_and(|it| it.contains(&token(1))),
        "{cause}"
    );
    let done = unstick(&stage, &[]).await;
    assert_eq!(done["done"]["version"], token(1));
}

#[tokio::test]
async fn z12_the_pending_value_cannot_be_used() {
    let stage = Stage::start().await;
    let mut moved = stage.value(SECOND);
    moved["host"] = "elsewhere.example".into();
    let mut lacking = stage.value(SECOND);
    lacking
        .as_object_mut()
        .expect("an object")
        .remove("password");
    for (n, text, code) in [
        (
            1,
            "{\"password\": \"sentinel-that-nobody-knows\"".to_owned(),
            "InvalidSecret",
        ),
        (2, lacking.to_string(), "InvalidSecret"),
        // What is not presented, since the host may be somebody else's.
        (3, moved.to_string(), "PendingAltered"),
    ] {
        stage.put(n, "AWSPENDING", &text).await;
        let json = finds(&stage, &[code], "discard").await;
        assert_eq!(json["discardable"], true);
        let done = unstick(&stage, &["--min-age", "0"]).await;
        assert_eq!(done["done"]["version"], token(n));
    }
    assert_eq!(stage.password("AWSCURRENT").await.as_deref(), Some(FIRST));

    // Where the current value does not work either, nothing is known to be safe.
    stage.put(4, "AWSPENDING", "no JSON").await;
    stage.set_password(OTHER).await;
    finds(&stage, &["InvalidSecret"], "none").await;
    stays(&stage).await;
}

#[tokio::test]
async fn z14_a_test_of_the_rotation_left_the_current_value_as_pending() {
    let stage = Stage::start().await;
    stage.put_pending(1, FIRST).await;
    let json = finds(&stage, &["PendingIsCurrent"], "discard").await;
    assert_eq!(json["versions"][1]["standing"], "same");
    unstick(&stage, &["--min-age", "0"]).await;
    assert_eq!(stage.password("AWSPENDING").await, None);
}
