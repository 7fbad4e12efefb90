//! What the system views say of the rights of users (AWS pages "`SVV_RELATION_PRIVILEGES`" and its like).
//!
//! Each view is asked by itself, for both users at once: some views are made on the leader node alone, and
//! cannot be joined with others.

use secrets_core::rotator::RotatorError;

use super::right::{Grantee, Object, Right, Routine, Scope};
use super::wording::unknown;
use crate::postgres_wire::{Literal, Peer, Row, Sql};

/// A right that somebody has, as a view names it.
pub(super) struct Granted {
    pub(super) user: String,
    pub(super) right: Right,
    /// Whether the user may pass it on.
    pub(super) option: bool,
}

/// A view, and what its rows mean.
pub(super) struct View {
    /// The question, up to the users: the first column is the user, the last one the option.
    question: &'static str,
    read: fn(&Columns<'_>) -> Result<Right, Unknown>,
}

/// A right that this version does not know.
pub(super) struct Unknown {
    kind: &'static str,
    word: String,
}

const TABLE_WORDS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "REFERENCES",
    "DROP",
    "ALTER",
    "TRUNCATE",
    "RULE",
    "TRIGGER",
];
const SCHEMA_WORDS: &[&str] = &["CREATE", "USAGE", "ALTER", "DROP"];
const DATABASE_WORDS: &[&str] = &["CREATE", "TEMP", "TEMPORARY", "USAGE", "ALTER"];
const COMMANDS: &[&str] = &[
    "COPY",
    "UNLOAD",
    "CREATE MODEL",
    "EXTERNAL FUNCTION",
    "EXFUNC",
];
const SYSTEM_WORDS: &[&str] = &["CREATE MODEL", "EXPLAIN RLS", "IGNORE RLS"];

/// All of them but that of functions, which needs to know which of them are procedures.
pub(super) const VIEWS: [View; 12] = [
    View {
        question: "SELECT user_name, role_name, admin_option FROM pg_catalog.svv_user_grants \
                   WHERE user_name IN (",
        read: |row| {
            let object = Object::Role(row.text(1));
            Ok(Right { object, word: "" })
        },
    },
    View {
        question: "SELECT u.usename, g.groname, false FROM pg_catalog.pg_user AS u, \
                   pg_catalog.pg_group AS g WHERE u.usesysid = ANY (g.grolist) AND u.usename IN (",
        read: |row| {
            let object = Object::Group(row.text(1));
            Ok(Right { object, word: "" })
        },
    },
    View {
        question: "SELECT identity_name, system_privilege, false FROM pg_catalog.svv_system_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| row.right(Object::System, SYSTEM_WORDS, 1),
    },
    View {
        question: "SELECT identity_name, database_name, privilege_scope, privilege_type, admin_option \
                   FROM pg_catalog.svv_database_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| {
            let (scope, words) = row.scope(2, "DATABASE", DATABASE_WORDS, "databases")?;
            let right = row.right(Object::Database(scope, row.text(1)), words, 3)?;
            Ok(Right {
                word: if right.word == "TEMPORARY" {
                    "TEMP"
                } else {
                    right.word
                },
                ..right
            })
        },
    },
    View {
        question: "SELECT identity_name, namespace_name, privilege_scope, privilege_type, admin_option \
                   FROM pg_catalog.svv_schema_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| {
            let (scope, words) = row.scope(2, "SCHEMA", SCHEMA_WORDS, "schemas")?;
            row.right(Object::Schema(scope, row.text(1)), words, 3)
        },
    },
    View {
        question: "SELECT identity_name, namespace_name, relation_name, privilege_type, admin_option \
                   FROM pg_catalog.svv_relation_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| row.right(Object::Table(row.text(1), row.text(2)), TABLE_WORDS, 3),
    },
    View {
        question: "SELECT identity_name, namespace_name, relation_name, column_name, privilege_type, false \
                   FROM pg_catalog.svv_column_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| {
            let column = [row.text(1), row.text(2), row.text(3)];
            row.right(Object::Column(column), &["SELECT", "UPDATE"], 4)
        },
    },
    View {
        question: "SELECT identity_name, language_name, privilege_type, admin_option \
                   FROM pg_catalog.svv_language_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| row.right(Object::Language(row.text(1)), &["USAGE"], 2),
    },
    View {
        question: "SELECT identity_name, namespace_name, model_name, privilege_type, admin_option \
                   FROM pg_catalog.svv_ml_model_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| row.right(Object::Model(row.text(1), row.text(2)), &["EXECUTE"], 3),
    },
    View {
        question: "SELECT identity_name, datashare_name, privilege_type, admin_option \
                   FROM pg_catalog.svv_datashare_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| row.right(Object::Datashare(row.text(1)), &["ALTER", "SHARE"], 2),
    },
    View {
        question: "SELECT identity_name, iam_arn, command_type, false FROM pg_catalog.svv_iam_privileges \
                   WHERE identity_type = 'user' AND identity_name IN (",
        read: |row| {
            let right = row.right(Object::IamRole(row.text(1)), COMMANDS, 2)?;
            Ok(Right {
                word: if right.word == "EXFUNC" {
                    "EXTERNAL FUNCTION"
                } else {
                    right.word
                },
                ..right
            })
        },
    },
    View {
        question: "SELECT grantee_name, owner_name, schema_name, object_type, privilege_type, admin_option \
                   FROM pg_catalog.svv_default_privileges \
                   WHERE grantee_type = 'user' AND grantee_name IN (",
        read: |row| {
            let (what, words) = row.created(3)?;
            let object = Object::CreatedBy {
                owner: row.text(1),
                schema: row.optional(2),
                what,
            };
            row.right(object, words, 4)
        },
    },
];

