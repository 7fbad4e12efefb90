//! Percent encoding (RFC 3986, section 2), as forms and OAuth 1.0a signatures want it; and hex.

use secrecy::zeroize::Zeroizing;

/// All but letters, digits and `-._~` is escaped, in capital hex digits (RFC 5849, section 3.6).
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    // To size beforehand: a buffer that grows leaves copies of secrets behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 3));
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    text
}

/// What `text` stands for; a `%` without two hex digits after it stands for itself.
pub(crate) fn decode(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    bytes
}

/// Two small hex digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.extend(
            [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
    }
    text
}

fn digit(hex: u8) -> Option<u8> {
    let digit = char::from(hex).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_signature_guide_of_x() {
        for (plain, encoded) in [
            ("Ladies + Gentlemen", "Ladies%20%2B%20Gentlemen"),
            ("An encoded string!", "An%20encoded%20string%21"),
            ("Dogs, Cats & Mice", "Dogs%2C%20Cats%20%26%20Mice"),
            ("☃", "%E2%98%83"),
        ] {
            assert_eq!(*encode(plain.as_bytes()), *encoded);
            assert_eq!(*decode(encoded), *plain.as_bytes());
        }
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for (text, plain) in [
            ("%", "%"),
            ("%4", "%4"),
            ("100%!", "100%!"),
            ("%%41", "%A"),
            ("%zz%2f", "%zz/"),
        ] {
            assert_eq!(*decode(text), *plain.as_bytes());
        }
    }
}
