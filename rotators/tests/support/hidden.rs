//! Whether a text holds a secret, in any of the forms in which secrets get into texts.

use std::error::Error;
use std::fmt::Write;

/// Everything that an error may show: Debug, and Display of it and of its causes.
pub fn shown(error: &(dyn Error + 'static)) -> String {
    let mut shown = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        write!(shown, "\n{error}\n{error:?}\n{error:#?}").expect("strings take everything");
        next = error.source();
    }
    shown
}

/// Fails if the text holds the secret as it is, escaped, in base64, in hex or URL-encoded.
pub fn assert_absent(text: &str, secret: &str) {
    let debug = format!("{secret:?}");
    let forms = [
        secret.to_owned(),
        debug.trim_matches('"').to_owned(),
        secret.replace('\'', "''"),
        secret.replace('\'', "''").replace('\\', "\\\\"),
        base64(secret.as_bytes()).trim_end_matches('=').to_owned(),
        hex(secret.as_bytes()),
        url_encoded(secret),
    ];
    for form in forms {
        assert!(!text.contains(&form), "{form:?} is in {text}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("strings take everything");
        text
    })
}

fn url_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 3];
        group[..chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for digit in 0..=chunk.len() {
            let index = number >> (18 - 6 * digit) & 63;
            text.push(char::from(DIGITS[index as usize]));
        }
    }
    text
}

#[test]
fn every_form_is_found() {
    assert_eq!(base64(b"Many hands"), "TWFueSBoYW5kcw");
    assert_eq!(url_encoded("a b/é~"), "a%20b%2F%C3%A9~");
    for text in [
        "see it's",
        "it''s",
        r#""it's""#,
        "aXQncw==",
        "69742773",
        "it%27s",
    ] {
        assert!(
            std::panic::catch_unwind(|| assert_absent(text, "it's")).is_err(),
            "{text}"
        );
    }
    assert_absent("nothing of it", "it's");
}
