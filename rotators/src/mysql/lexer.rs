//! The words of a statement that a server shows.
//!
//! It is read in sessions whose `sql_mode` is `NO_BACKSLASH_ESCAPES`: names stand in backticks, texts in
//! single quotes, and a doubled quote is one of the name's or text's own. `MariaDB` doubles backslashes in
//! texts; texts are skipped, so they are left as they are.

use std::iter::Peekable;
use std::str::Chars;

/// The least part with a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits and `_`, in upper case.
    Word(String),
    /// In backticks.
    Name(String),
    /// In single quotes.
    Text(String),
    /// Anything else.
    Sign(char),
}

/// A quote without its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unterminated;

/// Takes a statement apart.
pub(super) fn tokens(statement: &str) -> Result<Vec<Token>, Unterminated> {
    let mut characters = statement.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '`' => Token::Name(quoted(&mut characters, '`')?),
            '\'' => Token::Text(quoted(&mut characters, '\'')?),
            _ if character.is_whitespace() => continue,
            _ if is_word(character) => {
                let mut word = character.to_ascii_uppercase().to_string();
                while let Some(next) = characters.next_if(|&next| is_word(next)) {
                    word.push(next.to_ascii_uppercase());
                }
                Token::Word(word)
            }
            sign => Token::Sign(sign),
        });
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// What follows an opening quote, up to the closing one.
fn quoted(characters: &mut Peekable<Chars<'_>>, quote: char) -> Result<String, Unterminated> {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character != quote {
            text.push(character);
        } else if characters.next_if_eq(&quote).is_some() {
            text.push(quote);
        } else {
            return Ok(text);
        }
    }
    Err(Unterminated)
}

/// What is left of a statement. Each reading takes off what it gives; None: something else stands there.
#[derive(Clone, Copy)]
pub(super) struct Rest<'t>(&'t [Token]);

impl<'t> Rest<'t> {
    pub(super) fn of(tokens: &'t [Token]) -> Self {
        Self(tokens)
    }

    pub(super) fn peek(&self) -> Option<&'t Token> {
        self.0.first()
    }

    pub(super) fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn word(&mut self) -> Option<&'t str> {
        match self.next()? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A name or a text.
    pub(super) fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Name(text) | Token::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn expect(&mut self, word: &str) -> Option<()> {
        (self.word()? == word).then_some(())
    }

    /// Whether this sign stands there; only then it is taken off.
    pub(super) fn sign(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_fall_into_words_names_texts_and_signs() {
        let seen = tokens("Grant a_1 ON *.`x``y TO z` TO 'it''s'@`%`").expect("tokens");
        let word = |text: &str| Token::Word(text.into());
        assert_eq!(
            seen,
            [
                word("GRANT"),
                word("A_1"),
                word("ON"),
                Token::Sign('*'),
                Token::Sign('.'),
                Token::Name("x`y TO z".into()),
                word("TO"),
                Token::Text("it's".into()),
                Token::Sign('@'),
                Token::Name("%".into()),
            ]
        );
    }

    #[test]
    fn a_quote_without_its_partner_is_a_fault() {
        for broken in ["GRANT `a", "GRANT 'a''", "`a``"] {
            assert_eq!(tokens(broken), Err(Unterminated), "{broken}");
        }
        assert_eq!(tokens(r"'a\'"), Ok(vec![Token::Text(r"a\".into())]));
    }
}
