//! One right of a user, and the statements that give and take it (AWS pages "GRANT", "REVOKE",
//! "ALTER DEFAULT PRIVILEGES", "ALTER GROUP").

use crate::postgres_wire::{Ident, Literal, Sql};

/// What a user may do with something; a word of `GRANT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) object: Object,
    /// Empty where there is only one right to be had.
    pub(super) word: &'static str,
}

/// What there is to have rights on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Role(String),
    Group(String),
    /// The system itself: `CREATE MODEL`, `EXPLAIN RLS`.
    System,
    Database(Scope, String),
    Schema(Scope, String),
    /// A table or a view.
    Table(String, String),
    Column([String; 3]),
    Routine(Routine),
    Language(String),
    Model(String, String),
    Datashare(String),
    /// An IAM role that commands may assume, by its ARN.
    IamRole(String),
    /// What another user creates.
    CreatedBy {
        owner: String,
        schema: Option<String>,
        what: Scope,
    },
    /// What the user itself creates: the right is somebody else's.
    Created {
        grantee: Grantee,
        schema: Option<String>,
        what: Scope,
    },
}

/// Who gets rights on what a user creates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grantee {
    User(String),
    Group(String),
    Role(String),
    Public,
}

impl Grantee {
    fn name(&self, sql: Sql) -> Sql {
        match self {
            Self::User(name) => sql.ident(Ident(name)),
            Self::Group(name) => sql.text("GROUP ").ident(Ident(name)),
            Self::Role(name) => sql.text("ROLE ").ident(Ident(name)),
            Self::Public => sql.text("PUBLIC"),
        }
    }
}

/// A function or a procedure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Routine {
    pub(super) procedure: bool,
    pub(super) schema: String,
    pub(super) name: String,
    /// Types, checked to be nothing else.
    pub(super) arguments: String,
}

/// The thing itself, or all of a kind in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    Itself,
    Schemas,
    Tables,
    Functions,
    Procedures,
    Languages,
}

/// What is done to rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Grant,
    /// With the right to pass it on.
    GrantWithOption,
    Revoke,
    /// The right to pass it on, and not the right.
    RevokeOption,
}

impl Object {
    /// The kind, as errors name it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Role(_) => "roles",
            Self::Group(_) => "groups",
            Self::System => "system permissions",
            Self::Database(..) => "databases",
            Self::Schema(..) => "schemas",
            Self::Table(..) => "tables",
            Self::Column(_) => "columns",
            Self::Routine(_) => "functions and procedures",
            Self::Language(_) => "languages",
            Self::Model(..) => "models",
            Self::Datashare(_) => "datashares",
            Self::IamRole(_) => "IAM roles",
            Self::CreatedBy { .. } => "default privileges",
            Self::Created { .. } => "default privileges on what the user creates",
        }
    }

    /// The statements that change these rights of a user on this.
    pub(super) fn change(&self, change: Change, words: &[&'static str], user: &str) -> Vec<Sql> {
        match self {
            Self::Group(group) => {
                let sql = Sql::new("ALTER GROUP ").ident(Ident(group));
                let sql = sql.text(match change {
                    Change::Grant | Change::GrantWithOption => " ADD USER ",
                    Change::Revoke | Change::RevokeOption => " DROP USER ",
                });
                vec![sql.ident(Ident(user))]
            }
            Self::Role(role) => {
                let sql = start(Sql::new(""), change, "ADMIN").text("ROLE ");
                vec![end(sql.ident(Ident(role)), change, "ADMIN", |sql| {
                    sql.ident(Ident(user))
                })]
            }
            // Their syntax has one word at a time.
            Self::System | Self::Datashare(_) => {
                let each = words.iter().map(|word| self.grant(change, &[word], user));
                each.collect()
            }
            _ => vec![self.grant(change, words, user)],
        }
    }

    fn grant(&self, change: Change, words: &[&'static str], user: &str) -> Sql {
        let sql = match self {
            Self::CreatedBy { owner, schema, .. } => defaults_of(owner, schema.as_deref()),
            Self::Created { schema, .. } => defaults_of(user, schema.as_deref()),
            _ => Sql::new(""),
        };
        let mut sql = start(sql, change, "GRANT");
        if let Self::IamRole(arn) = self {
            sql = iam_role(sql.text("ASSUMEROLE ON "), arn);
            sql = end(sql, change, "GRANT", |sql| sql.ident(Ident(user))).text(" FOR ");
            return listed(sql, words, |sql| sql);
        }
        sql = listed(sql, words, |sql| match self {
            Self::Column([.., column]) => sql.text(" (").ident(Ident(column)).text(")"),
            _ => sql,
        });
        end(self.on(sql), change, "GRANT", |sql| match self {
            Self::Created { grantee, .. } => grantee.name(sql),
            _ => sql.ident(Ident(user)),
        })
    }

    /// Appends what the right is on.
    fn on(&self, sql: Sql) -> Sql {
        match self {
            Self::Role(_) | Self::Group(_) | Self::System | Self::IamRole(_) => sql,
            Self::Database(scope, name) => {
                scope.inside(sql, " ON DATABASE ", " IN DATABASE ", name)
            }
            Self::Schema(scope, name) => scope.inside(sql, " ON SCHEMA ", " IN SCHEMA ", name),
            Self::Table(schema, name) => qualified(sql.text(" ON TABLE "), schema, name),
            Self::Column([schema, table, _]) => qualified(sql.text(" ON TABLE "), schema, table),
            Self::Routine(routine) => {
                let sql = sql.text(if routine.procedure {
                    " ON PROCEDURE "
                } else {
                    " ON FUNCTION "
                });
                let sql = qualified(sql, &routine.schema, &routine.name);
                sql.text("(").checked(&routine.arguments).text(")")
            }
            Self::Language(name) => sql.text(" ON LANGUAGE ").ident(Ident(name)),
            Self::Model(schema, name) => qualified(sql.text(" ON MODEL "), schema, name),
            Self::Datashare(name) => sql.text(" ON DATASHARE ").ident(Ident(name)),
            Self::CreatedBy { what, .. } | Self::Created { what, .. } => {
                sql.text(" ON ").text(what.plural())
            }
        }
    }
}

impl Scope {
    /// What the scope is called, in the catalogue as in statements.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Itself => "",
            Self::Schemas => "SCHEMAS",
            Self::Tables => "TABLES",
            Self::Functions => "FUNCTIONS",
            Self::Procedures => "PROCEDURES",
            Self::Languages => "LANGUAGES",
        }
    }

    fn inside(self, sql: Sql, on: &'static str, inside: &'static str, name: &str) -> Sql {
        let sql = match self {
            Self::Itself => sql.text(on),
            all => sql.text(" FOR ").text(all.plural()).text(inside),
        };
        sql.ident(Ident(name))
    }
}

