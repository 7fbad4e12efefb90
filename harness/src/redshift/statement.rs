//! Statements that change something: users, groups and roles here, rights in `rights`.

use super::lexer::{Reader, Token};
use super::rights;
use super::state::{Password, Refusal, State, User, read_time};

/// Runs a statement of `who`; gives its tag.
pub(super) fn change(
    tokens: &[Token],
    state: &mut State,
    who: &str,
    keeps_case: bool,
) -> Result<&'static str, Refusal> {
    let mut reader = Reader::new(tokens, keeps_case);
    let reader = &mut reader;
    if reader.eat("alter user") {
        return alter_user(reader, state, who).map(|()| "ALTER USER");
    }
    let superuser = state.users.get(who).is_some_and(|user| user.superuser);
    let tag = if reader.eat("create user") {
        permitted(superuser)?;
        create_user(reader, state)?;
        "CREATE USER"
    } else if reader.eat("create group") {
        permitted(superuser)?;
        let group = reader.account()?;
        state.groups.entry(group).or_default();
        "CREATE GROUP"
    } else if reader.eat("create role") {
        permitted(superuser)?;
        state.roles.insert(reader.account()?);
        "CREATE ROLE"
    } else if reader.eat("alter group") {
        permitted(superuser)?;
        alter_group(reader, state)?;
        "ALTER GROUP"
    } else {
        let grant = rights::read(reader, state)?;
        permitted(superuser)?;
        rights::apply(grant, state)
    };
    reader.end()?;
    state.version += 1;
    Ok(tag)
}

fn permitted(is: bool) -> Result<(), Refusal> {
    is.then_some(()).ok_or(Refusal::DENIED)
}

fn create_user(reader: &mut Reader<'_>, state: &mut State) -> Result<(), Refusal> {
    let name = reader.account()?;
    if state.users.contains_key(&name) {
        return Err(Refusal::DUPLICATE);
    }
    if name.len() > 127 || name.eq_ignore_ascii_case("public") {
        return Err(Refusal::of("42622"));
    }
    let mut user = User::new();
    reader.expect("password")?;
    if !reader.eat("disable") {
        user.password = State::stored(&reader.value()?, &name)?;
    }
    state.users.insert(name, user);
    Ok(())
}

fn alter_user(reader: &mut Reader<'_>, state: &mut State, who: &str) -> Result<(), Refusal> {
    let name = reader.account()?;
    let by = state.user(who)?.clone();
    let user = state.user(&name)?;
    let mut changed = user.clone();
    // The password alone is what a user may change of itself.
    let mut more = false;
    while reader.end().is_err() {
        if reader.eat("password") {
            changed.password = if reader.eat("disable") {
                if changed.superuser {
                    return Err(Refusal::of("0A000"));
                }
                more = true;
                Password::Disabled
            } else {
                State::stored(&reader.value()?, &name)?
            };
            if reader.eat("valid until") {
                more = true;
                changed.valid_until = read_time(&reader.value()?)?;
            }
        } else {
            more = true;
            option(reader, &mut changed)?;
        }
    }
    let own = name == who && !more && !by.fixed;
    let by_permission = by.alters_users && !user.superuser && changed.superuser == user.superuser;
    permitted(by.superuser || own || by_permission)?;
    *user = changed;
    state.version += 1;
    Ok(())
}

fn option(reader: &mut Reader<'_>, user: &mut User) -> Result<(), Refusal> {
    if reader.eat("createdb") {
        user.createdb = true;
    } else if reader.eat("nocreatedb") {
        user.createdb = false;
    } else if reader.eat("createuser") {
        user.superuser = true;
    } else if reader.eat("nocreateuser") {
        user.superuser = false;
    } else if reader.eat("syslog access unrestricted") {
        user.sees_all = true;
    } else if reader.eat("syslog access restricted") {
        user.sees_all = false;
    } else if reader.eat("connection limit unlimited") {
        user.connection_limit = None;
    } else if reader.eat("connection limit") {
        user.connection_limit = Some(reader.number()?);
    } else if reader.eat("reset session timeout") {
        user.session_timeout = 0;
    } else if reader.eat("session timeout") {
        let seconds = reader.number()?;
        if !(60..=1_728_000).contains(&seconds) {
            return Err(Refusal::BAD_VALUE);
        }
        user.session_timeout = seconds;
    } else if reader.eat("set") {
        let name = reader.account()?;
        reader.expect("to")?;
        let mut values = vec![reader.value()?];
        while reader.symbol(',') {
            values.push(reader.value()?);
        }
        let written = if name == "search_path" {
            let names = values.iter().map(|name| identifier(name));
            names.collect::<Vec<_>>().join(", ")
        } else {
            values.remove(0)
        };
        user.settings.insert(name, written);
    } else if reader.eat("reset") {
        user.settings.remove(&reader.account()?);
    } else {
        return Err(Refusal::UNKNOWN);
    }
    Ok(())
}

/// A name as the catalogue writes it in a list.
fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn alter_group(reader: &mut Reader<'_>, state: &mut State) -> Result<(), Refusal> {
    let group = reader.account()?;
    let add = reader.eat("add user");
    if !add {
        reader.expect("drop user")?;
    }
    let user = reader.account()?;
    state.user(&user)?;
    let members = state.groups.get_mut(&group).ok_or(Refusal::NO_OBJECT)?;
    if add {
        members.insert(user);
    } else if !members.remove(&user) {
        return Err(Refusal::NO_OBJECT);
    }
    Ok(())
}
