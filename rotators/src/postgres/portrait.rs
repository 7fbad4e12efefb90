//! What a role is apart from its rights on objects: attributes, limit, settings, memberships.

use std::collections::BTreeMap;

use super::connection::{Row, Session};
use super::error::SessionError;
use super::role_setting::{Key, ROLE};
use super::wording::Stage;
use crate::postgres_wire::{Ident, Literal, Sql};

/// The first version whose memberships have options of their own.
pub(super) const MEMBERSHIP_OPTIONS: u32 = 160_000;

/// What no membership passes on, as `ALTER ROLE` gives and takes it, in the order of the query below.
const ATTRIBUTES: [[&str; 2]; 5] = [
    [" SUPERUSER", " NOSUPERUSER"],
    [" CREATEROLE", " NOCREATEROLE"],
    [" CREATEDB", " NOCREATEDB"],
    [" REPLICATION", " NOREPLICATION"],
    [" BYPASSRLS", " NOBYPASSRLS"],
];

/// One role as the catalogue has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Portrait {
    attributes: [bool; ATTRIBUTES.len()],
    connection_limit: i32,
    pub(super) settings: BTreeMap<Key, String>,
    /// By the name of the role that it is a member of.
    pub(super) memberships: BTreeMap<String, Membership>,
}

/// The options of a membership; before version 16 the last two are not options but always true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    admin: bool,
    inherit: bool,
    set: bool,
}

/// A statement, and what it is part of.
pub(super) type Step = (Stage, Sql);

impl Portrait {
    /// Reads a role; none if there is none of that name.
    pub(super) async fn of(
        session: &Session,
        role: &str,
        version: u32,
    ) -> Result<Option<Self>, SessionError> {
        let attributes = Sql::new("SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, ")
            .text("rolbypassrls, rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = ")
            .literal(Literal(role));
        let Some(row) = session.rows(&attributes).await?.pop() else {
            return Ok(None);
        };
        let settings = Sql::new("SELECT d.datname, pg_catalog.split_part(entry, '=', 1), ")
            .text("pg_catalog.substr(entry, pg_catalog.strpos(entry, '=') + 1) ")
            .text("FROM pg_catalog.pg_db_role_setting AS s ")
            .text("LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase ")
            .text("CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS entry ")
            .text("WHERE s.setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ")
            .literal(Literal(role))
            .text(")");
        let options = if version >= MEMBERSHIP_OPTIONS {
            "pg_catalog.bool_or(m.admin_option), pg_catalog.bool_or(m.inherit_option), \
             pg_catalog.bool_or(m.set_option)"
        } else {
            "pg_catalog.bool_or(m.admin_option), true, true"
        };
        let memberships = Sql::new("SELECT r.rolname, ")
            .text(options)
            .text(" FROM pg_catalog.pg_auth_members AS m ")
            .text("JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid ")
            .text("WHERE m.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ")
            .literal(Literal(role))
            .text(") GROUP BY r.rolname");
        let settings = session.rows(&settings).await?;
        let memberships = session.rows(&memberships).await?;
        Ok(Some(Self {
            attributes: std::array::from_fn(|nth| yes(&row, nth)),
            connection_limit: text(&row, ATTRIBUTES.len()).parse().unwrap_or(-1),
            settings: settings.iter().map(setting).collect(),
            memberships: memberships
                .iter()
                .map(|row| (text(row, 0), membership(row)))
                .collect(),
        }))
    }

    /// The role as whom sessions in every database act, if not as themselves.
    pub(super) fn acts_as(&self) -> Option<&str> {
        let key = Key {
            database: None,
            name: ROLE.to_owned(),
        };
        self.settings.get(&key).map(String::as_str)
    }

    /// The same without what the layout of a pair needs: membership in the partner, and acting as it.
    pub(super) fn apart_from(mut self, partner: &str) -> Self {
        self.settings
            .retain(|key, value| key.name != ROLE || value != partner);
        self.memberships.remove(partner);
        self
    }

