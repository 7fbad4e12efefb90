//! Statements made of fixed text, names and values that cannot be mixed up.
//!
//! Statements that change logins take no parameters, so values become part of the text. Names stand in
//! brackets and values in quotes with an `N` before them; inside, the closing sign is doubled and nothing else
//! has a meaning ("Database identifiers" and "Constants" in the Transact-SQL reference), whatever
//! `QUOTED_IDENTIFIER` says. One thing has: a backslash before the end of a line joins the lines of a value. So
//! no value may hold control characters ([`credential`](super::credential) sees to that).

use crate::database::sql::Text;
pub(super) use crate::database::sql::{Ident, Literal};

/// A statement, wiped when dropped: it may hold a password.
#[derive(Debug)]
pub(super) struct Sql(Text);

impl Sql {
    pub(super) fn new(text: &'static str) -> Self {
        Self(Text::new(text))
    }

    /// Appends fixed text.
    pub(super) fn text(mut self, text: &'static str) -> Self {
        self.0.push(text);
        self
    }

    /// Appends a name in brackets, each closing one of its own doubled.
    pub(super) fn ident(mut self, name: Ident<'_>) -> Self {
        self.0.push("[");
        self.0.push_doubling(name.0, "]");
        self.0.push("]");
        self
    }

    /// Appends a value in single quotes, each of its own doubled.
    pub(super) fn literal(mut self, value: Literal<'_>) -> Self {
        self.0.push("N'");
        self.0.push_doubling(value.0, "'");
        self.0.push("'");
        self
    }

    /// Appends key words, such as the name of a permission: capital letters and spaces. Anything else would
    /// have been refused when it was read; here it becomes a syntax error and nothing worse.
    pub(super) fn words(mut self, words: &str) -> Self {
        self.0.push(if are_words(words) { words } else { "?" });
        self
    }

    /// Appends a whole number.
    pub(super) fn number(mut self, number: i32) -> Self {
        self.0.push(&number.to_string());
        self
    }

    /// The text, for the driver and nobody else.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Whether this is what a permission's name is made of.
pub(super) fn are_words(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        for (name, quoted) in [
            ("app", "[app]"),
            ("App User", "[App User]"),
            ("a]b", "[a]]b]"),
            ("x]; DROP LOGIN sa; --", "[x]]; DROP LOGIN sa; --]"),
            ("[x]", "[[x]]]"),
            (r#"it's "it""#, r#"[it's "it"]"#),
            ("rôle\\\n", "[rôle\\\n]"),
        ] {
            assert_eq!(Sql::new("").ident(Ident(name)).expose(), quoted);
        }
    }

    #[test]
    fn values_are_quoted() {
        for (value, quoted) in [
            ("app", "N'app'"),
            ("it's", "N'it''s'"),
            ("'; DROP LOGIN sa; --", "N'''; DROP LOGIN sa; --'"),
            (r"a\", r"N'a\'"),
            (r"\'", r"N'\'''"),
            (r#"" ] ["#, r#"N'" ] ['"#),
        ] {
            assert_eq!(Sql::new("").literal(Literal(value)).expose(), quoted);
        }
    }

    #[test]
    fn words_hold_no_statement() {
        let words = |text| Sql::new("GRANT ").words(text).expose().to_owned();
        assert_eq!(words("VIEW SERVER STATE"), "GRANT VIEW SERVER STATE");
        for bad in ["", "SELECT; DROP", "select", "SELECT--", "A]", "É"] {
            assert_eq!(words(bad), "GRANT ?", "{bad}");
        }
    }

    #[test]
    fn parts_are_put_together_at_any_length() {
        let long = "p'".repeat(4000);
        let sql = Sql::new("ALTER LOGIN ")
            .ident(Ident("a"))
            .text(" WITH PASSWORD = ")
            .literal(Literal(&long))
            .text(" ")
            .number(-7);
        let expected = format!(
            "ALTER LOGIN [a] WITH PASSWORD = N'{}' -7",
            "p''".repeat(4000)
        );
        assert_eq!(sql.expose(), expected);
        assert_eq!(format!("{sql:?}"), "Sql([redacted])");
    }
}
