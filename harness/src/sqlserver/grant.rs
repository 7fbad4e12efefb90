//! `GRANT`, `DENY` and `REVOKE`.

use super::ddl::{PRINCIPAL, Parsed, no};
use super::lexer::Reader;
use super::packet::Refusal;
use super::state::{Rights, Securable, Session, State};
use super::users::may_change;

/// The words of GRANT for each class, with those of the catalogue; and whether names have a schema.
const CLASSES: [(&str, &str, Option<&str>, bool); 20] = [
    (
        "SERVER ROLE",
        "SERVER_PRINCIPAL",
        Some("SERVER_ROLE"),
        false,
    ),
    ("LOGIN", "SERVER_PRINCIPAL", Some("SQL_LOGIN"), false),
    ("ENDPOINT", "ENDPOINT", None, false),
    ("OBJECT", "OBJECT_OR_COLUMN", None, true),
    ("SCHEMA", "SCHEMA", None, false),
    ("ROLE", "DATABASE_PRINCIPAL", Some("DATABASE_ROLE"), false),
    ("USER", "DATABASE_PRINCIPAL", Some("SQL_USER"), false),
    ("ASSEMBLY", "ASSEMBLY", None, false),
    ("TYPE", "TYPE", None, true),
    ("XML SCHEMA COLLECTION", "XML_SCHEMA_COLLECTION", None, true),
    ("MESSAGE TYPE", "MESSAGE_TYPE", None, false),
    ("CONTRACT", "SERVICE_CONTRACT", None, false),
    ("SERVICE", "SERVICE", None, false),
    (
        "REMOTE SERVICE BINDING",
        "REMOTE_SERVICE_BINDING",
        None,
        false,
    ),
    ("ROUTE", "ROUTE", None, false),
    ("FULLTEXT CATALOG", "FULLTEXT_CATALOG", None, false),
    ("SYMMETRIC KEY", "SYMMETRIC_KEYS", None, false),
    ("CERTIFICATE", "CERTIFICATE", None, false),
    ("ASYMMETRIC KEY", "ASYMMETRIC_KEY", None, false),
    ("FULLTEXT STOPLIST", "FULLTEXT_STOPLIST", None, false),
];

fn securable(sql: &mut Reader<'_>) -> Option<Securable> {
    let words = sql.until(&[":"])?;
    if !sql.takes(": :") {
        return None;
    }
    let class = CLASSES.iter().find(|class| class.0 == words)?;
    let schema = if class.3 {
        let schema = sql.name()?;
        if !sql.takes(".") {
            return None;
        }
        Some(schema)
    } else {
        None
    };
    let name = sql.name()?;
    let column = if sql.takes("(") {
        let column = sql.name()?;
        if !sql.takes(")") {
            return None;
        }
        Some(column)
    } else {
        None
    };
    Some(Securable {
        class: class.1.to_owned(),
        kind: class.2.map(str::to_owned),
        schema,
        name,
        column,
    })
}

pub(super) fn right(
    state: &mut State,
    session: &Session,
    sql: &mut Reader<'_>,
    verb: &str,
) -> Parsed<()> {
    let permission = sql.until(&["ON", "TO", "FROM"])?;
    let on = if sql.takes("ON") {
        Some(securable(sql)?)
    } else {
        None
    };
    let takes = verb.starts_with("REVOKE");
    if !sql.takes(if takes { "FROM" } else { "TO" }) {
        return None;
    }
    let grantee = sql.name()?;
    let with_option = verb == "GRANT" && sql.takes("WITH GRANT OPTION");
    let cascades = verb != "GRANT" && sql.takes("CASCADE");
    if !sql.is_over() {
        return None;
    }
    let given = Given {
        verb,
        key: (permission, on),
        grantee,
        with_option,
        cascades,
    };
    let class = given.key.1.as_ref().map(|on| on.class.as_str());
    let is_servers = match class {
        Some(class) => ["SERVER_PRINCIPAL", "ENDPOINT"].contains(&class),
        None => is_server_permission(&given.key.0),
    };
    Some(if is_servers {
        at_server(state, session, given)
    } else {
        in_database(state, session, given)
    })
}

struct Given<'v> {
    verb: &'v str,
    key: (String, Option<Securable>),
    grantee: String,
    with_option: bool,
    cascades: bool,
}

/// As "Permissions" in the documentation has them: those of the server alone.
fn is_server_permission(permission: &str) -> bool {
    [
        "CONNECT SQL",
        "VIEW SERVER STATE",
        "VIEW ANY DATABASE",
        "VIEW ANY DEFINITION",
        "ALTER ANY LOGIN",
        "ALTER ANY SERVER ROLE",
        "ALTER TRACE",
        "CONTROL SERVER",
    ]
    .contains(&permission)
}

fn at_server(state: &mut State, session: &Session, given: Given<'_>) -> Result<(), Refusal> {
    if session.database != "master" {
        return Err(no(4621));
    }
    let exists = given
        .key
        .1
        .as_ref()
        .is_none_or(|on| match on.kind.as_deref() {
            Some("SERVER_ROLE") => state.server_roles.contains(&on.name),
            Some(_) => state.logins.contains_key(&on.name),
            None => state.endpoints.contains(&on.name),
        });
    let own = state.login_of(session);
    let may_give = own.and_then(|login| login.rights.get(&given.key));
    let may_give = may_give.is_some_and(|state| state == "GRANT_WITH_GRANT_OPTION");
    if !state.is_sysadmin(session) && !may_give {
        return Err(no(4613));
    }
    let login = state.logins.get_mut(&given.grantee);
    match login.filter(|_| exists) {
        None => Err(no(PRINCIPAL)),
        Some(login) => give(&mut login.rights, given),
    }
}

fn in_database(state: &mut State, session: &Session, given: Given<'_>) -> Result<(), Refusal> {
    may_change(state, session, 4613)?;
    let database = state.databases.get_mut(&session.database).expect("entered");
    if !given.key.1.as_ref().is_none_or(|on| database.holds(on)) {
        return Err(no(PRINCIPAL));
    }
    match database.users.get_mut(&given.grantee) {
        None => Err(no(PRINCIPAL)),
        Some(user) => give(&mut user.rights, given),
    }
}

fn give(rights: &mut Rights, given: Given<'_>) -> Result<(), Refusal> {
    const WITH_OPTION: &str = "GRANT_WITH_GRANT_OPTION";
    let found = rights.get(&given.key).map(String::as_str);
    // "To revoke or deny grantable privileges, specify the CASCADE option."
    if found == Some(WITH_OPTION) && given.verb != "GRANT" && !given.cascades {
        return Err(no(4611));
    }
    let becomes = match (given.verb, found) {
        ("GRANT", Some(WITH_OPTION)) => WITH_OPTION,
        ("GRANT", _) if given.with_option => WITH_OPTION,
        ("GRANT", _) | ("REVOKE GRANT OPTION", Some(_)) => "GRANT",
        ("DENY", _) => "DENY",
        _ => {
            rights.remove(&given.key);
            return Ok(());
        }
    };
    // A right on a whole table ends what was said of its columns.
    if let (permission, Some(on)) = &given.key
        && on.column.is_none()
    {
        rights.retain(|(other, it), _| {
            let is_column = it.as_ref().is_some_and(|it| {
                it.column.is_some() && (&it.schema, &it.name) == (&on.schema, &on.name)
            });
            !(is_column && other == permission)
        });
    }
    rights.insert(given.key, becomes.to_owned());
    Ok(())
}
