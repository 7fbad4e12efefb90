//! Rights as the server's catalogue shows them, and the statements that give and take them.
//!
//! The classes are those of `sys.server_permissions` and `sys.database_permissions`, with the words that GRANT has
//! for them. A class that is not here is an error where it is met: a right is never left out.

use std::collections::BTreeMap;

use super::sql::{Ident, Sql, are_words};

/// What is given, in the order in which it is given: that of a table before that of its columns, since the
/// first may take the second away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    permission: String,
    /// None: the server, or the database.
    on: Option<Securable>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Securable {
    class: &'static str,
    /// One name, or that of a schema and one in it.
    names: Vec<String>,
    column: Option<String>,
}

/// How it is given; of two that both stand there, by different grantors, the later one here holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Granted,
    WithGrantOption,
    Denied,
}

/// All rights of one user, at the server or in one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights(BTreeMap<Right, State>);

/// A line of the catalogue.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// `class_desc`
    pub(super) class: String,
    /// `permission_name`
    pub(super) permission: String,
    /// `state_desc`
    pub(super) state: String,
    /// `type_desc` of the principal that the right is on.
    pub(super) kind: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) name: Option<String>,
    pub(super) column: Option<String>,
    /// Whether it is on a column; its name may be hidden.
    pub(super) is_column: bool,
}

/// A line that cannot be passed on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// A kind of right that this version does not know.
    Unknown,
    /// The name of what the right is on is not shown.
    Hidden,
}

impl Line {
    fn right(self) -> Result<(Right, State), Unclear> {
        let state = match self.state.as_str() {
            "GRANT" => State::Granted,
            "GRANT_WITH_GRANT_OPTION" => State::WithGrantOption,
            "DENY" => State::Denied,
            // Among others REVOKE, an exception for a column.
            _ => return Err(Unclear::Unknown),
        };
        if !are_words(&self.permission) {
            return Err(Unclear::Unknown);
        }
        let right = Right {
            permission: self.permission.clone(),
            on: self.securable()?,
        };
        Ok((right, state))
    }

    fn securable(self) -> Result<Option<Securable>, Unclear> {
        let (class, has_schema) = match (self.class.as_str(), self.kind.as_deref()) {
            ("SERVER" | "DATABASE", _) => return Ok(None),
            ("SERVER_PRINCIPAL", Some("SERVER_ROLE")) => ("SERVER ROLE", false),
            ("SERVER_PRINCIPAL", Some(_)) => ("LOGIN", false),
            ("ENDPOINT", _) => ("ENDPOINT", false),
            ("OBJECT_OR_COLUMN", _) => ("OBJECT", true),
            ("SCHEMA", _) => ("SCHEMA", false),
            ("DATABASE_PRINCIPAL", Some("DATABASE_ROLE")) => ("ROLE", false),
            ("DATABASE_PRINCIPAL", Some("APPLICATION_ROLE")) => ("APPLICATION ROLE", false),
            ("DATABASE_PRINCIPAL", Some(_)) => ("USER", false),
            ("SERVER_PRINCIPAL" | "DATABASE_PRINCIPAL", None) => return Err(Unclear::Hidden),
            ("ASSEMBLY", _) => ("ASSEMBLY", false),
            ("TYPE", _) => ("TYPE", true),
            ("XML_SCHEMA_COLLECTION", _) => ("XML SCHEMA COLLECTION", true),
            ("MESSAGE_TYPE", _) => ("MESSAGE TYPE", false),
            ("SERVICE_CONTRACT", _) => ("CONTRACT", false),
            ("SERVICE", _) => ("SERVICE", false),
            ("REMOTE_SERVICE_BINDING", _) => ("REMOTE SERVICE BINDING", false),
            ("ROUTE", _) => ("ROUTE", false),
            ("FULLTEXT_CATALOG", _) => ("FULLTEXT CATALOG", false),
            ("SYMMETRIC_KEYS", _) => ("SYMMETRIC KEY", false),
            ("CERTIFICATE", _) => ("CERTIFICATE", false),
            ("ASYMMETRIC_KEY", _) => ("ASYMMETRIC KEY", false),
            ("FULLTEXT_STOPLIST", _) => ("FULLTEXT STOPLIST", false),
            ("SEARCH_PROPERTY_LIST", _) => ("SEARCH PROPERTY LIST", false),
            _ => return Err(Unclear::Unknown),
        };
        if self.is_column && self.column.is_none() {
            return Err(Unclear::Hidden);
        }
        let mut names = Vec::new();
        if has_schema {
            names.push(self.schema.ok_or(Unclear::Hidden)?);
        }
        names.push(self.name.ok_or(Unclear::Hidden)?);
        Ok(Some(Securable {
            class,
            names,
            column: self.column,
        }))
    }
}

