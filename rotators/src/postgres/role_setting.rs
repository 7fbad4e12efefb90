//! `ALTER ROLE .. SET`: a setting that sessions of a role start with, written as the catalogue keeps it.

use crate::postgres_wire::{Ident, Sql, setting};

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
        let sql = self.altered(role).text(" SET ");
        setting::assign(sql, &self.name, value, Sql::literal)
    }

    /// Takes the setting from the role.
    pub(super) fn reset(&self, role: &str) -> Sql {
        setting::named(self.altered(role).text(" RESET "), &self.name)
    }

    fn altered(&self, role: &str) -> Sql {
        let sql = Sql::new("ALTER ROLE ").ident(Ident(role));
        match &self.database {
            Some(database) => sql.text(" IN DATABASE ").ident(Ident(database)),
            None => sql,
        }
    }
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
