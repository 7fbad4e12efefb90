//! Looks for secrets where none must be.

use std::fmt::Write as _;

/// Finds a secret in a text, in clear, in base64 or URL-encoded: the form that was found, if any.
///
/// Base64 is looked for at all three alignments, so also inside of something longer, such as
/// `user:secret`.
///
/// ```
/// use harness::sentinel::found;
///
/// assert_eq!(found("s3cret!", "nothing here"), None);
/// assert_eq!(found("s3cret!", "oops: s3cret!"), Some("clear"));
/// assert_eq!(found("s3cret!", "q=s3cret%21"), Some("url"));
/// assert_eq!(found("s3cret!", "Basic dXNlcjpzM2NyZXQh"), Some("base64"));
/// ```
#[must_use]
pub fn found(secret: &str, text: &str) -> Option<&'static str> {
    if text.contains(secret) {
        return Some("clear");
    }
    let mut url = String::new();
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    if text
        .to_ascii_uppercase()
        .contains(&url.to_ascii_uppercase())
    {
        return Some("url");
    }
    // JSON's escapes are a form of clear text.
    if text.contains(&secret.replace('\\', "\\\\").replace('"', "\\\"")) {
        return Some("json");
    }
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
    bits.extend(
        secret
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)),
    );
    bits.chunks_exact(6)
        .skip((offset * 8).div_ceil(6))
        .map(|six| {
            six.iter()
                .fold(0, |value, bit| value << 1 | usize::from(*bit))
        })
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}
