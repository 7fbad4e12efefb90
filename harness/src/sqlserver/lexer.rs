//! The words of a statement.

/// A word of Transact-SQL, as far as this server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A key word or a name without brackets, in the case in which it was written.
    Bare(String),
    /// A name in brackets.
    Name(String),
    /// `N'...'`
    Text(String),
    Number(i32),
    /// Any other sign; `::` is two of them.
    Sign(char),
}

/// The words of a batch; None where a quote does not end, or a value is no Unicode one.
pub(super) fn words(sql: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = sql.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            ' ' | '\n' | '\t' => {}
            '[' => words.push(Word::Name(quoted(&mut rest, ']')?)),
            'N' if rest.peek() == Some(&'\'') => {
                rest.next();
                let text = quoted(&mut rest, '\'')?;
                // The server would join these lines.
                if text.contains("\\\n") || text.contains("\\\r") {
                    return None;
                }
                words.push(Word::Text(text));
            }
            '\'' | '"' => return None,
            // What follows would be a comment.
            '-' if rest.peek() == Some(&'-') => return None,
            '/' if rest.peek() == Some(&'*') => return None,
            first if first.is_ascii_digit() => {
                let mut number = first.to_string();
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    number.push(digit);
                }
                words.push(Word::Number(number.parse().ok()?));
            }
            first if first.is_ascii_alphabetic() || first == '_' => {
                let mut word = first.to_string();
                while let Some(next) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(next);
                }
                words.push(Word::Bare(word));
            }
            sign => words.push(Word::Sign(sign)),
        }
    }
    Some(words)
}

fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, end: char) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            found if found == end => match rest.next_if_eq(&end) {
                Some(doubled) => text.push(doubled),
                None => return Some(text),
            },
            other => text.push(other),
        }
    }
}

/// Words that are read from the front.
pub(super) struct Reader<'w>(pub(super) &'w [Word]);

impl Reader<'_> {
    /// Takes these key words and signs, separated by spaces, if they come next.
    pub(super) fn takes(&mut self, expected: &str) -> bool {
        let mut rest = self.0;
        for part in expected.split(' ') {
            let matches = match rest.first() {
                Some(Word::Bare(word)) => word == part,
                Some(Word::Sign(sign)) => part.len() == 1 && part.starts_with(*sign),
                _ => false,
            };
            if !matches {
                return false;
            }
            rest = &rest[1..];
        }
        self.0 = rest;
        true
    }

    pub(super) fn name(&mut self) -> Option<String> {
        match self.0.split_first()? {
            (Word::Name(name), rest) => {
                self.0 = rest;
                Some(name.clone())
            }
            _ => None,
        }
    }

    pub(super) fn text(&mut self) -> Option<String> {
        match self.0.split_first()? {
            (Word::Text(text), rest) => {
                self.0 = rest;
                Some(text.clone())
            }
            _ => None,
        }
    }

    /// `ON` or `OFF`.
    pub(super) fn switch(&mut self) -> Option<bool> {
        if self.takes("ON") {
            return Some(true);
        }
        self.takes("OFF").then_some(false)
    }

    /// Key words up to the first of these, which stays.
    pub(super) fn until(&mut self, ends: &[&str]) -> Option<String> {
        let mut words = Vec::new();
        loop {
            match self.0.split_first()? {
                (Word::Bare(word), _) if ends.contains(&word.as_str()) => break,
                (Word::Sign(':'), _) if ends.contains(&":") => break,
                (Word::Bare(word), rest) => {
                    words.push(word.clone());
                    self.0 = rest;
                }
                _ => return None,
            }
        }
        (!words.is_empty()).then(|| words.join(" "))
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}
