//! Rotations without a fault, request by request.

use std::time::Duration;

use harness::token_server::{Mint, Proof, Rules};
use secrets_core::rotation::{Outcome, Reason};
use secrets_core::rotator::RotatorErrorKind;
use secrets_core::store::Label;
use serde_json::json;

use crate::{CLIENT, CLIENT_SECRET, Stage};

const OUTCOMES: [Outcome; 4] = [
    Outcome::Created,
    Outcome::AlreadySet,
    Outcome::Tested,
    Outcome::Promoted,
];

/// What is asked in the second rotation, and which of the tokens 0 to 3 live after the third.
async fn revoking(when: &str) -> (String, [bool; 4]) {
    let mut stage = Stage::start().await;
    stage.configuration["revoke"] = json!({"url": stage.server.url("revoke"), "when": when});
    let mut tokens = vec![stage.current().await];
    let mut asked = String::new();
    for n in 1..=3 {
        stage.begin(n);
        stage.server.reset();
        assert_eq!(stage.send_all(n).await.expect("a rotation"), OUTCOMES);
        if n == 2 {
            asked = stage.server.endpoints();
        }
        let token = stage.current().await;
        assert!(stage.server.serves(&token));
        assert!(!tokens.contains(&token), "a new token each time");
        assert_eq!(
            stage.text(Label::Current, "token_type").await.as_deref(),
            Some("Bearer")
        );
        assert_eq!(stage.text(Label::Current, "expires_at").await, None);
        tokens.push(token);
    }
    let lives = |n: usize| stage.server.serves(&tokens[n]);
    (asked, [lives(0), lives(1), lives(2), lives(3)])
}

#[tokio::test]
async fn old_tokens_are_revoked_when_it_was_asked_for() {
    for (when, asked, live) in [
        (
            "when_superseded",
            "token resource resource resource revoke",
            [false, false, true, true],
        ),
        (
            "after_promotion",
            "token resource resource resource revoke",
            [false, false, false, true],
        ),
        (
            "before_mint",
            "revoke token resource resource resource",
            [false, false, false, true],
        ),
        ("never", "token resource resource resource", [true; 4]),
    ] {
        let (requests, alive) = revoking(when).await;
        assert_eq!(requests, asked, "{when}");
        assert_eq!(alive, live, "{when}");
    }
}

#[tokio::test]
async fn a_secret_without_a_token_gets_its_first() {
    let stage = Stage::start().await;
    stage.put(&json!({"client_id": CLIENT, "client_secret": CLIENT_SECRET}));
    stage.rotate(1).await;
    assert!(stage.server.serves(&stage.current().await));
}

#[tokio::test]
async fn the_client_may_be_in_a_secret_of_its_own() {
    let stage = Stage::start().await;
    stage.put(&json!({"access_token": stage.server.issue(CLIENT), "masterarn": "shop/client"}));
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    assert!(
        fault
            .to_string()
            .starts_with("the client's secret (`masterarn`) was not read: "),
        "{fault}"
    );
    assert!(stage.server.requests().is_empty());
    stage.put_as("shop/client", &json!({"client_id": CLIENT}));
    let fault = stage.fails(1).await.to_string();
    assert!(
        fault.starts_with("in the client's secret (`masterarn`) `client_secret` is missing"),
        "{fault}"
    );
    stage.put_as(
        "shop/client",
        &json!({"client_id": CLIENT, "client_secret": CLIENT_SECRET, "more": 1}),
    );
    stage.send_all(1).await.expect("a rotation");
    assert!(stage.server.serves(&stage.current().await));
}

#[tokio::test]
async fn the_end_of_a_token_is_told_and_never_that_of_another_one() {
    let stage = Stage::with(Rules {
        expires_in: Some(86_400),
        ..Rules::default()
    })
    .await;
    stage.rotate(1).await;
    let end = stage.text(Label::Current, "expires_at").await;
    let end: u64 = end.expect("an end").parse().expect("seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let left = end - now.expect("a time after 1970").as_secs();
    assert!((86_000..=86_400).contains(&left), "{left}");

    stage.server.set_rules(|rules| rules.expires_in = None);
    stage.rotate(2).await;
    let document = {
        use secrets_core::store::{SecretReader, Version};
        let id = crate::SECRET.into();
        stage
            .store
            .get(&id, &Version::CURRENT)
            .await
            .expect("a version")
            .document
    };
    let fault = document.text("expires_at").expect_err("empty").to_string();
    assert!(fault.starts_with("`expires_at` is empty"), "{fault}");
}

#[tokio::test]
async fn a_token_that_lives_too_short_is_refused_with_what_to_do() {
    let mut stage = Stage::with(Rules {
        expires_in: Some(3600),
        ..Rules::default()
    })
    .await;
    let before = stage.current().await;
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    for words in ["lives for 3600 seconds", "4 hours", "cache them"] {
        assert!(fault.to_string().contains(words), "{words}: {fault}");
    }
    assert_eq!(stage.current().await, before);

    for (hours, seconds, fits) in [(4, 28_800, true), (4, 28_799, false), (24, 100_000, false)] {
        stage.configuration["rotation_interval_hours"] = json!(hours);
        stage
            .server
            .set_rules(|rules| rules.expires_in = Some(seconds));
        if fits {
            stage.send_all(1).await.expect("a rotation");
            stage.begin(2);
        } else {
            stage.fails(2).await;
        }
    }
}

#[tokio::test]
async fn a_provider_of_one_token_wants_it_revoked_first() {
    let mut stage = Stage::with(Rules {
        mint: Mint::Singleton,
        ..Rules::default()
    })
    .await;
    let before = stage.current().await;
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Misconfigured);
    assert!(fault.to_string().contains("before_mint"), "{fault}");
    assert!(stage.server.serves(&before), "nothing was lost");

    stage.configuration["revoke"] =
        json!({"url": stage.server.url("revoke"), "when": "before_mint"});
    stage.send_all(1).await.expect("a rotation");
    assert!(!stage.server.serves(&before));
    assert!(stage.server.serves(&stage.current().await));
}

