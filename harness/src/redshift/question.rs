//! Questions about the catalogue that go beyond one view: the fake knows them by their whole text, values apart.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use super::lexer::{Reader, Token, shape, statements};
use super::state::{Kind, Refusal, State, written};
use super::views;

/// What a question gives.
pub(super) type Rows = Vec<Vec<Option<String>>>;

type Answer = fn(&State, &str, &[&str]) -> Result<Rows, Refusal>;

const QUESTIONS: [(&str, Answer); 9] = [
    ("SELECT 1", |_, _, _| Ok(vec![vec![Some("1".to_owned())]])),
    (
        "SELECT u.usename, g.groname, false FROM pg_catalog.pg_user AS u, pg_catalog.pg_group AS g \
         WHERE u.usesysid = ANY (g.grolist) AND u.usename IN ('', '')",
        |state, _, users| {
            let groups = state.groups.iter().flat_map(|(group, members)| {
                let members = members.iter().filter(|user| users.contains(&user.as_str()));
                members.map(|user| texts([user, group, "f"]))
            });
            Ok(groups.collect())
        },
    ),
    (
        "SELECT u.usename, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class AS c \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_user AS u ON u.usesysid = c.relowner \
         WHERE c.relkind IN ('', '', '') AND strpos(n.nspname, '') <> 1 \
         AND strpos(c.relname, '') <> 1 AND u.usename IN ('', '')",
        |state, _, values| {
            // Before the users stand the kinds and what names do not begin with.
            let (kinds, rest) = values.split_at(3);
            let (beginnings, users) = rest.split_at(2);
            let tables = owned(state, users, &[(Kind::Table, "r"), (Kind::View, "v")]);
            let tables = tables.into_iter().filter(|(_, path, kind)| {
                let mut begins = path.iter().zip(beginnings);
                kinds.contains(kind) && begins.all(|(name, with)| !name.starts_with(with))
            });
            Ok(tables
                .map(|(owner, path, kind)| texts([owner, &path[0], &path[1], kind]))
                .collect())
        },
    ),
    (
        "SELECT u.usename, n.nspname FROM pg_catalog.pg_namespace AS n \
         JOIN pg_catalog.pg_user AS u ON u.usesysid = n.nspowner \
         WHERE strpos(n.nspname, '') <> 1 AND u.usename IN ('', '')",
        |state, _, values| {
            let kinds = [(Kind::Schema, ""), (Kind::ExternalSchema, "")];
            let schemas = owned(state, &values[1..], &kinds);
            Ok(schemas
                .iter()
                .filter(|(_, path, _)| !path[0].starts_with(values[0]))
                .map(|(owner, path, _)| texts([owner, &path[0]]))
                .collect())
        },
    ),
    (
        "SELECT u.usename, d.datname FROM pg_catalog.pg_database AS d \
         JOIN pg_catalog.pg_user AS u ON u.usesysid = d.datdba WHERE u.usename IN ('', '')",
        |state, _, users| {
            let databases = owned(state, users, &[(Kind::Database, "")]);
            let rows = databases.iter();
            Ok(rows
                .map(|(owner, path, _)| texts([owner, &path[0]]))
                .collect())
        },
    ),
    (
        "SELECT u.usename, n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prokind \
         FROM pg_catalog.pg_proc_info AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
         JOIN pg_catalog.pg_user AS u ON u.usesysid = p.proowner WHERE n.nspname NOT IN ('', '')",
        |state, _, _| {
            let users: Vec<_> = state.users.keys().map(String::as_str).collect();
            let kinds = [(Kind::Function, "f"), (Kind::Procedure, "p")];
            let routines = owned(state, &users, &kinds);
            let rows = routines
                .iter()
                .map(|(owner, path, kind)| texts([owner, &path[0], &path[1], &path[2], kind]));
            Ok(rows.collect())
        },
    ),
    (
        "SELECT usename, useconfig FROM pg_catalog.pg_user WHERE useconfig IS NOT NULL \
         AND usename IN ('', '')",
        |state, _, users| {
            let users = state
                .users
                .iter()
                .filter(|(name, user)| users.contains(&name.as_str()) && !user.settings.is_empty());
            let rows = users.map(|(name, user)| {
                let settings = user.settings.iter().map(|(name, value)| {
                    let setting = format!("{name}={value}");
                    let setting = setting.replace('\\', "\\\\").replace('"', "\\\"");
                    format!("\"{setting}\"")
                });
                let settings = settings.collect::<Vec<_>>().join(",");
                texts([name, &format!("{{{settings}}}")])
            });
            Ok(rows.collect())
        },
    ),
    (
        "SELECT usesuper, usename FROM pg_catalog.pg_user WHERE usename = current_user",
        |state, who, _| {
            let superuser = state.users.get(who).is_some_and(|user| user.superuser);
            Ok(vec![texts([if superuser { "t" } else { "f" }, who])])
        },
    ),
    (
        "SELECT usesuper, valuntil::timestamptz < now() + interval '', \
         valuntil::timestamptz < now() + interval '', \
         to_char((now() + interval '') AT TIME ZONE 'UTC', '') || '' \
         FROM pg_catalog.pg_user WHERE usename = ''",
        expiry,
    ),
];

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

