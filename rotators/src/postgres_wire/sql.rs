//! Statements made of fixed text, names and values that cannot be mixed up.
//!
//! `ALTER ROLE` takes no parameters (SQLSTATE 42601), so values become part of the text. The rules of
//! quoting are those of the `PostgreSQL` manual, "Lexical Structure".

use crate::database::sql::Text;
pub(crate) use crate::database::sql::{Ident, Literal};

/// A statement, wiped when dropped: it may hold a password.
#[derive(Debug)]
pub(crate) struct Sql(Text);

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self(Text::new(text))
    }

    /// Appends fixed text.
    pub(crate) fn text(mut self, text: &'static str) -> Self {
        self.0.push(text);
        self
    }

    /// Appends a name in double quotes, each of its own doubled.
    pub(crate) fn ident(mut self, name: Ident<'_>) -> Self {
        self.0.push("\"");
        self.0.push_doubling(name.0, "\"");
        self.0.push("\"");
        self
    }

    /// Appends a value in single quotes, each of its own doubled. With a backslash in it, it becomes an
    /// escape string: what a backslash means in the other form is up to `standard_conforming_strings`.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "for PostgreSQL")
    )]
    pub(crate) fn literal(mut self, value: Literal<'_>) -> Self {
        // The space keeps the `E` apart from a word before it.
        let open = if value.0.contains('\\') { " E'" } else { "'" };
        self.0.push(open);
        self.0.push_doubling(value.0, "'\\");
        self.0.push("'");
        self
    }

    /// Appends a value in single quotes, each quote and each backslash in it doubled: for servers older than
    /// escape strings, where a backslash has a meaning in every value.
    #[cfg_attr(not(feature = "redshift"), expect(dead_code, reason = "for Redshift"))]
    pub(crate) fn escaped(mut self, value: Literal<'_>) -> Self {
        self.0.push("'");
        self.0.push_doubling(value.0, "'\\");
        self.0.push("'");
        self
    }

    /// Appends what somebody has checked to be harmless in a statement.
    #[cfg_attr(not(feature = "redshift"), expect(dead_code, reason = "for Redshift"))]
    pub(crate) fn checked(mut self, text: &str) -> Self {
        self.0.push(text);
        self
    }

    /// Appends a whole number.
    pub(crate) fn number(mut self, number: impl Into<i64>) -> Self {
        self.0.push(&number.into().to_string());
        self
    }

    /// The text, for the driver and nobody else.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        for (name, quoted) in [
            ("app", r#""app""#),
            ("App User", r#""App User""#),
            (r#"ro"le"#, r#""ro""le""#),
            (r#"";--"#, r#"""";--""#),
            (r"x'y\z", r#""x'y\z""#),
            ("rôle", "\"rôle\""),
        ] {
            assert_eq!(Sql::new("").ident(Ident(name)).expose(), quoted);
        }
    }

    #[test]
    fn values_are_quoted() {
        for (value, quoted) in [
            ("app", "'app'"),
            ("it's", "'it''s'"),
            ("'; DROP ROLE x; --", "'''; DROP ROLE x; --'"),
            (r"a\", r" E'a\\'"),
            (r"\'", r" E'\\'''"),
            (r#"""#, r#"'"'"#),
        ] {
            assert_eq!(Sql::new("").literal(Literal(value)).expose(), quoted);
        }
    }

    #[test]
    #[cfg(feature = "redshift")]
    fn values_are_quoted_for_servers_without_escape_strings() {
        for (value, quoted) in [("it's", "'it''s'"), (r"a\", r"'a\\'"), (r"\'", r"'\\'''")] {
            assert_eq!(Sql::new("").escaped(Literal(value)).expose(), quoted);
        }
    }

    #[test]
    fn parts_are_put_together_at_any_length() {
        let long = "p'".repeat(4000);
        let sql = Sql::new("ALTER ROLE ")
            .ident(Ident("a"))
            .text(" PASSWORD ")
            .literal(Literal(&long))
            .text(" LIMIT ")
            .number(65_535);
        let expected = format!(
            "ALTER ROLE \"a\" PASSWORD '{}' LIMIT 65535",
            "p''".repeat(4000)
        );
        assert_eq!(sql.expose(), expected);
    }

    #[test]
    fn debug_shows_nothing() {
        let sql = Sql::new("ALTER ROLE ").literal(Literal("sentinel"));
        assert_eq!(format!("{sql:?}"), "Sql([redacted])");
    }
}