#[tokio::test]
async fn a_token_that_takes_a_while_to_work_is_waited_for() {
    let mut stage = Stage::with(Rules {
        propagation: 2,
        ..Rules::default()
    })
    .await;
    stage.configuration["propagation_seconds"] = json!(30);
    stage.begin(1);
    let outcomes = stage.send_all(1).await.expect("a rotation");
    assert_eq!(outcomes[1], Outcome::Set);
    assert_eq!(
        stage.server.endpoints(),
        "token resource resource resource resource resource resource",
        "refused, the current one accepted, refused once more, accepted; two steps more"
    );
}

#[tokio::test]
async fn a_token_that_never_works_is_discarded_and_another_one_made() {
    let mut stage = Stage::with(Rules {
        propagation: 1000,
        ..Rules::default()
    })
    .await;
    let before = stage.current().await;
    stage.configuration["propagation_seconds"] = json!(1);
    stage.begin(1);
    let fault = stage.send_all(1).await.expect_err("never");
    assert!(
        matches!(
            fault.reason,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    assert_eq!(stage.current().await, before);
    stage.server.set_rules(|rules| rules.propagation = 0);
    stage.rotate(2).await;
}

#[tokio::test]
async fn where_the_step_ends_first_the_token_is_kept() {
    let mut stage = Stage::with(Rules {
        propagation: 3,
        ..Rules::default()
    })
    .await;
    stage.configuration["propagation_seconds"] = json!(120);
    stage.begin(1);
    let step = Duration::from_millis(900);
    let fault = stage.fails_within(step, 1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Unreachable);
    assert!(fault.to_string().contains("does not work yet"), "{fault}");
    let minted = stage.text(Label::Pending, "access_token").await;
    stage.send_all(1).await.expect("one more try");
    assert_eq!(stage.text(Label::Current, "access_token").await, minted);
}

#[tokio::test]
async fn a_token_can_be_asked_about_instead_of_used() {
    let mut stage = Stage::start().await;
    let configuration = stage.configuration.as_object_mut().expect("an object");
    configuration.remove("test");
    stage.configuration["introspect"] = json!({"url": stage.server.url("introspect")});
    stage.begin(1);
    stage.send_all(1).await.expect("a rotation");
    assert_eq!(
        stage.server.endpoints(),
        "token introspect introspect introspect"
    );

    // A pending token that was revoked is told from one that could not be asked about.
    stage.begin(2);
    stage.server.reset();
    stage.server.fault_at(
        2,
        harness::proxy::Fault::Before(harness::token_server::Misbehaviour::Drop),
    );
    stage.fails(2).await;
    let pending = stage
        .text(Label::Pending, "access_token")
        .await
        .expect("a token");
    stage.server.revoke(&pending);
    stage.server.reset();
    let fault = stage.send_all(2).await.expect_err("a dead token");
    assert!(
        matches!(
            fault.reason,
            Reason::ValueRefused {
                discarded: true,
                ..
            }
        ),
        "{fault:?}"
    );
    stage.rotate(3).await;
    // The client itself is refused: that says nothing of the token.
    stage.begin(4);
    stage.server.reset();
    let gone = harness::token_server::Misbehaviour::answer(401, r#"{"error": "invalid_client"}"#);
    stage
        .server
        .fault_at(2, harness::proxy::Fault::Before(gone));
    let fault = stage.fails(4).await;
    assert_eq!(fault.code(), Some("401/invalid_client"));
    stage.send_all(4).await.expect("one more try");
}

#[tokio::test]
async fn a_client_that_is_gone_is_named_as_the_one_to_check() {
    let stage = Stage::start().await;
    let before = stage.current().await;
    stage.server.remove_client(CLIENT);
    stage.begin(1);
    let fault = stage.fails(1).await;
    assert_eq!(fault.kind(), RotatorErrorKind::Refused);
    assert_eq!(fault.code(), Some("401/invalid_client"));
    assert!(
        fault
            .to_string()
            .contains("check `client_id` and `client_secret` in the secret"),
        "{fault}"
    );
    assert!(stage.server.serves(&before));
    stage
        .server
        .add_client(CLIENT, Proof::Basic(CLIENT_SECRET.to_owned()));
    stage.send_all(1).await.expect("one more try");
}

#[tokio::test]
async fn revocation_that_was_done_by_others_is_a_success() {
    for (status, gone, done) in [
        (200, vec![], true),
        (404, vec![404, 410], true),
        (404, vec![], false),
    ] {
        let mut stage = Stage::start().await;
        let mut revoke = json!({"url": stage.server.url("revoke"), "when": "after_promotion"});
        if !gone.is_empty() {
            revoke["already_gone"] = json!(gone);
        }
        stage.configuration["revoke"] = revoke;
        stage.begin(1);
        let reply = harness::token_server::Misbehaviour::answer(status, "");
        stage
            .server
            .fault_at(5, harness::proxy::Fault::Before(reply));
        if done {
            stage.send_all(1).await.expect("a rotation");
        } else {
            stage.fails(1).await;
            stage.server.reset();
            stage.send_all(1).await.expect("one more try");
            assert_eq!(stage.server.live(), 1, "revoked after all");
        }
    }
}
