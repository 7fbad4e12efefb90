//! What a user owns, and may therefore do without having been told.
//!
//! Two users cannot own one thing. What an owner may do can be granted, but for changing the thing itself: so
//! each user of a pair gets these rights on what the other one owns.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::rotator::RotatorError;

use super::error::{Peer, SessionError};
use super::reading::{Columns, of_users};
use super::right::{Object, Right, Routine, Scope};
use super::wording::{of_look, unknown};
use crate::postgres_wire::{Row, Session, Sql};

/// Tables and views; not what materialised views keep their rows in, nor what ends with a session.
const TABLES: &str = "SELECT u.usename, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class AS c \
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_user AS u ON u.usesysid = c.relowner \
    WHERE c.relkind IN ('r', 'v', 'm') AND strpos(n.nspname, 'pg_temp_') <> 1 \
    AND strpos(c.relname, 'mv_tbl__') <> 1 AND u.usename IN (";

const SCHEMAS: &str = "SELECT u.usename, n.nspname FROM pg_catalog.pg_namespace AS n \
    JOIN pg_catalog.pg_user AS u ON u.usesysid = n.nspowner \
    WHERE strpos(n.nspname, 'pg_temp_') <> 1 AND u.usename IN (";

const EXTERNAL_SCHEMAS: &str = "SELECT schemaname FROM pg_catalog.svv_external_schemas";

const DATABASES: &str = "SELECT u.usename, d.datname FROM pg_catalog.pg_database AS d \
    JOIN pg_catalog.pg_user AS u ON u.usesysid = d.datdba WHERE u.usename IN (";

/// All functions and procedures of users, whoever owns them.
const ROUTINES: &str = "SELECT u.usename, n.nspname, p.proname, oidvectortypes(p.proargtypes), p.prokind \
    FROM pg_catalog.pg_proc_info AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
    JOIN pg_catalog.pg_user AS u ON u.usesysid = p.proowner \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// The functions and procedures of a database.
pub(super) struct Routines {
    rows: Vec<Row>,
    /// Whether it is a procedure, by schema, name and types; and whether all of a name are.
    exact: BTreeMap<[String; 3], bool>,
    by_name: BTreeMap<[String; 2], Option<bool>>,
}

impl Routines {
    pub(super) async fn of(session: &Session) -> Result<Self, SessionError> {
        let rows = session.rows(&Sql::new(ROUTINES)).await?;
        let (mut exact, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        for row in &rows {
            let row = Columns(row);
            let [schema, name, types, kind] = [1, 2, 3, 4].map(|column| row.text(column));
            let procedure = kind == "p";
            by_name
                .entry([schema.clone(), name.clone()])
                .and_modify(|known: &mut Option<bool>| {
                    *known = known.filter(|known| *known == procedure);
                })
                .or_insert(Some(procedure));
            exact.insert([schema, name, types], procedure);
        }
        Ok(Self {
            rows,
            exact,
            by_name,
        })
    }

    /// Whether it is a procedure; none if that is not known.
    pub(super) fn is_procedure(&self, schema: &str, name: &str, types: &str) -> Option<bool> {
        let key = [schema, name, types].map(str::to_owned);
        let [schema, name, _] = &key;
        let by_name = || self.by_name.get(&[schema.clone(), name.clone()]);
        self.exact.get(&key).copied().or_else(|| *by_name()?)
    }

    fn owned_by(&self, user: &str, peer: &Peer) -> Result<BTreeSet<Right>, RotatorError> {
        let own = self
            .rows
            .iter()
            .map(Columns)
            .filter(|row| row.text(0) == user);
        let rights = own.map(|row| {
            let [schema, name, types] = [1, 2, 3].map(|column| row.text(column));
            let routine = Routine::new(&schema, &name, &types, row.text(4) == "p");
            let routine =
                routine.ok_or_else(|| unknown(peer, "functions and procedures", "EXECUTE"))?;
            Ok(Right {
                object: Object::Routine(routine),
                word: "EXECUTE",
            })
        });
        rights.collect()
    }
}

/// What owning gives to each of these users.
pub(super) async fn rights(
    session: &Session,
    users: [&str; 2],
    routines: &Routines,
) -> Result<[BTreeSet<Right>; 2], RotatorError> {
    let peer = session.peer();
    let look = |fault| of_look(fault, peer);
    let mut owned = [
        routines.owned_by(users[0], peer)?,
        routines.owned_by(users[1], peer)?,
    ];
    let mut add = |user: &str, object: &Object, words: &[&'static str]| {
        for (owned, name) in owned.iter_mut().zip(users) {
            if name == user {
                owned.extend(words.iter().map(|word| Right {
                    object: object.clone(),
                    word,
                }));
            }
        }
    };
    let tables = session.rows(&of_users(TABLES, users)).await.map_err(look)?;
    for row in tables.iter().map(Columns) {
        let words: &[&str] = match row.text(3).as_str() {
            "r" => &["SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "DROP"],
            _ => &["SELECT", "DROP"],
        };
        add(
            &row.text(0),
            &Object::Table(row.text(1), row.text(2)),
            words,
        );
    }
    let external = session
        .rows(&Sql::new(EXTERNAL_SCHEMAS))
        .await
        .map_err(look)?;
    let external: BTreeSet<_> = external.iter().map(|row| Columns(row).text(0)).collect();
    let schemas = session
        .rows(&of_users(SCHEMAS, users))
        .await
        .map_err(look)?;
    for row in schemas.iter().map(Columns) {
        let name = row.text(1);
        // Nobody but its owner can create anything in an external schema.
        let words: &[&str] = if external.contains(&name) {
            &["USAGE"]
        } else {
            &["CREATE", "USAGE"]
        };
        add(&row.text(0), &Object::Schema(Scope::Itself, name), words);
    }
    let databases = session
        .rows(&of_users(DATABASES, users))
        .await
        .map_err(look)?;
    for row in databases.iter().map(Columns) {
        let object = Object::Database(Scope::Itself, row.text(1));
        add(&row.text(0), &object, &["CREATE", "TEMP"]);
    }
    Ok(owned)
}
