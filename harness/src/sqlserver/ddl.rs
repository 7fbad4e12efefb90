//! Statements that change something: parsed, checked against the rights of who sends them, and carried out.

use super::lexer::Reader;
use super::packet::Refusal;
use super::state::{Condition, FIXED_SERVER_ROLES, Login, Rights, Securable, Session, State, User};

/// None: not a statement that this server knows.
type Parsed<T> = Option<Result<T, Refusal>>;

const PRINCIPAL: u32 = 15_151;

fn no(number: u32) -> Refusal {
    Refusal::new(number, "refused by the fake")
}

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

/// Carries the statement out, unless it is none of these.
pub(super) fn run(state: &mut State, session: &mut Session, sql: &mut Reader<'_>) -> Parsed<()> {
    if sql.takes("CREATE LOGIN") {
        create_login(state, session, sql)
    } else if sql.takes("ALTER LOGIN") {
        alter_login(state, session, sql)
    } else if sql.takes("ALTER SERVER ROLE") {
        server_role(state, session, sql)
    } else if sql.takes("CREATE USER") {
        create_user(state, session, sql)
    } else if sql.takes("ALTER USER") {
        alter_user(state, session, sql)
    } else if sql.takes("ALTER ROLE") {
        role(state, session, sql)
    } else if sql.takes("REVOKE GRANT OPTION FOR") {
        right(state, session, sql, "REVOKE GRANT OPTION")
    } else if sql.takes("GRANT") {
        right(state, session, sql, "GRANT")
    } else if sql.takes("DENY") {
        right(state, session, sql, "DENY")
    } else if sql.takes("REVOKE") {
        right(state, session, sql, "REVOKE")
    } else {
        None
    }
}

/// `DEFAULT_DATABASE = [x], DEFAULT_LANGUAGE = [x], CHECK_EXPIRATION = ON, CHECK_POLICY = ON`, all or some.
fn options(sql: &mut Reader<'_>, login: &mut Login) -> Option<()> {
    loop {
        if sql.takes("DEFAULT_DATABASE =") {
            login.database = sql.name()?;
        } else if sql.takes("DEFAULT_LANGUAGE =") {
            login.language = sql.name()?;
        } else if sql.takes("CHECK_EXPIRATION =") {
            login.expiration = sql.switch()?;
        } else if sql.takes("CHECK_POLICY =") {
            login.policy = sql.switch()?;
        } else {
            return None;
        }
        if sql.is_over() {
            return Some(());
        }
        if !sql.takes(",") {
            return None;
        }
    }
}

/// What Windows asks of a password: eight characters of three kinds.
fn check_policy(password: &str) -> Result<(), Refusal> {
    let kinds: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| !c.is_ascii_alphanumeric(),
    ];
    let kinds = kinds.iter().filter(|kind| password.chars().any(**kind));
    match (password.chars().count(), kinds.count()) {
        (..=7, _) => Err(no(15_116)),
        (129.., _) => Err(no(15_117)),
        (_, ..=2) => Err(no(15_118)),
        _ => Ok(()),
    }
}

fn create_login(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let name = sql.name()?;
    if !sql.takes("WITH PASSWORD =") {
        return None;
    }
    let mut login = Login {
        password: sql.text()?,
        database: "master".to_owned(),
        language: "us_english".to_owned(),
        policy: true,
        ..Login::default()
    };
    if sql.takes(",") {
        options(sql, &mut login)?;
    }
    if !sql.is_over() {
        return None;
    }
    Some(if !state.may(session, "ALTER ANY LOGIN") {
        Err(no(15_247))
    } else if state.logins.contains_key(&name) || state.server_roles.contains(&name) {
        Err(no(15_025))
    } else if !state.databases.contains_key(&login.database) {
        Err(no(15_010))
    } else if login.expiration && !login.policy {
        Err(no(15_122))
    } else if let Err(fault) = check_policy(&login.password)
        && login.policy
    {
        Err(fault)
    } else {
        (login.id, login.sid) = (state.number(), state.number());
        let connect = ("CONNECT SQL".to_owned(), None);
        login.rights.insert(connect, "GRANT".to_owned());
        login.history = vec![login.password.clone()];
        state.logins.insert(name, login);
        Ok(())
    })
}

fn alter_login(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let name = sql.name()?;
    let is_own = session.login.as_ref() == Some(&name);
    let target = state.logins.get(&name);
    // Those who may do everything are changed by their like only.
    let is_mighty = target.is_some_and(|login| login.roles.contains("sysadmin"));
    let may = if is_mighty {
        state.is_sysadmin(session)
    } else {
        state.may(session, "ALTER ANY LOGIN")
    };
    let mut changed = target.cloned().unwrap_or_default();
    let mut is_allowed = may;
    if sql.takes("WITH PASSWORD =") {
        let new = sql.text()?;
        let old = match sql.takes("OLD_PASSWORD =") {
            true => Some(sql.text()?),
            false => None,
        };
        is_allowed = match &old {
            Some(old) => (may || is_own) && *old == changed.password,
            None => may,
        };
        if is_allowed && changed.policy && target.is_some() {
            let recent = changed.condition == Condition::TooRecent;
            let checked = if recent && !may {
                Err(no(15_114))
            } else if changed.history.contains(&new) {
                Err(no(15_115))
            } else {
                check_policy(&new)
            };
            if let Err(fault) = checked {
                return sql.is_over().then_some(Err(fault));
            }
        }
        changed.history.push(new.clone());
        changed.password = new;
    } else if sql.takes("WITH") {
        options(sql, &mut changed)?;
    } else if sql.takes("DISABLE") {
        changed.disabled = true;
    } else if sql.takes("ENABLE") {
        changed.disabled = false;
    } else {
        return None;
    }
    if !sql.is_over() {
        return None;
    }
    Some(if target.is_none() || !is_allowed {
        Err(no(PRINCIPAL))
    } else if changed.expiration && !changed.policy {
        Err(no(15_122))
    } else {
        state.logins.insert(name, changed);
        Ok(())
    })
}