/// What users let others do with what they create.
pub(super) const CREATED: View = View {
    question: "SELECT owner_name, grantee_type, grantee_name, schema_name, object_type, privilege_type, \
               admin_option FROM pg_catalog.svv_default_privileges \
               WHERE owner_type = 'user' AND owner_name IN (",
    read: |row| {
        let (what, words) = row.created(4)?;
        let (kind, name) = (row.text(1), row.text(2));
        let grantee = match kind.to_ascii_lowercase().as_str() {
            "user" => Grantee::User(name),
            "group" => Grantee::Group(name),
            "role" => Grantee::Role(name),
            "public" => Grantee::Public,
            _ => {
                return Err(Unknown {
                    kind: "default privileges",
                    word: kind,
                });
            }
        };
        let object = Object::Created {
            grantee,
            schema: row.optional(3),
            what,
        };
        row.right(object, words, 5)
    },
};

/// Who may run which functions and procedures.
pub(super) const ROUTINES: &str = "SELECT identity_name, namespace_name, function_name, argument_types, privilege_type, admin_option \
     FROM pg_catalog.svv_function_privileges WHERE identity_type = 'user' AND identity_name IN (";

impl View {
    pub(super) fn question(&self, users: [&str; 2]) -> Sql {
        of_users(self.question, users)
    }

    pub(super) fn read(&self, row: &Row, peer: &Peer) -> Result<Granted, RotatorError> {
        let columns = Columns(row);
        let right = (self.read)(&columns).map_err(|it| unknown(peer, it.kind, &it.word))?;
        Ok(Granted {
            user: columns.text(0),
            right,
            option: columns.last(),
        })
    }
}

/// The question about these users: their names close it.
pub(super) fn of_users(question: &'static str, [one, two]: [&str; 2]) -> Sql {
    let sql = Sql::new(question).escaped(Literal(one)).text(", ");
    sql.escaped(Literal(two)).text(")")
}

/// One of the functions' rows; `is_procedure` knows them.
pub(super) fn routine(
    row: &Row,
    peer: &Peer,
    is_procedure: impl FnOnce(&str, &str, &str) -> Option<bool>,
) -> Result<Granted, RotatorError> {
    let columns = Columns(row);
    let [schema, name, arguments] = [1, 2, 3].map(|column| columns.text(column));
    let procedure = is_procedure(&schema, &name, &arguments);
    let routine = procedure.and_then(|it| Routine::new(&schema, &name, &arguments, it));
    let Some(routine) = routine else {
        return Err(unknown(peer, "functions and procedures", "EXECUTE"));
    };
    let right = columns.right(Object::Routine(routine), &["EXECUTE"], 4);
    Ok(Granted {
        user: columns.text(0),
        right: right.map_err(|it| unknown(peer, it.kind, &it.word))?,
        option: columns.last(),
    })
}

/// A row, by its columns.
pub(super) struct Columns<'r>(pub(super) &'r Row);

impl Columns<'_> {
    pub(super) fn text(&self, column: usize) -> String {
        self.optional(column).unwrap_or_default()
    }

    /// None for NULL and for nothing, which views do not tell apart.
    fn optional(&self, column: usize) -> Option<String> {
        let text = self.0.get(column).cloned().flatten();
        text.filter(|text| !text.is_empty())
    }

    pub(super) fn yes(&self, column: usize) -> bool {
        matches!(
            self.text(column).to_ascii_lowercase().as_str(),
            "t" | "true"
        )
    }

    fn last(&self) -> bool {
        self.yes(self.0.len().saturating_sub(1))
    }

    /// The right of this column, which must be one of these.
    fn right(
        &self,
        object: Object,
        words: &[&'static str],
        column: usize,
    ) -> Result<Right, Unknown> {
        let text = self.text(column).to_ascii_uppercase();
        match words.iter().find(|word| **word == text) {
            Some(word) => Ok(Right { object, word }),
            None => Err(Unknown {
                kind: object.kind(),
                word: text,
            }),
        }
    }

    /// To what a right on a database or schema extends, and which rights there can be.
    fn scope(
        &self,
        column: usize,
        itself: &str,
        words: &'static [&'static str],
        kind: &'static str,
    ) -> Result<(Scope, &'static [&'static str]), Unknown> {
        let text = self.text(column).to_ascii_uppercase();
        match text.as_str() {
            "" => Ok((Scope::Itself, words)),
            same if same == itself => Ok((Scope::Itself, words)),
            "SCHEMAS" => Ok((Scope::Schemas, SCHEMA_WORDS)),
            "TABLES" => Ok((Scope::Tables, TABLE_WORDS)),
            "FUNCTIONS" => Ok((Scope::Functions, &["EXECUTE"])),
            "PROCEDURES" => Ok((Scope::Procedures, &["EXECUTE"])),
            "LANGUAGES" => Ok((Scope::Languages, &["USAGE"])),
            _ => Err(Unknown { kind, word: text }),
        }
    }

    /// What default privileges are about.
    fn created(&self, column: usize) -> Result<(Scope, &'static [&'static str]), Unknown> {
        let text = self.text(column).to_ascii_uppercase();
        match text.as_str() {
            "RELATION" => Ok((Scope::Tables, TABLE_WORDS)),
            "FUNCTION" => Ok((Scope::Functions, &["EXECUTE"])),
            "PROCEDURE" => Ok((Scope::Procedures, &["EXECUTE"])),
            _ => Err(Unknown {
                kind: "default privileges",
                word: text,
            }),
        }
    }
}
