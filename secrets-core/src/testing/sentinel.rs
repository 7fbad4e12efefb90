//! Looks for secrets where none must be.

use std::fmt::Write as _;

/// Finds a secret in a text, in any of the forms in which secrets get into texts: the form that was found,
/// if any.
///
/// The forms: in clear; escaped for JSON, Rust's Debug or SQL; URL-encoded; in hex; in base64. Base64 is
/// looked for at all three alignments, so also inside of something longer, such as `user:secret`.
///
/// ```
/// use secrets_core::testing::sentinel::found;
///
/// assert_eq!(found("s3cret!", "nothing here"), None);
/// assert_eq!(found("s3cret!", "oops: s3cret!"), Some("clear"));
/// assert_eq!(found("s3'cret", "PASSWORD 's3''cret'"), Some("sql"));
/// assert_eq!(found("s3cret!", "q=s3cret%21"), Some("url"));
/// assert_eq!(found("s3cret!", "Basic dXNlcjpzM2NyZXQh"), Some("base64"));
/// ```
#[must_use]
pub fn found(secret: &str, text: &str) -> Option<&'static str> {
    let debug = format!("{secret:?}");
    let json = serde_json::Value::from(secret).to_string();
    let sql = secret.replace('\'', "''");
    let sql_escaped = sql.replace('\\', "\\\\");
    for (form, written) in [
        ("clear", secret),
        ("debug", debug.trim_matches('"')),
        ("json", json.trim_matches('"')),
        ("sql", &sql),
        ("sql", &sql_escaped),
    ] {
        if text.contains(written) {
            return Some(form);
        }
    }
    let (mut url, mut hex) = (String::new(), String::new());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing to a string does not fail, here and below.
            let _ = write!(url, "%{byte:02x}");
        }
        let _ = write!(hex, "{byte:02x}");
    }
    let lower = text.to_ascii_lowercase();
    if lower.contains(&url.to_ascii_lowercase()) {
        return Some("url");
    }
    if lower.contains(&hex) {
        return Some("hex");
    }
    // Both alphabets of base64.
    let text = text.replace('-', "+").replace('_', "/");
    (0..3)
        .map(|offset| core_of_base64(secret.as_bytes(), offset))
        .any(|core| core.len() >= 4 && text.contains(&core))
        .then_some("base64")
}

/// The characters of base64 that depend on `secret` alone when `offset` unknown bytes precede it.
fn core_of_base64(secret: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = vec![false; offset * 8];
    for byte in secret {
        bits.extend((0..8).rev().map(|bit| (byte >> bit) & 1 == 1));
    }
    bits.chunks_exact(6)
        .skip((offset * 8).div_ceil(6))
        .map(|six| {
            six.iter()
                .fold(0, |value, bit| (value << 1) | usize::from(*bit))
        })
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn every_form_is_found() {
        for (form, text) in [
            ("clear", "see it's\" here"),
            ("debug", r#"Password("it's\"")"#),
            ("sql", r#"PASSWORD 'it''s"'"#),
            ("url", "?q=it%27s%22"),
            ("hex", "\\x6974277322"),
            ("base64", "aXQncyI="),
            ("base64", "eGl0J3Mi"),
            ("base64", "eHlpdCdzIg=="),
        ] {
            assert_eq!(found("it's\"", text), Some(form), "{text}");
        }
        assert_eq!(found("it's\"", "it is nowhere"), None);
    }
}