/// `[role] ADD MEMBER [x]`: whether it is added, the role and the member.
fn membership(sql: &mut Reader<'_>) -> Option<(bool, String, String)> {
    let role = sql.name()?;
    let adds = sql.takes("ADD MEMBER");
    if !adds && !sql.takes("DROP MEMBER") {
        return None;
    }
    let member = sql.name()?;
    sql.is_over().then_some((adds, role, member))
}

fn server_role(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let (adds, role, member) = membership(sql)?;
    let is_member = state
        .login_of(session)
        .is_some_and(|login| login.roles.contains(&role));
    let is_fixed = FIXED_SERVER_ROLES.contains(&role.as_str());
    let may = state.is_sysadmin(session)
        || (is_fixed && is_member)
        || (!is_fixed && state.may(session, "ALTER ANY SERVER ROLE"));
    if !may || !state.server_roles.contains(&role) {
        return Some(Err(no(PRINCIPAL)));
    }
    Some(match state.logins.get_mut(&member) {
        None => Err(no(PRINCIPAL)),
        Some(login) if adds => {
            login.roles.insert(role);
            Ok(())
        }
        Some(login) => {
            login.roles.remove(&role);
            Ok(())
        }
    })
}

/// Whether the session may change users of the database that it is in.
fn may_change(state: &State, session: &Session, otherwise: u32) -> Result<(), Refusal> {
    if state.databases[&session.database].read_only {
        return Err(no(3906));
    }
    if state.owns_database(session, &session.database) {
        return Ok(());
    }
    Err(no(otherwise))
}

fn create_user(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let name = sql.name()?;
    let mut user = User {
        schema: Some("dbo".to_owned()),
        ..User::default()
    };
    let login = if sql.takes("FOR LOGIN") {
        let login = sql.name()?;
        if sql.takes("WITH DEFAULT_SCHEMA =") {
            user.schema = Some(sql.name()?);
        }
        Some(login)
    } else if sql.takes("WITH PASSWORD =") {
        user.password = sql.text()?;
        if sql.takes(", DEFAULT_SCHEMA =") {
            user.schema = Some(sql.name()?);
        }
        None
    } else {
        return None;
    };
    if !sql.is_over() {
        return None;
    }
    if let Err(fault) = may_change(state, session, 15_247) {
        return Some(Err(fault));
    }
    user.id = state.number();
    user.rights
        .insert(("CONNECT".to_owned(), None), "GRANT".to_owned());
    match &login {
        Some(login) => match state.logins.get(login) {
            None => return Some(Err(no(15_007))),
            Some(login) => user.sid = Some(login.sid),
        },
        None => {
            if let Err(fault) = check_policy(&user.password) {
                return Some(Err(fault));
            }
        }
    }
    let database = state.databases.get_mut(&session.database).expect("entered");
    let has_login = |other: &User| other.sid.is_some() && other.sid == user.sid;
    Some(if login.is_none() && !database.contained {
        Err(no(33_233))
    } else if database.users.contains_key(&name) || database.roles.contains(&name) {
        Err(no(15_023))
    } else if database.users.values().any(has_login) {
        Err(no(15_063))
    } else {
        database.users.insert(name, user);
        Ok(())
    })
}

fn alter_user(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let name = sql.name()?;
    let may = may_change(state, session, PRINCIPAL);
    let is_own = session.user.as_ref() == Some(&name);
    let database = state.databases.get_mut(&session.database).expect("entered");
    let user = database.users.get_mut(&name);
    if sql.takes("WITH DEFAULT_SCHEMA =") {
        let schema = sql.name()?;
        return sql.is_over().then(|| {
            may?;
            user.ok_or_else(|| no(PRINCIPAL))?.schema = Some(schema);
            Ok(())
        });
    }
    if !sql.takes("WITH PASSWORD =") {
        return None;
    }
    let new = sql.text()?;
    let old = match sql.takes("OLD_PASSWORD =") {
        true => Some(sql.text()?),
        false => None,
    };
    sql.is_over().then(|| {
        let user = user.filter(|user| user.sid.is_none());
        let user = user.ok_or_else(|| no(PRINCIPAL))?;
        match old {
            Some(old) if (is_own || may.is_ok()) && old == user.password => {}
            None if may.is_ok() => {}
            _ => return Err(no(PRINCIPAL)),
        }
        check_policy(&new)?;
        user.password = new;
        Ok(())
    })
}

fn role(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
    let (adds, role, member) = membership(sql)?;
    if let Err(fault) = may_change(state, session, PRINCIPAL) {
        return Some(Err(fault));
    }
    let database = state.databases.get_mut(&session.database).expect("entered");
    if !database.roles.contains(&role) {
        return Some(Err(no(PRINCIPAL)));
    }
    Some(match database.users.get_mut(&member) {
        None => Err(no(PRINCIPAL)),
        Some(user) if adds => {
            user.roles.insert(role);
            Ok(())
        }
        Some(user) => {
            user.roles.remove(&role);
            Ok(())
        }
    })
}

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

fn right(state: &mut State, session: &Session, sql: &mut Reader<'_>, verb: &str) -> Parsed<()> {
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
        ("GRANT", _) => "GRANT",
        ("DENY", _) => "DENY",
        ("REVOKE GRANT OPTION", Some(_)) => "GRANT",
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
