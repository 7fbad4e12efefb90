//! What statements are put together from.

use std::fmt;

use secrecy::zeroize::Zeroizing;

/// A name, such as a table's or a role's; it is always quoted, so that case and spaces are kept.
#[derive(Clone, Copy)]
pub(crate) struct Ident<'a>(pub(crate) &'a str);

/// A text value.
#[derive(Clone, Copy)]
pub(crate) struct Literal<'a>(pub(crate) &'a str);

/// The text of a statement, wiped when dropped: it may hold a password.
pub(crate) struct Text(Zeroizing<String>);

impl Text {
    pub(crate) fn new(text: &'static str) -> Self {
        // Room for what follows: a buffer that grows leaves a copy of what it held.
        let mut buffer = Zeroizing::new(String::with_capacity(1024));
        buffer.push_str(text);
        Self(buffer)
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.reserve(text.len());
        self.0.push_str(text);
    }

    /// Appends a text, and each of these characters in it twice.
    pub(crate) fn push_doubling(&mut self, text: &str, doubled: &str) {
        self.reserve(text.len() * 2);
        for character in text.chars() {
            if doubled.contains(character) {
                self.0.push(character);
            }
            self.0.push(character);
        }
    }

    /// The text, for the driver and nobody else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Makes room by moving into a new buffer, so that the old one is wiped.
    fn reserve(&mut self, bytes: usize) {
        let needed = self.0.len() + bytes;
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed * 2));
            larger.push_str(&self.0);
            self.0 = larger;
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