impl Rights {
    /// All of these, or the first that cannot be passed on.
    pub(super) fn read(lines: impl IntoIterator<Item = Line>) -> Result<Self, Unclear> {
        let mut rights = BTreeMap::new();
        for line in lines {
            let (right, state) = line.right()?;
            let found = rights.entry(right).or_insert(state);
            *found = state.max(*found);
        }
        Ok(Self(rights))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What brings `user`, who has `own`, to these rights.
    pub(super) fn steps(&self, own: &Self, user: &str) -> Vec<Sql> {
        let from = |right: &Right, sql: &'static str| {
            let sql = right.append(Sql::new(sql)).text(" FROM ");
            sql.ident(Ident(user)).text(" CASCADE")
        };
        let to = |right: &Right, sql: &'static str, option: &'static str| {
            let sql = right.append(Sql::new(sql)).text(" TO ");
            sql.ident(Ident(user)).text(option)
        };
        let too_much = own.0.keys().filter(|right| !self.0.contains_key(right));
        let mut steps: Vec<Sql> = too_much.map(|right| from(right, "REVOKE ")).collect();
        for (right, state) in &self.0 {
            steps.push(match (state, own.0.get(right)) {
                (wanted, Some(found)) if wanted == found => continue,
                (State::Granted, Some(State::WithGrantOption)) => {
                    from(right, "REVOKE GRANT OPTION FOR ")
                }
                (State::Granted, _) => to(right, "GRANT ", ""),
                (State::WithGrantOption, _) => to(right, "GRANT ", " WITH GRANT OPTION"),
                (State::Denied, _) => to(right, "DENY ", " CASCADE"),
            });
        }
        steps
    }
}

