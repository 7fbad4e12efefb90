//! The catalogue views, as far as the rotators ask them.
//!
//! Of a question it reads what it wants to know (the names of its columns), of what view, and about whom. How a
//! column comes about is not worked out: its name says what it is.

use super::lexer::Word;
use super::packet::Value;
use super::state::{Rights, Session, State};

/// Columns and lines.
pub(super) type Answer = (Vec<String>, Vec<Vec<Value>>);

/// A line, by the names of its columns.
type Line = Vec<(&'static str, Value)>;

/// Answers a SELECT; None: it is not understood.
pub(super) fn select(state: &State, session: &Session, words: &[Word]) -> Option<Answer> {
    let from = position(words, "FROM");
    let columns = columns(words.get(1..from.unwrap_or(words.len()))?)?;
    let lines = match from {
        None => vec![without_view(state, session, &columns)?],
        Some(from) => {
            let condition = position(words, "WHERE")?;
            let view = text(&words[from + 1..(from + 4).min(words.len())]);
            view_lines(state, session, &view, &words[condition + 1..])?
        }
    };
    let rows = lines.into_iter().map(|line| {
        let values = columns.iter().map(|column| {
            let found = line.iter().find(|(name, _)| name == column);
            found.map(|(_, value)| value.clone())
        });
        values.collect::<Option<Vec<_>>>()
    });
    Some((columns.clone(), rows.collect::<Option<_>>()?))
}

/// Where the word stands outside of brackets.
fn position(words: &[Word], wanted: &str) -> Option<usize> {
    let mut depth = 0;
    words.iter().position(|word| {
        match word {
            Word::Sign('(') => depth += 1,
            Word::Sign(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && *word == Word::Bare(wanted.to_owned())
    })
}

/// The last word of each item is what its column is called.
fn columns(words: &[Word]) -> Option<Vec<String>> {
    let mut depth = 0;
    let items = words.split(|word| {
        match word {
            Word::Sign('(') => depth += 1,
            Word::Sign(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && *word == Word::Sign(',')
    });
    let names = items.map(|item| match item.last()? {
        Word::Bare(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

fn text(words: &[Word]) -> String {
    let shown = words.iter().map(|word| match word {
        Word::Bare(word) => word.clone(),
        Word::Name(_) => "[]".to_owned(),
        Word::Text(_) => "?".to_owned(),
        Word::Number(number) if *number > 9 => "#".to_owned(),
        Word::Number(number) => number.to_string(),
        Word::Sign(sign) => sign.to_string(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn without_view(state: &State, session: &Session, columns: &[String]) -> Option<Line> {
    let [column] = columns else { return None };
    let sees = state.may(session, "VIEW ANY DEFINITION");
    Some(match column.as_str() {
        "one" => vec![("one", Value::Int(1))],
        "sees" => {
            let sees = sees
                || (session.login.is_some() && state.databases[&session.database].contained)
                    && state.owns_database(session, &session.database);
            vec![("sees", i32::from(sees).into())]
        }
        "name" => vec![("name", session.login.as_deref().unwrap_or_default().into())],
        _ => return None,
    })
}

fn view_lines(
    state: &State,
    session: &Session,
    view: &str,
    condition: &[Word],
) -> Option<Vec<Line>> {
    let (shown, key) = (text(condition), condition.iter().rev());
    let named = || {
        key.clone().find_map(|word| match word {
            Word::Text(name) => Some(name.as_str()),
            _ => None,
        })
    };
    let id = || match condition.last()? {
        Word::Number(id) => Some(*id),
        _ => None,
    };
    let is_all = state.is_sysadmin(session)
        || state.may(session, "VIEW ANY DEFINITION")
        || state.may(session, "ALTER ANY LOGIN");
    Some(match (view, shown.as_str()) {
        ("sys . databases", "name = ?") => {
            let found = state.databases.get(named()?);
            let line =
                |it: &super::state::Database| vec![("containment", i32::from(it.contained).into())];
            found.map(line).into_iter().collect()
        }
        (
            "sys . databases",
            "state = 0 AND HAS_DBACCESS ( name ) = 1 AND source_database_id IS NULL AND database_id < > 2 \
             ORDER BY database_id",
        ) => {
            let mut found: Vec<_> = state.databases.iter().collect();
            found.retain(|(name, it)| it.id != 2 && state.may_enter(session, name));
            found.sort_by_key(|(_, it)| it.id);
            let line = |(name, _): (&String, _)| vec![("name", name.as_str().into())];
            found.into_iter().map(line).collect()
        }
        ("sys . sql_logins", "name = ?") => {
            let name = named()?;
            let is_shown = is_all || session.login.as_deref() == Some(name);
            let found = state.logins.get(name).filter(|_| is_shown);
            found.map(login_line).into_iter().collect()
        }
        ("sys . server_role_members", "m . member_principal_id = #") => {
            let login = state.logins.values().find(|login| Some(login.id) == id());
            let roles = login.map(|login| login.roles.clone()).unwrap_or_default();
            role_lines(
                roles
                    .iter()
                    .filter(|_| state.may(session, "VIEW ANY DEFINITION")),
            )
        }
        ("sys . server_permissions", "p . grantee_principal_id = #") => {
            let login = state.logins.values().find(|login| Some(login.id) == id());
            login.map_or_else(Vec::new, |login| right_lines(&login.rights, "SERVER"))
        }
        ("sys . database_principals", "principal_id = DATABASE_PRINCIPAL_ID ( )") => {
            let kind = if session.user.is_some() { 2 } else { 1 };
            vec![vec![("kind", kind.into())]]
        }
        (view, shown) => return in_database(state, session, view, shown, named(), id()),
    })
}

fn in_database(
    state: &State,
    session: &Session,
    view: &str,
    shown: &str,
    named: Option<&str>,
    id: Option<i32>,
) -> Option<Vec<Line>> {
    let database = &state.databases[&session.database];
    let sees = state.may(session, "VIEW ANY DEFINITION")
        || state.owns_database(session, &session.database);
    let mut users = database.users.iter().filter(|_| sees);
    let of_id = database
        .users
        .values()
        .find(|user| sees && Some(user.id) == id);
    let of_id = of_id.cloned().unwrap_or_default();
    Some(match (view, shown) {
        ("sys . database_principals", "sid = SUSER_SID ( ? )") => {
            let sid = state.logins.get(named?).map(|login| login.sid);
            let found = users.find(|(_, user)| sid.is_some() && user.sid == sid);
            found.map(user_line).into_iter().collect()
        }
        ("sys . database_principals", "authentication_type = 2 AND name = ?") => {
            let found =
                users.find(|(name, user)| Some(name.as_str()) == named && user.sid.is_none());
            found.map(user_line).into_iter().collect()
        }
        ("sys . database_role_members", "m . member_principal_id = #") => {
            role_lines(of_id.roles.iter())
        }
        ("sys . database_permissions", "p . grantee_principal_id = #") => {
            right_lines(&of_id.rights, "DATABASE")
        }
        _ => return None,
    })
}

fn login_line(login: &super::state::Login) -> Line {
    vec![
        ("principal_id", login.id.into()),
        ("default_database_name", login.database.as_str().into()),
        ("default_language_name", login.language.as_str().into()),
        ("policy", i32::from(login.policy).into()),
        ("expiration", i32::from(login.expiration).into()),
        ("disabled", i32::from(login.disabled).into()),
    ]
}

fn user_line((name, user): (&String, &super::state::User)) -> Line {
    let schema = user.schema.as_deref();
    vec![
        ("principal_id", user.id.into()),
        ("name", name.as_str().into()),
        (
            "default_schema_name",
            schema.map_or(Value::Null, Value::from),
        ),
    ]
}

fn role_lines<'r>(roles: impl Iterator<Item = &'r String>) -> Vec<Line> {
    roles
        .map(|role| vec![("name", role.as_str().into())])
        .collect()
}

fn right_lines(rights: &Rights, whole: &str) -> Vec<Line> {
    let or_null = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    let line = |((permission, on), state): (&(String, Option<_>), &String)| -> Line {
        let on: Option<&super::state::Securable> = on.as_ref();
        vec![
            ("class_desc", on.map_or(whole, |on| &on.class).into()),
            ("permission_name", permission.as_str().into()),
            ("state_desc", state.as_str().into()),
            ("kind", or_null(on.and_then(|on| on.kind.as_deref()))),
            ("scope", or_null(on.and_then(|on| on.schema.as_deref()))),
            ("name", or_null(on.map(|on| on.name.as_str()))),
            (
                "column_name",
                or_null(on.and_then(|on| on.column.as_deref())),
            ),
            (
                "minor_id",
                i32::from(on.is_some_and(|on| on.column.is_some())).into(),
            ),
        ]
    };
    rights.iter().map(line).collect()
}

/// What a user owns, in the sum that is asked for: every part of it is about the same one.
pub(super) fn owned(state: &State, session: &Session, words: &[Word]) -> Option<Answer> {
    const KINDS: [&str; 10] = [
        "schemas",
        "objects",
        "types",
        "database_principals",
        "assemblies",
        "xml_schema_collections",
        "symmetric_keys",
        "asymmetric_keys",
        "certificates",
        "services",
    ];
    let mut ids = words.iter().filter_map(|word| match word {
        Word::Number(id) => Some(*id),
        _ => None,
    });
    let id = ids.next()?;
    let parts = KINDS.map(|kind| {
        let owner = if kind == "database_principals" {
            "owning_principal_id"
        } else {
            "principal_id"
        };
        format!("( SELECT COUNT ( * ) FROM sys . {kind} WHERE {owner} = # )")
    });
    if text(words) != format!("SELECT {} AS owned", parts.join(" + ")) || ids.any(|it| it != id) {
        return None;
    }
    let mut users = state.databases[&session.database].users.values();
    let owned = users.find(|user| user.id == id).map_or(0, |user| user.owns);
    Some((vec!["owned".to_owned()], vec![vec![owned.into()]]))
}
