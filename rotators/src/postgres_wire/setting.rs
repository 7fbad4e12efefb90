//! A setting that sessions of an account start with, written as the catalogue keeps it.

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

/// Appends name and value of an assignment, the value as read from the catalogue; `quote` appends a value.
pub(crate) fn assign(
    sql: Sql,
    name: &str,
    value: &str,
    quote: impl Fn(Sql, Literal<'_>) -> Sql,
) -> Sql {
    let sql = named(sql, name).text(" TO ");
    if !LISTS.contains(&name.to_ascii_lowercase().as_str()) {
        return quote(sql, Literal(value));
    }
    let names = names(value);
    let mut names = names.iter().map(String::as_str);
    let sql = quote(sql, Literal(names.next().unwrap_or_default()));
    names.fold(sql, |sql, name| quote(sql.text(", "), Literal(name)))
}

/// Appends the name of a setting. Extensions' have a dot, which stays outside of the quotes.
pub(crate) fn named(sql: Sql, name: &str) -> Sql {
    let mut parts = name.split('.');
    let sql = sql.ident(Ident(parts.next().unwrap_or_default()));
    parts.fold(sql, |sql, part| sql.text(".").ident(Ident(part)))
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
