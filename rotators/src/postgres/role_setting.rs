//! `ALTER ROLE .. SET`: a setting that sessions of a role start with, written as the catalogue keeps it.

use super::sql::{Ident, Literal, Sql};

/// The settings whose value is a list of names. The catalogue keeps such a list as one text, in which
/// names stand in double quotes where they need them; a statement must have each name as a value of its
/// own (`pg_dump` has the same list, `variable_is_guc_list_quote`; extensions may define none).
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// The setting that makes sessions act as another role.
pub(super) const ROLE: &str = "role";

/// Where a setting applies, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// None: in every database.
    pub(super) database: Option<String>,
    pub(super) name: String,
}

impl Key {
    /// Gives the role this value, as read from the catalogue.
    pub(super) fn set(&self, role: &str, value: &str) -> Sql {
        let sql = self.named(self.altered(role).text(" SET ")).text(" TO ");
        if !LISTS.contains(&self.name.to_ascii_lowercase().as_str()) {
            return sql.literal(Literal(value));
        }
        let names = names(value);
        let mut names = names.iter().map(String::as_str);
        let sql = sql.literal(Literal(names.next().unwrap_or_default()));
        names.fold(sql, |sql, name| sql.text(", ").literal(Literal(name)))
    }

    /// Takes the setting from the role.
    pub(super) fn reset(&self, role: &str) -> Sql {
        self.named(self.altered(role).text(" RESET "))
    }

    fn altered(&self, role: &str) -> Sql {
        let sql = Sql::new("ALTER ROLE ").ident(Ident(role));
        match &self.database {
            Some(database) => sql.text(" IN DATABASE ").ident(Ident(database)),
            None => sql,
        }
    }

    /// Extensions' settings have a name with a dot, which stays outside of the quotes.
    fn named(&self, sql: Sql) -> Sql {
        let mut parts = self.name.split('.');
        let sql = sql.ident(Ident(parts.next().unwrap_or_default()));
        parts.fold(sql, |sql, part| sql.text(".").ident(Ident(part)))
    }
}

/// The names of a list: separated by commas, some in double quotes, in which a double quote is doubled.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let (mut quoted, mut started) = (false, false);
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                name.push('"');
            }
            '"' => {
                quoted = !quoted;
                started = true;
            }
            ',' if !quoted => {
                names.push(std::mem::take(&mut name));
                started = true;
            }
            space if !quoted && space.is_ascii_whitespace() => {}
            other => {
                name.push(other);
                started = true;
            }
        }
    }
    if started {
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(database: Option<&str>, name: &str, value: &str) -> String {
        let key = Key {
            database: database.map(str::to_owned),
            name: name.to_owned(),
        };
        key.set("a\"b", value).expose().to_owned()
    }

    #[test]
    fn a_list_is_set_name_by_name() {
        for (value, statement) in [
            (r#""$user", public"#, "'$user', 'public'"),
            ("public", "'public'"),
            ("", "''"),
            (r#""""#, "''"),
            (r#""a, b", "c""d", e"#, r#"'a, b', 'c"d', 'e'"#),
            (r#""it's \""#, r"  E'it''s \\'"),
        ] {
            assert_eq!(
                set(None, "search_path", value),
                format!(
                    r#"ALTER ROLE "a""b" SET "search_path" TO {}"#,
                    statement.trim_start_matches(' ')
                )
                .replace("TO E'", "TO  E'")
            );
        }
    }

    #[test]
    fn other_values_stay_in_one_piece() {
        assert_eq!(
            set(Some("d; DROP"), "my.Setting", "a, \"b\""),
            r#"ALTER ROLE "a""b" IN DATABASE "d; DROP" SET "my"."Setting" TO 'a, "b"'"#
        );
        let key = Key {
            database: None,
            name: "work_mem".to_owned(),
        };
        assert_eq!(
            key.reset("a").expose(),
            r#"ALTER ROLE "a" RESET "work_mem""#
        );
    }
}
