//! Statements made of fixed text, names and values that cannot be mixed up.
//!
//! Statements that change accounts take no parameters, so values become part of the text. Every session sets
//! `sql_mode` to `NO_BACKSLASH_ESCAPES` and nothing else before it runs one of these: then a quote inside
//! of quotes is doubled and nothing else has a meaning (`MySQL` manual, "String Literals" and "Schema Object
//! Names").

use std::fmt;

use crate::database::sql::Text;
pub(super) use crate::database::sql::{Ident, Literal};

/// An account, or a role: a user at a host. Roles of `MariaDB` have no host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) host: Option<String>,
}

impl Account {
    pub(super) fn new(user: &str, host: &str) -> Self {
        Self {
            user: user.to_owned(),
            host: Some(host.to_owned()),
        }
    }
}

/// As it stands in statements, for those who have to write one.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Sql::new("").account(self).expose())
    }
}

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

    /// Appends a name in backticks, each of its own doubled.
    pub(super) fn ident(mut self, name: Ident<'_>) -> Self {
        self.quoted(name.0, "`");
        self
    }

    /// Appends a value in single quotes, each of its own doubled.
    pub(super) fn literal(mut self, value: Literal<'_>) -> Self {
        self.quoted(value.0, "'");
        self
    }

    /// Appends `'user'@'host'`, or the name of a role without a host.
    pub(super) fn account(self, account: &Account) -> Self {
        match &account.host {
            Some(host) => self
                .literal(Literal(&account.user))
                .text("@")
                .literal(Literal(host)),
            None => self.ident(Ident(&account.user)),
        }
    }

    /// Appends key words, such as the name of a privilege: letters, digits, spaces and `_`. Anything else
    /// would have been refused when it was read; here it becomes a syntax error and nothing worse.
    pub(super) fn words(mut self, words: &str) -> Self {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '.');
        self.0.push(if words.chars().all(is_word) {
            words
        } else {
            "?"
        });
        self
    }

    /// Appends a whole number.
    pub(super) fn number(mut self, number: i64) -> Self {
        self.0.push(&number.to_string());
        self
    }

    /// Appends another statement, or a part of one.
    pub(super) fn append(mut self, other: &Self) -> Self {
        self.0.push(other.expose());
        self
    }

    /// Appends what each item adds, with commas between them.
    pub(super) fn list<T>(
        self,
        items: impl IntoIterator<Item = T>,
        mut add: impl FnMut(Self, T) -> Self,
    ) -> Self {
        let mut first = true;
        items.into_iter().fold(self, |sql, item| {
            let sql = if first { sql } else { sql.text(", ") };
            first = false;
            add(sql, item)
        })
    }

    /// The text, for the driver and nobody else.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }

    fn quoted(&mut self, text: &str, quote: &str) {
        self.0.push(quote);
        self.0.push_doubling(text, quote);
        self.0.push(quote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_quoted() {
        for (text, ident, literal) in [
            ("app", "`app`", "'app'"),
            ("a b", "`a b`", "'a b'"),
            ("o'x`y\"z", "`o'x``y\"z`", "'o''x`y\"z'"),
            (r"a\'", r"`a\'`", r"'a\'''"),
            (
                "'; DROP USER x; -- ",
                "`'; DROP USER x; -- `",
                "'''; DROP USER x; -- '",
            ),
            ("x TO y", "`x TO y`", "'x TO y'"),
            ("", "``", "''"),
            ("rôle€", "`rôle€`", "'rôle€'"),
        ] {
            assert_eq!(Sql::new("").ident(Ident(text)).expose(), ident);
            assert_eq!(Sql::new("").literal(Literal(text)).expose(), literal);
        }
    }

    #[test]
    fn accounts_have_a_host_and_roles_need_none() {
        let account = Account::new("o'x", "10.%");
        assert_eq!(account.to_string(), "'o''x'@'10.%'");
        let role = Account {
            user: "r`1".into(),
            host: None,
        };
        assert_eq!(role.to_string(), "`r``1`");
    }

    #[test]
    fn words_that_are_none_become_a_syntax_error() {
        assert_eq!(
            Sql::new("").words("SELECT INTO S3").expose(),
            "SELECT INTO S3"
        );
        assert_eq!(Sql::new("").words("SELECT; x").expose(), "?");
    }

    #[test]
    fn parts_are_put_together_at_any_length() {
        let long = "p'".repeat(4000);
        let sql = Sql::new("A ")
            .list([1, 2], |sql, n| sql.literal(Literal(&long)).number(n))
            .text(" ")
            .number(-1);
        let text = "p''".repeat(4000);
        assert_eq!(sql.expose(), format!("A '{text}'1, '{text}'2 -1"));
        assert_eq!(format!("{sql:?}"), "Sql([redacted])");
    }
}
