//! Statements about the users and roles of a database.

use super::ddl::{PRINCIPAL, Parsed, check_policy, membership, no};
use super::lexer::Reader;
use super::packet::Refusal;
use super::state::{Session, State, User};

/// Whether the session may change users of the database that it is in.
pub(super) fn may_change(state: &State, session: &Session, otherwise: u32) -> Result<(), Refusal> {
    if state.databases[&session.database].read_only {
        return Err(no(3906));
    }
    if state.owns_database(session, &session.database) {
        return Ok(());
    }
    Err(no(otherwise))
}

pub(super) fn create_user(
    state: &mut State,
    session: &Session,
    sql: &mut Reader<'_>,
) -> Parsed<()> {
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

pub(super) fn alter_user(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
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
    let old = if sql.takes("OLD_PASSWORD =") {
        Some(sql.text()?)
    } else {
        None
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

pub(super) fn role(state: &mut State, session: &Session, sql: &mut Reader<'_>) -> Parsed<()> {
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