impl Right {
    fn append(&self, sql: Sql) -> Sql {
        let sql = sql.words(&self.permission);
        let Some(on) = &self.on else {
            return sql;
        };
        let mut sql = sql.text(" ON ").text(on.class).text("::");
        for (at, name) in on.names.iter().enumerate() {
            let joined = if at == 0 { sql } else { sql.text(".") };
            sql = joined.ident(Ident(name));
        }
        match &on.column {
            None => sql,
            Some(column) => sql.text(" (").ident(Ident(column)).text(")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(class: &str, permission: &str, state: &str, names: [Option<&str>; 4]) -> Line {
        let [kind, schema, name, column] = names.map(|name| name.map(str::to_owned));
        Line {
            class: class.to_owned(),
            permission: permission.to_owned(),
            state: state.to_owned(),
            is_column: column.is_some(),
            kind,
            schema,
            name,
            column,
        }
    }

    fn given(line: Line) -> String {
        let rights = Rights::read([line]).expect("a right");
        let steps = rights.steps(&Rights::default(), "u]");
        assert_eq!(steps.len(), 1);
        steps[0].expose().to_owned()
    }

    #[test]
    fn every_class_has_the_words_of_grant() {
        for (class, kind, expected) in [
            ("ENDPOINT", None, "ENDPOINT::[n]]x]"),
            ("SERVER_PRINCIPAL", Some("SQL_LOGIN"), "LOGIN::[n]]x]"),
            (
                "SERVER_PRINCIPAL",
                Some("SERVER_ROLE"),
                "SERVER ROLE::[n]]x]",
            ),
            ("OBJECT_OR_COLUMN", None, "OBJECT::[s'].[n]]x]"),
            ("SCHEMA", None, "SCHEMA::[n]]x]"),
            ("DATABASE_PRINCIPAL", Some("SQL_USER"), "USER::[n]]x]"),
            ("DATABASE_PRINCIPAL", Some("DATABASE_ROLE"), "ROLE::[n]]x]"),
            (
                "DATABASE_PRINCIPAL",
                Some("APPLICATION_ROLE"),
                "APPLICATION ROLE::[n]]x]",
            ),
            ("ASSEMBLY", None, "ASSEMBLY::[n]]x]"),
            ("TYPE", None, "TYPE::[s'].[n]]x]"),
            (
                "XML_SCHEMA_COLLECTION",
                None,
                "XML SCHEMA COLLECTION::[s'].[n]]x]",
            ),
            ("MESSAGE_TYPE", None, "MESSAGE TYPE::[n]]x]"),
            ("SERVICE_CONTRACT", None, "CONTRACT::[n]]x]"),
            ("SERVICE", None, "SERVICE::[n]]x]"),
            (
                "REMOTE_SERVICE_BINDING",
                None,
                "REMOTE SERVICE BINDING::[n]]x]",
            ),
            ("ROUTE", None, "ROUTE::[n]]x]"),
            ("FULLTEXT_CATALOG", None, "FULLTEXT CATALOG::[n]]x]"),
            ("SYMMETRIC_KEYS", None, "SYMMETRIC KEY::[n]]x]"),
            ("CERTIFICATE", None, "CERTIFICATE::[n]]x]"),
            ("ASYMMETRIC_KEY", None, "ASYMMETRIC KEY::[n]]x]"),
            ("FULLTEXT_STOPLIST", None, "FULLTEXT STOPLIST::[n]]x]"),
            ("SEARCH_PROPERTY_LIST", None, "SEARCH PROPERTY LIST::[n]]x]"),
        ] {
            let names = [kind, Some("s'"), Some("n]x"), None];
            let line = line(class, "CONTROL", "GRANT", names);
            assert_eq!(given(line), format!("GRANT CONTROL ON {expected} TO [u]]]"));
        }
        let column = [None, Some("s"), Some("t"), Some("c) TO public --")];
        assert_eq!(
            given(line("OBJECT_OR_COLUMN", "SELECT", "DENY", column)),
            "DENY SELECT ON OBJECT::[s].[t] ([c) TO public --]) TO [u]]] CASCADE"
        );
        for class in ["SERVER", "DATABASE"] {
            let line = line(
                class,
                "VIEW ANY DATABASE",
                "GRANT_WITH_GRANT_OPTION",
                [None; 4],
            );
            let expected = "GRANT VIEW ANY DATABASE TO [u]]] WITH GRANT OPTION";
            assert_eq!(given(line), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_not_left_out() {
        let hidden = Line {
            is_column: true,
            ..line(
                "OBJECT_OR_COLUMN",
                "SELECT",
                "GRANT",
                [None, Some("s"), Some("t"), None],
            )
        };
        for (line, unclear) in [
            (hidden, Unclear::Hidden),
            (
                line("SCHEMA", "SELECT", "GRANT", [None; 4]),
                Unclear::Hidden,
            ),
            (
                line("TYPE", "SELECT", "GRANT", [None, None, Some("t"), None]),
                Unclear::Hidden,
            ),
            (
                line("SERVER_PRINCIPAL", "CONTROL", "GRANT", [None; 4]),
                Unclear::Hidden,
            ),
            (
                line("AVAILABILITY GROUP", "CONTROL", "GRANT", [None; 4]),
                Unclear::Unknown,
            ),
            (
                line("DATABASE", "SELECT", "REVOKE", [None; 4]),
                Unclear::Unknown,
            ),
            (
                line("DATABASE", "SELECT; DROP", "GRANT", [None; 4]),
                Unclear::Unknown,
            ),
            (line("DATABASE", "", "GRANT", [None; 4]), Unclear::Unknown),
        ] {
            assert_eq!(Rights::read([line]), Err(unclear));
        }
    }

    #[test]
    fn steps_lead_from_any_state_to_any_other() {
        let on = |state| {
            let line = line("DATABASE", "SELECT", state, [None; 4]);
            Rights::read([line]).expect("a right")
        };
        let states = ["GRANT", "GRANT_WITH_GRANT_OPTION", "DENY"];
        let given = [
            "GRANT SELECT TO [u]",
            "GRANT SELECT TO [u] WITH GRANT OPTION",
            "DENY SELECT TO [u] CASCADE",
        ];
        let shown = |wanted: &Rights, own: &Rights| -> Vec<String> {
            let steps = wanted.steps(own, "u");
            steps.iter().map(|sql| sql.expose().to_owned()).collect()
        };
        for (wanted, statement) in states.iter().zip(given) {
            assert_eq!(shown(&on(wanted), &Rights::default()), [statement]);
            assert_eq!(
                shown(&Rights::default(), &on(wanted)),
                ["REVOKE SELECT FROM [u] CASCADE"]
            );
            for own in states {
                let steps = shown(&on(wanted), &on(own));
                if own == *wanted {
                    assert!(steps.is_empty());
                } else if (*wanted, own) == (states[0], states[1]) {
                    assert_eq!(steps, ["REVOKE GRANT OPTION FOR SELECT FROM [u] CASCADE"]);
                } else {
                    assert_eq!(steps, [statement]);
                }
            }
        }
        // By two grantors: the denial holds.
        let both = ["DENY", "GRANT"].map(|state| line("DATABASE", "SELECT", state, [None; 4]));
        assert_eq!(Rights::read(both), Ok(on("DENY")));
    }
}
