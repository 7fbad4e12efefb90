//! The configuration: what the documentation says is taken, and each fault names its field.

use rotators::api_key::ApiKeySettings;
use serde_json::{Value, json};

use crate::Stage;
use crate::provider::Kind;

#[test]
fn every_example_of_the_documentation_is_taken() {
    let text = include_str!("../../../docs/api-key.md");
    let mut configurations = 0;
    for block in text.split("```json").skip(1) {
        let (kind, rest) = block.split_once('\n').expect("a line");
        let (json, _) = rest.split_once("```").expect("an end");
        serde_json::from_str::<Value>(json).expect(json);
        if kind.trim() == "configuration" {
            ApiKeySettings::parse(json).expect(json);
            configurations += 1;
        }
    }
    assert_eq!(configurations, 4);
}

fn faults(configuration: &Value) -> String {
    let faults = ApiKeySettings::parse(&configuration.to_string());
    faults.expect_err("faults").to_string()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_fault_names_its_field_and_quotes_nothing() {
    for (kind, pointer, value, fault) in [
        (
            Kind::ThreeSlots,
            "/create/url",
            json!("https://sentinel.{admin.host}/x"),
            "`create.url` must have its places after the host",
        ),
        (
            Kind::ThreeSlots,
            "/create/url",
            json!("http://sentinel.example/x"),
            "`create.url` must be a URL that starts with https://",
        ),
        (
            Kind::ThreeSlots,
            "/create/headers/Authorization",
            json!("{sentinel}"),
            "`create.headers` holds a place that is not known there; there are {current.KEY}, {admin.KEY}, {management_token} and {version}",
        ),
        (
            Kind::ThreeSlots,
            "/create/json/name",
            json!("{retired.key_id} {version}"),
            "`create.json` holds a place that is not known there",
        ),
        (
            Kind::ThreeSlots,
            "/create/json/name",
            json!("always the same"),
            "`create` must hold {version}",
        ),
        (
            Kind::ThreeSlots,
            "/create/value",
            json!("sentinel"),
            "`create.value` must be a JSON pointer",
        ),
        (
            Kind::ThreeSlots,
            "/delete/url",
            json!("https://a.example/{retired.api_key}"),
            "`delete.url` holds a place that is not known there; there are {retired.key_id}, ",
        ),
        (
            Kind::ThreeSlots,
            "/delete/url",
            json!("https://a.example/all"),
            "`delete.url` or headers or body must hold {retired.key_id}",
        ),
        (
            Kind::ThreeSlots,
            "/delete/when",
            json!("sentinel"),
            "`delete.when` must be when_superseded or after_promotion or next_rotation or never",
        ),
        (
            Kind::ThreeSlots,
            "/delete/gone",
            json!([200]),
            "`delete.gone` must be a list of HTTP status codes, 400 to 499",
        ),
        (
            Kind::ThreeSlots,
            "/delete",
            json!({"when": "never"}),
            "`delete` needs a `url`",
        ),
        (
            Kind::ThreeSlots,
            "/delete",
            json!(null),
            "`delete` is missing",
        ),
        (
            Kind::ThreeSlots,
            "/list/name",
            json!(null),
            "`list.name` or `created` must be there",
        ),
        (
            Kind::ThreeSlots,
            "/test/headers/Authorization",
            json!("Bearer {current.api_key}"),
            "`test.headers` holds a place",
        ),
        (
            Kind::ThreeSlots,
            "/test/headers",
            json!({}),
            "`test.url` or headers or body must hold {candidate.api_key}",
        ),
        (
            Kind::ThreeSlots,
            "/test/headers",
            json!({"Host": "sentinel"}),
            "`test.headers` must not hold Host",
        ),
        (
            Kind::ThreeSlots,
            "/test",
            json!({"mint": {"token_url": "https://a.example"}}),
            "`test.mint` needs `credential` to be client_secret",
        ),
        (
            Kind::ThreeSlots,
            "/test/rejected",
            json!([500]),
            "`test.rejected` must be",
        ),
        (
            Kind::ThreeSlots,
            "/set",
            json!({}),
            "`create` or `set` or `rotate` must be there, and only one of them",
        ),
        (
            Kind::ThreeSlots,
            "/create/json/name",
            json!("{management_token} {version}"),
            "`management_token` is missing",
        ),
        (
            Kind::ThreeSlots,
            "/allowed_hosts",
            json!(["a.example"]),
            "`create.url` leads to a host that is not one of `allowed_hosts`",
        ),
        (
            Kind::ThreeSlots,
            "/keeps_previous",
            json!(true),
            "`keeps_previous` is not known here",
        ),
        (
            Kind::ThreeSlots,
            "/create/body",
            json!({}),
            "`create.body` is not known here",
        ),
        (
            Kind::ThreeSlots,
            "/create/method",
            json!("TRACE"),
            "`create.method` must be GET or POST",
        ),
        (
            Kind::ThreeSlots,
            "/create/basic",
            json!({"username": "a", "password": "{b}"}),
            "`create.basic.password` holds a place",
        ),
        (
            Kind::Chosen,
            "/set/json/value",
            json!("{current.api_key}"),
            "`set.url` or headers or body must hold {pending.api_key}",
        ),
        (
            Kind::Chosen,
            "/generate/length",
            json!(8),
            "`generate.length` must be a whole number from 16",
        ),
        (
            Kind::Chosen,
            "/generate/prefix",
            json!("a b"),
            "`generate.prefix` must be visible ASCII",
        ),
        (
            Kind::ChosenKept,
            "/propagation_seconds",
            json!(5),
            "`propagation_seconds` and `keeps_previous` exclude each other",
        ),
        (
            Kind::InPlace,
            "/read/headers/Authorization",
            json!("Bearer {current.api_key}"),
            "where KEY is not api_key",
        ),
        (
            Kind::InPlace,
            "/rotate/value",
            json!(null),
            "`rotate.value` is missing",
        ),
    ] {
        let mut configuration = Stage::start(kind).await.configuration();
        if let Some(place) = configuration.pointer_mut(pointer) {
            *place = value;
        } else {
            let (parent, key) = pointer.rsplit_once('/').expect("a slash");
            configuration.pointer_mut(parent).expect(parent)[key] = value;
        }
        let seen = faults(&configuration);
        assert!(seen.contains(fault), "{pointer}: {seen}");
        assert!(!seen.contains("sentinel"), "{pointer}: {seen}");
    }
}

#[test]
fn debug_shows_the_way_alone() {
    let text = json!({
        "set": {"url": "https://a.example/?k=sentinel", "json": {"v": "{pending.api_key}", "s": "sentinel"}},
        "test": {"url": "https://a.example/{candidate.api_key}"},
    });
    let settings = ApiKeySettings::parse(&text.to_string()).expect("a configuration");
    assert_eq!(
        format!("{settings:?}"),
        r#"ApiKeySettings { way: "set", rotates: "api_key", .. }"#
    );
}