    /// What is not the same, apart from memberships.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut differences = Vec::new();
        if self.attributes != other.attributes {
            differences.push("attributes");
        }
        if self.connection_limit != other.connection_limit {
            differences.push("connection limit");
        }
        if self.settings != other.settings {
            differences.push("settings (ALTER ROLE .. SET)");
        }
        differences
    }

    /// What makes `role`, which is `present` now, like this, apart from memberships.
    pub(super) fn steps(&self, role: &str, present: &Self) -> Vec<Step> {
        let mut steps = Vec::new();
        let pairs = self.attributes.iter().zip(present.attributes);
        let words = pairs.zip(ATTRIBUTES).filter(|((one, two), _)| *one != two);
        let words: Vec<_> = words
            .map(|((wanted, _), [give, take])| if *wanted { give } else { take })
            .collect();
        if !words.is_empty() {
            let alter = Sql::new("ALTER ROLE ").ident(Ident(role));
            let alter = words.iter().fold(alter, |sql, word| sql.text(word));
            steps.push((Stage::Attributes, alter));
        }
        if self.connection_limit != present.connection_limit {
            let alter = Sql::new("ALTER ROLE ").ident(Ident(role));
            let alter = alter
                .text(" CONNECTION LIMIT ")
                .number(self.connection_limit);
            steps.push((Stage::Attributes, alter));
        }
        for (key, value) in &self.settings {
            if present.settings.get(key) != Some(value) {
                steps.push((Stage::Settings, key.set(role, value)));
            }
        }
        for key in present.settings.keys() {
            if !self.settings.contains_key(key) {
                steps.push((Stage::Settings, key.reset(role)));
            }
        }
        steps
    }

    /// What gives `role`, which is `present` now, these memberships and no others.
    pub(super) fn membership_steps(&self, role: &str, present: &Self, version: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        for (of, wanted) in &self.memberships {
            if present.memberships.get(of) == Some(wanted) {
                continue;
            }
            if version < MEMBERSHIP_OPTIONS && present.memberships.contains_key(of) && !wanted.admin
            {
                let revoke = Sql::new("REVOKE ADMIN OPTION FOR ").ident(Ident(of));
                let revoke = revoke.text(" FROM ").ident(Ident(role));
                steps.push((Stage::Memberships, revoke));
            } else {
                steps.push((Stage::Memberships, wanted.grant(of, role, version)));
            }
        }
        for of in present.memberships.keys() {
            if !self.memberships.contains_key(of) {
                let revoke = Sql::new("REVOKE ").ident(Ident(of));
                let revoke = revoke.text(" FROM ").ident(Ident(role));
                steps.push((Stage::Memberships, revoke));
            }
        }
        steps
    }
}

impl Membership {
    /// That of a pair's user in the role whose rights it has.
    pub(super) const FULL: Self = Self {
        admin: false,
        inherit: true,
        set: true,
    };

    pub(super) fn grant(self, of: &str, to: &str, version: u32) -> Sql {
        let sql = Sql::new("GRANT ").ident(Ident(of)).text(" TO ");
        let sql = sql.ident(Ident(to));
        if version < MEMBERSHIP_OPTIONS {
            return if self.admin {
                sql.text(" WITH ADMIN OPTION")
            } else {
                sql
            };
        }
        let word = |option| if option { "TRUE" } else { "FALSE" };
        sql.text(" WITH ADMIN ")
            .text(word(self.admin))
            .text(", INHERIT ")
            .text(word(self.inherit))
            .text(", SET ")
            .text(word(self.set))
    }
}

fn text(row: &Row, column: usize) -> String {
    row.get(column).cloned().flatten().unwrap_or_default()
}

fn yes(row: &Row, column: usize) -> bool {
    text(row, column) == "t"
}

fn setting(row: &Row) -> (Key, String) {
    let key = Key {
        database: row.first().cloned().flatten(),
        name: text(row, 1),
    };
    (key, text(row, 2))
}

fn membership(row: &Row) -> Membership {
    Membership {
        admin: yes(row, 1),
        inherit: yes(row, 2),
        set: yes(row, 3),
    }
}
