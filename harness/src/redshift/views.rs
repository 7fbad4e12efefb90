//! The system views, asked one at a time: `SELECT columns FROM pg_catalog.view WHERE .. AND ..`.

use super::lexer::Reader;
use super::state::{Kind, Refusal, Row, State};

/// The columns of each view that a question may name, as AWS's documentation has them; `admin_option` is in
/// those whose rights can be passed on.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "svv_user_info",
        &[
            "user_name",
            "superuser",
            "createdb",
            "syslog_access",
            "connection_limit",
            "session_timeout",
        ],
    ),
    ("svv_external_schemas", &["schemaname"]),
    (
        "svv_user_grants",
        &["user_name", "role_name", "admin_option"],
    ),
    (
        "svv_system_privileges",
        &["system_privilege", "identity_name", "identity_type"],
    ),
    (
        "svv_database_privileges",
        &[
            "database_name",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
            "privilege_scope",
        ],
    ),
    (
        "svv_schema_privileges",
        &[
            "namespace_name",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
            "privilege_scope",
        ],
    ),
    (
        "svv_relation_privileges",
        &[
            "namespace_name",
            "relation_name",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
        ],
    ),
    (
        "svv_column_privileges",
        &[
            "namespace_name",
            "relation_name",
            "column_name",
            "privilege_type",
            "identity_name",
            "identity_type",
        ],
    ),
    (
        "svv_function_privileges",
        &[
            "namespace_name",
            "function_name",
            "argument_types",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
        ],
    ),
    (
        "svv_language_privileges",
        &[
            "language_name",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
        ],
    ),
    (
        "svv_ml_model_privileges",
        &[
            "namespace_name",
            "model_name",
            "model_version",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
        ],
    ),
    (
        "svv_datashare_privileges",
        &[
            "datashare_name",
            "privilege_type",
            "identity_name",
            "identity_type",
            "admin_option",
        ],
    ),
    (
        "svv_iam_privileges",
        &["iam_arn", "command_type", "identity_name", "identity_type"],
    ),
    (
        "svv_default_privileges",
        &[
            "schema_name",
            "object_type",
            "owner_name",
            "owner_type",
            "privilege_type",
            "grantee_name",
            "grantee_type",
            "admin_option",
        ],
    ),
    (
        "svv_rls_attached_policy",
        &["relschema", "relname", "polname", "grantee", "granteekind"],
    ),
    (
        "svv_attached_masking_policy",
        &[
            "policy_name",
            "schema_name",
            "table_name",
            "grantee",
            "grantee_type",
            "priority",
            "input_columns",
            "output_columns",
        ],
    ),
];

/// Of which of their columns users see their own rows only; superusers see all. None: nothing at all.
fn whose(view: &str) -> Option<&'static str> {
    match view {
        "svv_user_info" | "svv_user_grants" => Some("user_name"),
        "svv_default_privileges" => Some("grantee_name"),
        "svv_rls_attached_policy" | "svv_attached_masking_policy" | "svv_external_schemas" => None,
        _ => Some("identity_name"),
    }
}

/// The name of the view of this name, which outlives the question.
pub(super) fn known(name: &str) -> Option<&'static str> {
    let found = COLUMNS.iter().find(|(view, _)| *view == name);
    found.map(|(view, _)| *view)
}

/// Answers a question, if it is one about a view.
pub(super) fn answer(
    reader: &mut Reader<'_>,
    state: &State,
    who: &str,
) -> Result<Vec<Vec<Option<String>>>, Refusal> {
    reader.expect("select")?;
    let mut selected = vec![reader.word().ok_or(Refusal::UNKNOWN)?];
    while reader.symbol(',') {
        selected.push(reader.word().ok_or(Refusal::UNKNOWN)?);
    }
    reader.expect("from pg_catalog")?;
    if !reader.symbol('.') {
        return Err(Refusal::UNKNOWN);
    }
    let view = known(reader.word().unwrap_or_default()).ok_or(Refusal::UNKNOWN)?;
    let columns = COLUMNS.iter().find(|(name, _)| *name == view);
    let columns = columns.map_or(&[][..], |(_, columns)| *columns);
    let check = |column: &str| {
        let is_one = column == "false" || columns.contains(&column);
        is_one.then_some(()).ok_or(Refusal::of("42703"))
    };
    for column in &selected {
        check(column)?;
    }
    let mut conditions = Vec::new();
    if reader.eat("where") {
        loop {
            let column = reader.word().ok_or(Refusal::UNKNOWN)?;
            check(column)?;
            conditions.push((column, values(reader)?));
            if !reader.eat("and") {
                break;
            }
        }
    }
    reader.end()?;
    let superuser = state.users.get(who).is_some_and(|user| user.superuser);
    let visible = |row: &Row| superuser || whose(view).is_some_and(|column| row[column] == who);
    let rows = rows(view, state);
    let rows = rows.iter().filter(|(row, _)| {
        let fits = |(column, values): &(&str, Vec<String>)| {
            row.get(*column).is_some_and(|value| values.contains(value))
        };
        visible(row) && conditions.iter().all(fits)
    });
    let texts = rows.map(|(row, option)| {
        let column = |name: &&str| match *name {
            "false" => Some("f".to_owned()),
            "admin_option" => Some(if *option { "t" } else { "f" }.to_owned()),
            // A view does not say of the default version of a model which one that is.
            name => row.get(name).cloned(),
        };
        selected.iter().map(column).collect()
    });
    Ok(texts.collect())
}

fn values(reader: &mut Reader<'_>) -> Result<Vec<String>, Refusal> {
    if reader.symbol('=') {
        return Ok(vec![reader.value()?]);
    }
    reader.expect("in")?;
    if !reader.symbol('(') {
        return Err(Refusal::UNKNOWN);
    }
    let mut values = vec![reader.value()?];
    while reader.symbol(',') {
        values.push(reader.value()?);
    }
    if !reader.symbol(')') {
        return Err(Refusal::UNKNOWN);
    }
    Ok(values)
}

fn rows(view: &'static str, state: &State) -> Vec<(Row, bool)> {
    let boolean = |is: bool| if is { "t" } else { "f" }.to_owned();
    match view {
        "svv_user_info" => {
            let users = state.users.iter().map(|(name, user)| {
                let access = if user.sees_all {
                    "UNRESTRICTED"
                } else {
                    "RESTRICTED"
                };
                let limit = user.connection_limit;
                let limit = limit.map_or("UNLIMITED".to_owned(), |limit| limit.to_string());
                let row = [
                    ("user_name", name.clone()),
                    ("superuser", boolean(user.superuser)),
                    ("createdb", boolean(user.createdb)),
                    ("syslog_access", access.to_owned()),
                    ("connection_limit", limit),
                    ("session_timeout", user.session_timeout.to_string()),
                ];
                (Row::from(row), false)
            });
            users.collect()
        }
        "svv_external_schemas" => {
            let things = state.things.keys();
            let external = things.filter(|(kind, _)| *kind == Kind::ExternalSchema);
            external
                .map(|(_, path)| (Row::from([("schemaname", path[0].clone())]), false))
                .collect()
        }
        _ => {
            let rights = state.rights.iter().filter(|((of, _), _)| *of == view);
            rights
                .map(|((_, row), option)| (row.clone(), *option))
                .collect()
        }
    }
}