type Owned<'s> = Vec<(&'s str, &'s [String], &'static str)>;

/// What these users own of these kinds.
fn owned<'s>(state: &'s State, users: &[&str], kinds: &[(Kind, &'static str)]) -> Owned<'s> {
    let things = state.things.iter().filter_map(|((kind, path), owner)| {
        let (_, letter) = kinds.iter().find(|(wanted, _)| wanted == kind)?;
        let is_theirs = users.contains(&owner.as_str());
        is_theirs.then_some((owner.as_str(), path.as_slice(), *letter))
    });
    things.collect()
}

fn expiry(state: &State, _: &str, values: &[&str]) -> Result<Rows, Refusal> {
    let [
        soon,
        never,
        wanted,
        "UTC",
        "YYYY-MM-DD HH24:MI:SS",
        "+00",
        name,
    ] = values
    else {
        return Err(Refusal::UNKNOWN);
    };
    let after = |interval: &str| {
        let days = interval
            .strip_suffix(" days")
            .and_then(|days| days.parse::<u64>().ok());
        let days = days.ok_or(Refusal::of("22007"))?;
        Ok(SystemTime::now() + Duration::from_hours(days * 24))
    };
    let (soon, never, wanted) = (after(soon)?, after(never)?, after(wanted)?);
    let Some(user) = state.users.get(*name) else {
        return Ok(Vec::new());
    };
    let boolean = |is: bool| Some(if is { "t" } else { "f" }.to_owned());
    let before = |than: SystemTime| user.valid_until.and_then(|end| boolean(end < than));
    Ok(vec![vec![
        boolean(user.superuser),
        before(soon),
        before(never),
        Some(written(wanted)),
    ]])
}

/// Answers a question of `who`.
pub(super) fn answer(
    tokens: &[Token],
    state: &State,
    who: &str,
    keeps_case: bool,
) -> Result<Rows, Refusal> {
    static SHAPES: OnceLock<Vec<String>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(|| {
        let known = QUESTIONS.iter().map(|(text, _)| {
            let tokens = statements(text).expect("a statement").remove(0);
            shape(&tokens)
        });
        known.collect()
    });
    let asked = shape(tokens);
    let known = shapes
        .iter()
        .zip(QUESTIONS)
        .find(|(shape, _)| **shape == asked);
    let Some((_, (_, answer))) = known else {
        return views::answer(&mut Reader::new(tokens, keeps_case), state, who);
    };
    let values: Vec<&str> = tokens
        .iter()
        .filter_map(|token| match token {
            Token::Value(value) => Some(value.as_str()),
            _ => None,
        })
        .collect();
    answer(state, who, &values)
}
