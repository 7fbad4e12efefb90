//! `GRANT`, `REVOKE` and `ALTER DEFAULT PRIVILEGES`: what they mean in rows of the system views.

use super::lexer::Reader;
use super::state::{Kind, Refusal, Row, State};

/// What a statement does, and to which rows of a view.
pub(super) struct Grant {
    view: &'static str,
    rows: Vec<Row>,
    act: Act,
    defaults: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Grant { option: bool },
    Revoke,
    RevokeOption,
}

const TABLE: &[&str] = &[
    "select",
    "insert",
    "update",
    "delete",
    "references",
    "drop",
    "alter",
    "truncate",
    "rule",
    "trigger",
];

/// Reads the statement; names must be those of things that are there.
pub(super) fn read(reader: &mut Reader<'_>, state: &State) -> Result<Grant, Refusal> {
    if reader.eat("alter default privileges for user") {
        return defaults(reader, state);
    }
    let mut act = start(reader)?;
    if reader.eat("role") {
        let role = reader.account()?;
        state.roles.get(&role).ok_or(Refusal::NO_OBJECT)?;
        direction(reader, act)?;
        let user = reader.account()?;
        state.users.get(&user).ok_or(Refusal::NO_OBJECT)?;
        act = option(reader, act, "with admin option");
        let row = Row::from([("user_name", user), ("role_name", role)]);
        return Ok(finished("svv_user_grants", vec![row], act));
    }
    if reader.eat("assumerole on") {
        return assume_role(reader, state, act);
    }
    let (words, columns) = words(reader)?;
    let (view, target, known) = target(reader, state, !columns.is_empty())?;
    if words.iter().any(|word| !known.contains(&word.as_str())) {
        return Err(Refusal::UNKNOWN);
    }
    direction(reader, act)?;
    let (kind, name) = grantee(reader, state)?;
    act = option(reader, act, "with grant option");
    if act == (Act::Grant { option: true }) && (kind != "user" || !columns.is_empty()) {
        return Err(Refusal::of("0LP01"));
    }
    let word_column = if view == "svv_system_privileges" {
        "system_privilege"
    } else {
        "privilege_type"
    };
    let rows = words.iter().enumerate().map(|(nth, word)| {
        let mut row = target.clone();
        row.insert(word_column, word.to_uppercase());
        row.insert("identity_type", kind.to_owned());
        row.insert("identity_name", name.clone());
        if let Some(column) = columns.get(nth) {
            row.insert("column_name", column.clone());
        }
        row
    });
    Ok(finished(view, rows.collect(), act))
}

fn finished(view: &'static str, rows: Vec<Row>, act: Act) -> Grant {
    Grant {
        view,
        rows,
        act,
        defaults: false,
    }
}

/// Changes the rows; gives the tag of the statement.
pub(super) fn apply(grant: Grant, state: &mut State) -> &'static str {
    for row in grant.rows {
        let key = (grant.view, row);
        match grant.act {
            Act::Grant { option } => *state.rights.entry(key).or_default() |= option,
            Act::Revoke => drop(state.rights.remove(&key)),
            Act::RevokeOption => {
                if let Some(option) = state.rights.get_mut(&key) {
                    *option = false;
                }
            }
        }
    }
    match grant.act {
        _ if grant.defaults => "ALTER DEFAULT PRIVILEGES",
        Act::Grant { .. } => "GRANT",
        _ => "REVOKE",
    }
}

fn start(reader: &mut Reader<'_>) -> Result<Act, Refusal> {
    if reader.eat("grant") {
        return Ok(Act::Grant { option: false });
    }
    reader.expect("revoke")?;
    let option = reader.eat("grant option for") || reader.eat("admin option for");
    Ok(if option {
        Act::RevokeOption
    } else {
        Act::Revoke
    })
}

fn direction(reader: &mut Reader<'_>, act: Act) -> Result<(), Refusal> {
    reader.expect(match act {
        Act::Grant { .. } => "to",
        _ => "from",
    })
}

fn option(reader: &mut Reader<'_>, act: Act, words: &str) -> Act {
    match act {
        Act::Grant { .. } if reader.eat(words) => Act::Grant { option: true },
        same => same,
    }
}

