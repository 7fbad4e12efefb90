//! Replies that conform are read as the crate `oauth2` reads them; the others are read, too.

use std::time::{Duration, SystemTime};

use oauth2::TokenResponse;
use oauth2::basic::{BasicErrorResponse, BasicTokenResponse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::web::http::Reply;
use crate::web::refusal::provider_code;

/// Noon of some day.
const NOW: u64 = 1_767_225_600;

fn read(reply: &Value) -> Option<Minted> {
    let reply = Json::parse(reply.to_string().as_bytes()).expect("JSON");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    ReplyFields::default().minted(&reply, now)
}

/// Members of a reply as RFC 6749, section 5.1, has them.
fn conforming() -> impl Strategy<Value = Value> {
    let token = "[!-~]{1,60}";
    (
        token,
        prop_oneof![Just("bearer"), Just("Bearer"), Just("BEARER"), Just("mac")],
        proptest::option::of(0_u64..1_000_000_000),
        proptest::option::of(token),
        proptest::option::of("[a-z]{1,8}( [a-z]{1,8}){0,3}"),
    )
        .prop_map(|(access, kind, expires, refresh, scope)| {
            let mut reply = json!({"access_token": access, "token_type": kind});
            for (name, value) in [
                ("expires_in", expires.map(Value::from)),
                ("refresh_token", refresh.map(Value::from)),
                ("scope", scope.map(Value::from)),
            ] {
                if let Some(value) = value {
                    reply[name] = value;
                }
            }
            reply
        })
}

proptest! {
    #[test]
    fn what_conforms_is_read_as_oauth2_reads_it(reply in conforming()) {
        let theirs: BasicTokenResponse = serde_json::from_value(reply.clone()).expect("a reply");
        let ours = read(&reply).expect("a token");
        prop_assert_eq!(ours.access_token().expose_secret(), theirs.access_token().secret());
        prop_assert_eq!(ours.is_bearer(), theirs.token_type().as_ref() == "bearer");
        prop_assert_eq!(ours.lifetime(), theirs.expires_in());
        prop_assert_eq!(ours.expires_at(), theirs.expires_in().map(|left| NOW + left.as_secs()));
        prop_assert_eq!(
            ours.refresh_token().map(ExposeSecret::expose_secret),
            theirs.refresh_token().map(|token| token.secret().as_str())
        );
        let scopes = theirs.scopes().map(|scopes| {
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            scopes.join(" ")
        });
        prop_assert_eq!(ours.scope(), scopes.as_deref());
    }

    #[test]
    fn errors_that_conform_have_the_code_that_oauth2_reads(
        word in prop_oneof![
            Just("invalid_request"), Just("invalid_client"), Just("invalid_grant"),
            Just("unauthorized_client"), Just("unsupported_grant_type"), Just("invalid_scope"),
        ],
        description in proptest::option::of("[ -!#-\\[\\]-~]{1,40}"),
        status in 400_u16..402,
    ) {
        let mut body = json!({"error": word});
        if let Some(description) = description {
            body["error_description"] = description.into();
        }
        let theirs: BasicErrorResponse = serde_json::from_value(body.clone()).expect("an error");
        let ours = provider_code(&Reply::of(status, &body.to_string()));
        prop_assert_eq!(ours.as_deref(), Some(theirs.error().as_ref()));
    }
}

#[test]
fn what_oauth2_refuses_is_read_all_the_same() {
    for (odd, lifetime) in [
        (json!({"expires_in": "7200"}), Some(7200.0)),
        (
            json!({"expires_in": 7199.5, "token_type": "bearer"}),
            Some(7199.5),
        ),
        (json!({"token_type": null, "expires_in": null}), None),
        (json!({"token_type": 17}), None),
        (json!({}), None),
    ] {
        let mut reply = odd.clone();
        reply["access_token"] = "sentinel".into();
        assert!(serde_json::from_value::<BasicTokenResponse>(reply.clone()).is_err());
        let ours = read(&reply).expect("a token");
        assert!(ours.is_bearer(), "{odd}");
        assert_eq!(
            ours.lifetime(),
            lifetime.map(Duration::from_secs_f64),
            "{odd}"
        );
        assert!(!format!("{ours:?}").contains("sentinel"));
    }
}

#[test]
fn the_end_may_be_told_as_a_moment() {
    for (reply, end, left) in [
        (json!({"expires_at": NOW + 60}), Some(NOW + 60), Some(60)),
        (
            json!({"expires_at": "2026-01-01T00:01:00Z"}),
            Some(NOW + 60),
            Some(60),
        ),
        (json!({"expires_at": NOW - 60}), Some(NOW - 60), Some(0)),
        (json!({"expires_in": -1}), None, None),
        (json!({"expires_in": 1e300}), None, None),
    ] {
        let mut reply = reply;
        reply["access_token"] = "t".into();
        let ours = read(&reply).expect("a token");
        assert_eq!(ours.expires_at(), end, "{reply}");
        assert_eq!(ours.lifetime().map(|left| left.as_secs()), left, "{reply}");
    }
}

#[test]
fn what_fits_into_no_header_is_no_token() {
    for token in [
        json!("a b"),
        json!("a\nb"),
        json!("ä"),
        json!(""),
        json!(1),
        json!(null),
    ] {
        assert!(read(&json!({"access_token": token})).is_none(), "{token}");
    }
}
