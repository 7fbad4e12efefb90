//! What the documentation shows is read by the real readers.

use rotators::oauth::refresh_chain::RefreshSettings;
use rotators::oauth::tokens::{TokenSecret, TokenSettings};
use secrets_core::document::SecretDocument;

const PAGE: &str = include_str!("../../../docs/oauth.md");

#[test]
fn every_block_of_the_page_is_read() {
    let blocks: Vec<_> = PAGE
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split_once("```").expect("an end").0)
        .collect();
    let (mut secrets, mut tokens, mut chains) = (0, 0, 0);
    for block in blocks {
        if !block.contains("token_url") {
            let secret = SecretDocument::from_text(block);
            TokenSecret::try_from(&secret).expect(block);
            secrets += 1;
        } else if block.contains("\"replay\"") {
            RefreshSettings::parse(block).expect(block);
            chains += 1;
        } else {
            TokenSettings::parse(block).expect(block);
            tokens += 1;
        }
    }
    assert_eq!((secrets, tokens, chains), (3, 2, 1));
}

/// The tables name each field that is read, and no other one: a configuration with all of them is taken.
#[test]
fn every_field_of_the_tables_is_known() {
    let mut fields: Vec<&str> = Vec::new();
    let table = PAGE
        .split("## The configuration")
        .nth(1)
        .expect("a chapter");
    let table = table.split("### `assertion`").next().expect("a table");
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let names = row.split('|').nth(1).expect("a first column");
        fields.extend(names.split('`').skip(1).step_by(2));
    }
    assert!(fields.len() > 20, "{fields:?}");
    let odd: Vec<String> = fields
        .iter()
        .map(|name| format!("\"{name}\": [{{}}]"))
        .collect();
    let odd = format!("{{{}}}", odd.join(", "));
    let of_tokens = TokenSettings::parse(&odd)
        .expect_err("odd values")
        .to_string();
    let of_chains = RefreshSettings::parse(&odd)
        .expect_err("odd values")
        .to_string();
    for field in fields {
        let unknown = format!("`{field}` is not known here");
        assert!(
            !of_tokens.contains(&unknown) || !of_chains.contains(&unknown),
            "{field}"
        );
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = TokenSettings::parse(
        r#"{"token_url": "http://sentinel.example", "grant": "password", "test": {}, "colour": "sentinel"}"#,
    );
    let faults = faults.expect_err("faults").to_string();
    for words in [
        "`token_url` must be a URL",
        "`grant` must be client_credentials or jwt_bearer",
        "`colour` is not known here",
    ] {
        assert!(faults.contains(words), "{words}: {faults}");
    }
    assert!(!faults.contains("sentinel"), "{faults}");

    for (text, words) in [
        (
            r#"{"test": {"url": "https://b.example"}}"#,
            "`token_url` is missing",
        ),
        (
            r#"{"token_url": "https://a.example"}"#,
            "`test` is missing, and `introspect`, too",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"},
                "introspect": {"url": "https://b.example"}}"#,
            "`introspect` cannot be there beside `test`",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"},
                "allowed_hosts": ["a.example"]}"#,
            "`test.url` leads to a host",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"},
                "client_authentication": "private_key_jwt", "assertion": {"algorithm": "HS256"}}"#,
            "`assertion.algorithm` must be RS256, PS256, ES256 or EdDSA",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"}, "assertion": {}}"#,
            "`assertion` has no use",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"},
                "headers": {"Content-Length": "1", "a b": "c"}, "parameters": {"x": "{"},
                "ca_certificate": "sentinel", "rotation_interval_hours": 3}"#,
            "`rotation_interval_hours` must be a whole number from 4 to 24000",
        ),
        (
            r#"{"token_url": "https://a.example", "test": {"url": "https://b.example"}, "replay": "forbidden"}"#,
            "`replay` is not known here",
        ),
    ] {
        let faults = TokenSettings::parse(text).expect_err(text).to_string();
        assert!(faults.contains(words), "{words}: {faults}");
        assert!(!faults.contains("sentinel"), "{faults}");
    }
    for (text, words) in [
        (
            r#"{"replay": {"grace": 3}}"#,
            "`replay.grace_seconds` is missing",
        ),
        (
            r#"{"replay": {"grace": 3}}"#,
            "`replay.grace` is not known here",
        ),
        (r#"{"revoke": {}}"#, "`revoke` is not known here"),
        (
            r#"{"grant": "client_credentials"}"#,
            "`grant` must be refresh_token",
        ),
    ] {
        let faults = RefreshSettings::parse(text).expect_err(text).to_string();
        assert!(faults.contains(words), "{words}: {faults}");
    }
}
