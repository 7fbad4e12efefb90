//! One exchange a rotation, and what is done where it does not come to its end.

use harness::proxy::Fault;
use harness::token_server::{Chain, Misbehaviour, Rules};
use secrets_core::rotation::{Outcome, Reason};
use secrets_core::rotator::{RotatorError, RotatorErrorKind};
use secrets_core::store::Label;
use serde_json::json;

use crate::{Stage, authorised};

const OUTCOMES: [Outcome; 4] = [
    Outcome::Created,
    Outcome::AlreadySet,
    Outcome::Tested,
    Outcome::Promoted,
];

fn of_rotator(reason: Reason) -> RotatorError {
    match reason {
        Reason::Rotator(fault) => fault,
        reason => panic!("another reason: {reason:?}"),
    }
}

async fn forbidden() -> Stage {
    Stage::start(Rules::default(), &json!("forbidden")).await
}

#[tokio::test]
async fn each_rotation_exchanges_once() {
    let stage = forbidden().await;
    let mut tokens = vec![stage.refresh_token(Label::Current).await];
    for n in 1..=3 {
        stage.begin(n);
        stage.server.reset();
        assert_eq!(stage.send_all(n).await.expect("a rotation"), OUTCOMES);
        assert_eq!(stage.server.endpoints(), "token resource resource resource");
        assert_eq!(stage.server.exchanges(), n);
        let token = stage.refresh_token(Label::Current).await;
        assert!(stage.server.takes(&token) && !tokens.contains(&token));
        assert!(stage.server.serves(&stage.current().await));
        let previous = stage.text(Label::Previous, "access_token").await;
        assert!(stage.server.serves(&previous), "no gap for readers");
        tokens.push(token);
    }
}

#[tokio::test]
async fn a_refresh_token_that_stays_is_kept() {
    let rules = Rules {
        chain: Chain::Fixed,
        ..Rules::default()
    };
    let stage = Stage::start(rules, &json!("same_value")).await;
    let first = stage.refresh_token(Label::Current).await;
    let before = stage.current().await;
    stage.rotate(1).await;
    assert_eq!(stage.refresh_token(Label::Current).await, first);
    assert_ne!(stage.current().await, before);
}

