//! Statements as tokens. A backslash has a meaning in every value, as AWS's documentation has it.

use super::state::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a bare name or a number, in lower case.
    Word(String),
    /// A name in double quotes.
    Name(String),
    Value(String),
    Symbol(char),
}

/// The statements of a text, which semicolons part.
pub(super) fn statements(text: &str) -> Result<Vec<Vec<Token>>, Refusal> {
    let mut statements = vec![Vec::new()];
    for token in tokens(text)? {
        if token == Token::Symbol(';') {
            statements.push(Vec::new());
        } else if let Some(last) = statements.last_mut() {
            last.push(token);
        }
    }
    statements.retain(|tokens| !tokens.is_empty());
    Ok(statements)
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(&first) = rest.peek() {
        if first.is_whitespace() {
            rest.next();
        } else if first == '\'' || first == '"' {
            rest.next();
            let mut inside = String::new();
            loop {
                match rest.next().ok_or(Refusal::SYNTAX)? {
                    '\\' if first == '\'' => inside.push(rest.next().ok_or(Refusal::SYNTAX)?),
                    quote if quote == first => match rest.peek() {
                        Some(again) if *again == first => {
                            rest.next();
                            inside.push(first);
                        }
                        _ => break,
                    },
                    other => inside.push(other),
                }
            }
            tokens.push(if first == '\'' {
                Token::Value(inside)
            } else {
                Token::Name(inside)
            });
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let mut word = String::new();
            while let Some(next) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                word.push(next.to_ascii_lowercase());
            }
            tokens.push(Token::Word(word));
        } else {
            rest.next();
            tokens.push(Token::Symbol(first));
        }
    }
    Ok(tokens)
}

/// A statement without its values, for comparison: `?` stands for each of them.
pub(super) fn shape(tokens: &[Token]) -> String {
    let texts = tokens.iter().map(|token| match token {
        Token::Word(word) => word.clone(),
        Token::Name(name) => format!("\"{name}\""),
        Token::Value(_) => "?".to_owned(),
        Token::Symbol(symbol) => symbol.to_string(),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// What is left of a statement, from left to right.
pub(super) struct Reader<'t> {
    tokens: &'t [Token],
    /// Whether quoted names keep their case (`enable_case_sensitive_identifier`).
    pub(super) keeps_case: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(tokens: &'t [Token], keeps_case: bool) -> Self {
        Self { tokens, keeps_case }
    }

    /// Takes these words, if they come next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let mut rest = self.tokens;
        for word in words.split(' ') {
            match rest.split_first() {
                Some((Token::Word(next), others)) if *next == word => rest = others,
                _ => return false,
            }
        }
        self.tokens = rest;
        true
    }

    pub(super) fn expect(&mut self, words: &str) -> Result<(), Refusal> {
        if self.eat(words) {
            Ok(())
        } else {
            Err(Refusal::UNKNOWN)
        }
    }

    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        match self.tokens.split_first() {
            Some((Token::Symbol(next), rest)) if *next == symbol => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    /// The name of a user, of a group or of a role, whose case is always kept.
    pub(super) fn account(&mut self) -> Result<String, Refusal> {
        match self.tokens.split_first() {
            Some((Token::Name(name) | Token::Word(name), rest)) => {
                self.tokens = rest;
                Ok(name.clone())
            }
            _ => Err(Refusal::UNKNOWN),
        }
    }

    /// The name of anything else.
    pub(super) fn name(&mut self) -> Result<String, Refusal> {
        let name = self.account()?;
        Ok(if self.keeps_case {
            name
        } else {
            name.to_lowercase()
        })
    }

    pub(super) fn value(&mut self) -> Result<String, Refusal> {
        match self.tokens.split_first() {
            Some((Token::Value(value), rest)) => {
                self.tokens = rest;
                Ok(value.clone())
            }
            _ => Err(Refusal::UNKNOWN),
        }
    }

    pub(super) fn word(&mut self) -> Option<&'t str> {
        match self.tokens.split_first() {
            Some((Token::Word(word), rest)) => {
                self.tokens = rest;
                Some(word)
            }
            _ => None,
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, Refusal> {
        let word = self.word().ok_or(Refusal::UNKNOWN)?;
        word.parse().map_err(|_| Refusal::UNKNOWN)
    }

    /// What stands between parentheses, as one text.
    pub(super) fn in_parentheses(&mut self) -> Result<String, Refusal> {
        if !self.symbol('(') {
            return Err(Refusal::UNKNOWN);
        }
        let end = self
            .tokens
            .iter()
            .position(|token| *token == Token::Symbol(')'));
        let end = end.ok_or(Refusal::SYNTAX)?;
        let inside = shape(&self.tokens[..end]).replace(" ,", ",");
        self.tokens = &self.tokens[end + 1..];
        Ok(inside)
    }

    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.tokens.is_empty() {
            Ok(())
        } else {
            Err(Refusal::UNKNOWN)
        }
    }
}