fn start(sql: Sql, change: Change, option: &'static str) -> Sql {
    match change {
        Change::Grant | Change::GrantWithOption => sql.text("GRANT "),
        Change::Revoke => sql.text("REVOKE "),
        Change::RevokeOption => sql.text("REVOKE ").text(option).text(" OPTION FOR "),
    }
}

fn end(sql: Sql, change: Change, option: &'static str, who: impl FnOnce(Sql) -> Sql) -> Sql {
    match change {
        Change::Grant => who(sql.text(" TO ")),
        Change::GrantWithOption => {
            let sql = who(sql.text(" TO ")).text(" WITH ");
            sql.text(option).text(" OPTION")
        }
        Change::Revoke | Change::RevokeOption => who(sql.text(" FROM ")),
    }
}

fn listed(sql: Sql, words: &[&'static str], after: impl Fn(Sql) -> Sql) -> Sql {
    let mut words = words.iter();
    let first = words.next().copied().unwrap_or_default();
    let sql = after(sql.text(first));
    words.fold(sql, |sql, word| after(sql.text(", ").text(word)))
}

fn defaults_of(owner: &str, schema: Option<&str>) -> Sql {
    let sql = Sql::new("ALTER DEFAULT PRIVILEGES FOR USER ").ident(Ident(owner));
    match schema {
        Some(schema) => sql.text(" IN SCHEMA ").ident(Ident(schema)).text(" "),
        None => sql.text(" "),
    }
}

fn iam_role(sql: Sql, arn: &str) -> Sql {
    if arn == DEFAULT_IAM_ROLE {
        return sql.text("default");
    }
    sql.escaped(Literal(arn))
}

/// How the catalogue names the IAM role that is the cluster's default.
pub(super) const DEFAULT_IAM_ROLE: &str = "default-aws-iam-role";

fn qualified(sql: Sql, schema: &str, name: &str) -> Sql {
    sql.ident(Ident(schema)).text(".").ident(Ident(name))
}

impl Routine {
    /// None where the types hold what no name of a type does: they become part of a statement as they are.
    pub(super) fn new(schema: &str, name: &str, arguments: &str, procedure: bool) -> Option<Self> {
        let harmless = |c: char| c.is_ascii_alphanumeric() || " _,".contains(c);
        let bare = arguments.replace("\"char\"", "char");
        bare.chars().all(harmless).then(|| Self {
            procedure,
            schema: schema.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