fn grantee(reader: &mut Reader<'_>, state: &State) -> Result<(&'static str, String), Refusal> {
    let (kind, known, name) = if reader.eat("public") {
        ("public", true, "public".to_owned())
    } else if reader.eat("group") {
        let name = reader.account()?;
        ("group", state.groups.contains_key(&name), name)
    } else if reader.eat("role") {
        let name = reader.account()?;
        ("role", state.roles.contains(&name), name)
    } else {
        let name = reader.account()?;
        ("user", state.users.contains_key(&name), name)
    };
    known.then_some((kind, name)).ok_or(Refusal::NO_OBJECT)
}

/// The words, and the column behind each of them where there are columns.
fn words(reader: &mut Reader<'_>) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (mut words, mut columns) = (Vec::new(), Vec::new());
    loop {
        let mut word = reader.word().ok_or(Refusal::UNKNOWN)?.to_owned();
        for second in ["model", "rls"] {
            if reader.eat(second) {
                word = format!("{word} {second}");
            }
        }
        words.push(word);
        if reader.symbol('(') {
            columns.push(reader.name()?);
            if !reader.symbol(')') {
                return Err(Refusal::UNKNOWN);
            }
        }
        if !reader.symbol(',') {
            break;
        }
    }
    let whole = columns.is_empty() || columns.len() == words.len();
    whole.then_some((words, columns)).ok_or(Refusal::UNKNOWN)
}

