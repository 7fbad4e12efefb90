//! Statements that change something: parsed, checked against the rights of who sends them, and carried out. Here
//! those about logins.

use super::grant::right;
use super::lexer::Reader;
use super::packet::Refusal;
use super::state::{Condition, FIXED_SERVER_ROLES, Login, Session, State};
use super::users::{alter_user, create_user, role};

/// None: not a statement that this server knows.
pub(super) type Parsed<T> = Option<Result<T, Refusal>>;

/// No such principal, or no right to change it.
pub(super) const PRINCIPAL: u32 = 15_151;

pub(super) fn no(number: u32) -> Refusal {
    Refusal::new(number, "refused by the fake")
}

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
pub(super) fn check_policy(password: &str) -> Result<(), Refusal> {
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
        let old = if sql.takes("OLD_PASSWORD =") {
            Some(sql.text()?)
        } else {
            None
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
pub(super) fn membership(sql: &mut Reader<'_>) -> Option<(bool, String, String)> {
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