/// Refusals, and the lack of a connection, before anything was exchanged.
#[tokio::test]
async fn where_nothing_was_exchanged_the_next_try_goes_on() {
    let several = |status, after: &str| Misbehaviour::Answer {
        status,
        headers: vec![("retry-after", after.to_owned())],
        body: "quoted".to_owned(),
    };
    for (reply, kind, words) in [
        (
            Misbehaviour::answer(401, r#"{"error": "invalid_client", "hint": "quoted"}"#),
            RotatorErrorKind::Refused,
            "check `client_id`",
        ),
        (
            Misbehaviour::answer(200, r#"{"error": "invalid_client"}"#),
            RotatorErrorKind::Refused,
            "an error inside",
        ),
        (
            Misbehaviour::answer(400, r#"{"error": "invalid_scope"}"#),
            RotatorErrorKind::Refused,
            "invalid_scope",
        ),
        (
            several(429, "7"),
            RotatorErrorKind::Unreachable,
            "7 seconds",
        ),
        (
            Misbehaviour::answer(404, "<html>quoted"),
            RotatorErrorKind::Misconfigured,
            "correct the URL",
        ),
        (
            Misbehaviour::answer(403, "quoted"),
            RotatorErrorKind::Refused,
            "refuses us",
        ),
    ] {
        let stage = forbidden().await;
        stage.begin(1);
        stage.server.fault_at(1, Fault::Before(reply));
        let fault = of_rotator(stage.fails(1).await);
        assert_eq!(fault.kind(), kind, "{fault}");
        assert!(fault.changed_nothing(), "{fault}");
        assert!(fault.to_string().contains(words), "{words}: {fault}");
        stage.server.reset();
        stage.send_all(1).await.expect("one more try");
        assert_eq!(stage.server.exchanges(), 1);
    }

    // A port that was free a moment ago.
    let mut stage = forbidden().await;
    let url = stage.configuration["token_url"].clone();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    stage.configuration["token_url"] = json!(format!("http://{address}/"));
    stage.begin(1);
    let fault = of_rotator(stage.fails(1).await);
    assert!(fault.changed_nothing(), "{fault}");
    stage.configuration["token_url"] = url;
    // Nor is anything sent without the keys that are needed.
    let whole = authorised(&stage.server);
    for key in ["client_secret", "refresh_token"] {
        let mut part = whole.clone();
        part.as_object_mut().expect("an object").remove(key);
        stage.put(&part);
        stage.begin(2);
        let fault = of_rotator(stage.fails(2).await);
        assert!(fault.to_string().contains(&format!("`{key}`")), "{fault}");
        assert!(fault.changed_nothing(), "{fault}");
        stage.put(&whole);
    }
    stage.rotate(3).await;
}

/// Replies that say nothing of whether the refresh token was used up.
fn lost_replies() -> Vec<Misbehaviour> {
    vec![
        Misbehaviour::Drop,
        Misbehaviour::Hang,
        Misbehaviour::answer(503, "<html>quoted</html>"),
        Misbehaviour::answer(408, "quoted"),
        Misbehaviour::answer(200, "<html>quoted</html>"),
        Misbehaviour::answer(200, ""),
        Misbehaviour::answer(200, r#"{"refresh_token": "quoted"}"#),
        Misbehaviour::answer(200, "x".repeat(100 * 1024)),
    ]
}

#[tokio::test]
async fn a_lost_reply_stops_for_a_person_where_replay_is_forbidden() {
    for reply in lost_replies() {
        let mut stage = forbidden().await;
        stage.configuration["timeout_seconds"] = json!(1);
        let before = stage.current().await;
        stage.begin(1);
        stage.server.fault_at(1, Fault::After(reply.clone()));
        let fault = of_rotator(stage.fails(1).await);
        assert!(!fault.changed_nothing(), "{reply:?}: {fault}");

        stage.server.reset();
        let reason = stage.fails(1).await;
        assert!(matches!(reason, Reason::Unrepeatable { .. }), "{reason:?}");
        assert_eq!(stage.server.requests(), [], "nothing is sent");
        assert!(stage.server.has_chain(), "the grant lives");
        assert!(
            stage.server.serves(&before),
            "and so does what readers have"
        );

        // The person acts, and the next rotation is like any other.
        stage.put(&authorised(&stage.server));
        stage.rotate(2).await;
        assert!(stage.server.serves(&stage.current().await));
    }
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_again_where_replay_is_forgiven() {
    for (chain, replay) in [
        (Chain::Grace(1), json!({"grace_seconds": 30})),
        (Chain::SameValue, json!("same_value")),
        (Chain::Fixed, json!("same_value")),
    ] {
        for reply in lost_replies() {
            let rules = Rules {
                chain,
                ..Rules::default()
            };
            let mut stage = Stage::start(rules, &replay).await;
            stage.configuration["timeout_seconds"] = json!(1);
            stage.begin(1);
            stage.server.fault_at(1, Fault::After(reply.clone()));
            stage.fails(1).await;
            stage.server.reset();
            stage.send_all(1).await.expect("one more try");
            assert!(stage.server.serves(&stage.current().await), "{reply:?}");
            stage.rotate(2).await;
        }
    }
}

#[tokio::test]
async fn a_grant_that_is_gone_says_what_a_person_has_to_do() {
    let stage = forbidden().await;
    stage.server.revoke_chains();
    stage.begin(1);
    let fault = of_rotator(stage.fails(1).await);
    assert_eq!(fault.kind(), RotatorErrorKind::Refused);
    assert_eq!(fault.code(), Some("400/invalid_grant"));
    for words in [
        "a person must authorise",
        "`refresh_token`",
        "its current value",
    ] {
        assert!(fault.to_string().contains(words), "{words}: {fault}");
    }
    stage.put(&authorised(&stage.server));
    stage.rotate(2).await;
}

#[tokio::test]
async fn odd_replies_lose_nothing() {
    for (status, odd) in [
        (201, r#""token_type": "BEARER""#),
        (200, r#""expires_in": "7200""#),
        (200, r#""expires_in": 7199.5, "token_type": null"#),
        (200, r#""token_type": 17, "scope": null"#),
    ] {
        let stage = forbidden().await;
        let token = stage.server.issue(crate::CLIENT);
        stage.begin(1);
        let body = format!(r#"{{"access_token": "{token}", "refresh_token": "next", {odd}}}"#);
        stage
            .server
            .fault_at(1, Fault::Before(Misbehaviour::answer(status, body)));
        stage.send_all(1).await.expect(odd);
        assert_eq!(stage.current().await, token);
        assert_eq!(stage.refresh_token(Label::Current).await, "next");
    }
}

#[tokio::test]
async fn a_refresh_token_is_stored_also_beside_a_token_that_cannot_be_used() {
    // Another type than bearer, and one that does not work.
    for (body, words) in [
        (
            r#"{"access_token": "a", "refresh_token": "kept", "token_type": "DPoP"}"#,
            "`token_type` is not bearer",
        ),
        (
            r#"{"access_token": "a", "refresh_token": "kept"}"#,
            "the only refresh token that is left",
        ),
    ] {
        let stage = forbidden().await;
        stage.begin(1);
        stage
            .server
            .fault_at(1, Fault::Before(Misbehaviour::answer(200, body)));
        for _ in 0..2 {
            let fault = of_rotator(stage.fails(1).await);
            assert!(fault.to_string().contains(words), "{fault}");
            assert_eq!(stage.refresh_token(Label::Pending).await, "kept");
        }
        assert!(stage.server.serves(&stage.current().await));
        stage.put(&authorised(&stage.server));
        stage.rotate(2).await;
    }
}