type Target = (&'static str, Row, &'static [&'static str]);

/// The view, what the right is on, and which words fit it.
fn target(reader: &mut Reader<'_>, state: &State, columns: bool) -> Result<Target, Refusal> {
    if reader.eat("for") {
        return scoped(reader, state);
    }
    if !reader.eat("on") {
        let known = &["create model", "explain rls", "ignore rls"];
        return Ok(("svv_system_privileges", Row::new(), known));
    }
    let kind = reader.word().ok_or(Refusal::UNKNOWN)?;
    let first = reader.name()?;
    let mut second = || {
        if reader.symbol('.') {
            reader.name()
        } else {
            Err(Refusal::UNKNOWN)
        }
    };
    Ok(match kind {
        "database" => {
            found(there(state, Kind::Database, &[&first]))?;
            let row = [
                ("database_name", first),
                ("privilege_scope", "DATABASE".to_owned()),
            ];
            let known = &["create", "temp", "temporary", "usage", "alter"];
            ("svv_database_privileges", Row::from(row), known)
        }
        "schema" => {
            let external = there(state, Kind::ExternalSchema, &[&first]);
            found(external || there(state, Kind::Schema, &[&first]))?;
            let known: &[&str] = if external {
                &["usage"]
            } else {
                &["create", "usage", "alter", "drop"]
            };
            let row = [
                ("namespace_name", first),
                ("privilege_scope", "SCHEMA".to_owned()),
            ];
            ("svv_schema_privileges", Row::from(row), known)
        }
        "table" => {
            let table = second()?;
            let path = [&first, &table];
            found(there(state, Kind::Table, &path) || there(state, Kind::View, &path))?;
            let row = Row::from([("namespace_name", first), ("relation_name", table)]);
            if columns {
                ("svv_column_privileges", row, &["select", "update"])
            } else {
                ("svv_relation_privileges", row, TABLE)
            }
        }
        "function" | "procedure" => {
            let name = second()?;
            let types = reader.in_parentheses()?;
            let kind = if kind == "function" {
                Kind::Function
            } else {
                Kind::Procedure
            };
            found(there(state, kind, &[&first, &name, &types]))?;
            let row = [
                ("namespace_name", first),
                ("function_name", name),
                ("argument_types", types),
            ];
            ("svv_function_privileges", Row::from(row), &["execute"])
        }
        "language" => {
            found(there(state, Kind::Language, &[&first]))?;
            let row = Row::from([("language_name", first)]);
            ("svv_language_privileges", row, &["usage"])
        }
        "model" => {
            let name = second()?;
            found(there(state, Kind::Model, &[&first, &name]))?;
            let row = [("namespace_name", first), ("model_name", name)];
            ("svv_ml_model_privileges", Row::from(row), &["execute"])
        }
        "datashare" => {
            found(there(state, Kind::Datashare, &[&first]))?;
            let row = Row::from([("datashare_name", first)]);
            ("svv_datashare_privileges", row, &["alter", "share"])
        }
        _ => return Err(Refusal::UNKNOWN),
    })
}

/// All of a kind in a schema or database.
fn scoped(reader: &mut Reader<'_>, state: &State) -> Result<Target, Refusal> {
    let (scope, known): (&str, &[&str]) = match reader.word() {
        Some("schemas") => ("SCHEMAS", &["create", "usage", "alter", "drop"]),
        Some("tables") => ("TABLES", TABLE),
        Some("functions") => ("FUNCTIONS", &["execute"]),
        Some("procedures") => ("PROCEDURES", &["execute"]),
        Some("languages") => ("LANGUAGES", &["usage"]),
        _ => return Err(Refusal::UNKNOWN),
    };
    let scope = scope.to_owned();
    if reader.eat("in schema") {
        let name = reader.name()?;
        found(there(state, Kind::Schema, &[&name]))?;
        let row = Row::from([("namespace_name", name), ("privilege_scope", scope)]);
        return Ok(("svv_schema_privileges", row, known));
    }
    reader.expect("in database")?;
    let name = reader.name()?;
    found(there(state, Kind::Database, &[&name]))?;
    let row = Row::from([("database_name", name), ("privilege_scope", scope)]);
    Ok(("svv_database_privileges", row, known))
}

/// Whether there is something of that kind and path.
fn there(state: &State, kind: Kind, path: &[&String]) -> bool {
    let path = path.iter().map(|part| (*part).clone()).collect();
    state.things.contains_key(&(kind, path))
}

fn found(is: bool) -> Result<(), Refusal> {
    is.then_some(()).ok_or(Refusal::of("42P01"))
}

fn assume_role(reader: &mut Reader<'_>, state: &State, act: Act) -> Result<Grant, Refusal> {
    let arn = if reader.eat("default") {
        "default-aws-iam-role".to_owned()
    } else {
        reader.value()?
    };
    direction(reader, act)?;
    let (kind, name) = grantee(reader, state)?;
    reader.expect("for")?;
    let mut rows = Vec::new();
    loop {
        let command = match reader.word() {
            Some("copy") => "COPY",
            Some("unload") => "UNLOAD",
            Some("external") if reader.eat("function") => "EXFUNC",
            Some("create") if reader.eat("model") => "CREATE MODEL",
            _ => return Err(Refusal::UNKNOWN),
        };
        rows.push(Row::from([
            ("iam_arn", arn.clone()),
            ("command_type", command.to_owned()),
            ("identity_type", kind.to_owned()),
            ("identity_name", name.clone()),
        ]));
        if !reader.symbol(',') {
            return Ok(finished("svv_iam_privileges", rows, act));
        }
    }
}

fn defaults(reader: &mut Reader<'_>, state: &State) -> Result<Grant, Refusal> {
    let owner = reader.account()?;
    state.users.get(&owner).ok_or(Refusal::NO_OBJECT)?;
    let schema = if reader.eat("in schema") {
        reader.name()?
    } else {
        String::new()
    };
    let mut act = start(reader)?;
    let (words, columns) = words(reader)?;
    reader.expect("on")?;
    let (what, known): (&str, &[&str]) = match reader.word() {
        Some("tables") => ("RELATION", TABLE),
        Some("functions") => ("FUNCTION", &["execute"]),
        Some("procedures") => ("PROCEDURE", &["execute"]),
        _ => return Err(Refusal::UNKNOWN),
    };
    if !columns.is_empty() || words.iter().any(|word| !known.contains(&word.as_str())) {
        return Err(Refusal::UNKNOWN);
    }
    direction(reader, act)?;
    let (kind, name) = grantee(reader, state)?;
    act = option(reader, act, "with grant option");
    let rows = words.iter().map(|word| {
        Row::from([
            ("owner_name", owner.clone()),
            ("owner_type", "user".to_owned()),
            ("schema_name", schema.clone()),
            ("object_type", what.to_owned()),
            ("privilege_type", word.to_uppercase()),
            ("grantee_name", name.clone()),
            ("grantee_type", kind.to_owned()),
        ])
    });
    Ok(Grant {
        view: "svv_default_privileges",
        rows: rows.collect(),
        act,
        defaults: true,
    })
}
