//! Whether two users may do the same.
//!
//! Rights of a user are those of every role whose rights it has (`pg_has_role .. USAGE`), itself included,
//! and those of everybody. So it is enough to look for what one of these roles has and none of the other
//! user's: the lists of rights (`aclitem[]`) of everything in the secret's database and of what all
//! databases share, who owns what, and memberships. Of other databases the server tells which objects a
//! role owns or has some right on, not which right.

use std::fmt;

use super::connection::Session;
use super::error::SessionError;
use super::portrait::MEMBERSHIP_OPTIONS;
use crate::postgres_wire::{Literal, Sql};

/// The first version with rights on parameters.
const PARAMETER_RIGHTS: u32 = 150_000;

/// What two users may not do alike: kinds of objects, with how many rights one of them lacks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference(Vec<Kind>);

#[derive(Debug, PartialEq, Eq)]
struct Kind {
    name: String,
    /// How many rights the first of both has alone, and the second.
    alone: Option<[u64; 2]>,
}

impl Difference {
    /// Compares the rights of two users.
    pub(super) async fn between(
        session: &Session,
        one: &str,
        two: &str,
        version: u32,
    ) -> Result<Self, SessionError> {
        let rows = session.rows(&question(one, two, version)).await?;
        let kinds = rows.into_iter().map(|row| {
            let mut row = row.into_iter().map(Option::unwrap_or_default);
            let name = row.next().unwrap_or_default();
            let mut count = || row.next().and_then(|n| n.parse().ok()).unwrap_or_default();
            Kind {
                name,
                alone: Some([count(), count()]),
            }
        });
        Ok(Self(kinds.collect()))
    }

    /// The same, and what else is not alike.
    pub(super) fn and(mut self, others: Vec<&'static str>) -> Self {
        let others = others.into_iter().map(|name| Kind {
            name: name.to_owned(),
            alone: None,
        });
        self.0.extend(others);
        self
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// Kinds and numbers, no names of objects.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, kind) in self.0.iter().enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            write!(f, "{comma}{}", kind.name)?;
            if let Some([one, two]) = kind.alone {
                write!(
                    f,
                    " (rights of the one alone: {one}, of the other alone: {two})"
                )?;
            }
        }
        Ok(())
    }
}

fn question(one: &str, two: &str, version: u32) -> Sql {
    let parameters = if version >= PARAMETER_RIGHTS {
        "UNION ALL SELECT 'parameters', oid, 0, NULL, paracl FROM pg_parameter_acl "
    } else {
        ""
    };
    let may_act = if version >= MEMBERSHIP_OPTIONS {
        "('SET'), "
    } else {
        ""
    };
    Sql::new("WITH pair AS (SELECT a.oid AS one, b.oid AS two FROM pg_roles AS a, pg_roles AS b WHERE a.rolname = ")
        .literal(Literal(one))
        .text(" AND b.rolname = ")
        .literal(Literal(two))
        .text(REACH)
        .text(LISTS)
        .text(parameters)
        .text(HELD)
        .text(may_act)
        .text(REST)
}

/// Which roles' rights each of both has.
const REACH: &str = "), reach AS MATERIALIZED (SELECT r.oid, pg_has_role(one, r.oid, 'USAGE') AS one, \
    pg_has_role(two, r.oid, 'USAGE') AS two FROM pg_roles AS r, pair), ";

/// Every list of rights, with the owner where that role has all rights anyway.
const LISTS: &str = "lists (kind, object, part, owner, list) AS (\
    SELECT 'databases', oid, 0, datdba, datacl FROM pg_database \
    UNION ALL SELECT 'tablespaces', oid, 0, spcowner, spcacl FROM pg_tablespace \
    UNION ALL SELECT 'schemas', oid, 0, nspowner, nspacl FROM pg_namespace \
    UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequences' ELSE 'tables' END, oid, 0, relowner, relacl \
        FROM pg_class \
    UNION ALL SELECT 'columns', attrelid, attnum, relowner, attacl \
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attacl IS NOT NULL \
    UNION ALL SELECT 'functions', oid, 0, proowner, proacl FROM pg_proc \
    UNION ALL SELECT 'types', oid, 0, typowner, typacl FROM pg_type \
    UNION ALL SELECT 'languages', oid, 0, lanowner, lanacl FROM pg_language \
    UNION ALL SELECT 'foreign data wrappers', oid, 0, fdwowner, fdwacl FROM pg_foreign_data_wrapper \
    UNION ALL SELECT 'foreign servers', oid, 0, srvowner, srvacl FROM pg_foreign_server \
    UNION ALL SELECT 'large objects', oid, 0, lomowner, lomacl FROM pg_largeobject_metadata \
    UNION ALL SELECT 'default privileges', oid, 0, NULL, defaclacl FROM pg_default_acl ";

/// What each of both holds: rights in lists, ownership here and elsewhere, policies, roles.
const HELD: &str = "), held (kind, object, part, what, one, two) AS (\
    SELECT kind, object::text, part, word, \
        bool_or(grantee = 0 OR coalesce(g.one, false) OR coalesce(o.one, false)), \
        bool_or(grantee = 0 OR coalesce(g.two, false) OR coalesce(o.two, false)) \
    FROM lists CROSS JOIN LATERAL aclexplode(list) \
    CROSS JOIN LATERAL (VALUES (privilege_type), \
        (CASE WHEN is_grantable THEN privilege_type || ' WITH GRANT OPTION' END)) AS words (word) \
    LEFT JOIN reach AS g ON g.oid = grantee LEFT JOIN reach AS o ON o.oid = owner \
    WHERE list IS NOT NULL AND word IS NOT NULL GROUP BY 1, 2, 3, 4 \
    UNION ALL SELECT 'ownership', concat_ws('.', dbid, classid, objid), objsubid, '', \
        bool_or(r.one), bool_or(r.two) \
    FROM pg_shdepend JOIN reach AS r ON r.oid = refobjid \
    WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' GROUP BY 2, 3 \
    UNION ALL SELECT 'objects of other databases', concat_ws('.', dbid, classid, objid), objsubid, '', \
        bool_or(r.one), bool_or(r.two) \
    FROM pg_shdepend JOIN reach AS r ON r.oid = refobjid \
    WHERE refclassid = 'pg_authid'::regclass AND dbid <> 0 \
        AND dbid <> (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY 2, 3 \
    UNION ALL SELECT 'row security policies', p.oid::text, 0, '', \
        bool_or(role = 0 OR coalesce(r.one, false)), bool_or(role = 0 OR coalesce(r.two, false)) \
    FROM pg_policy AS p CROSS JOIN LATERAL unnest(polroles) AS role \
    LEFT JOIN reach AS r ON r.oid = role GROUP BY 2 \
    UNION ALL SELECT 'roles', r.oid::text, 0, word, pg_has_role(pair.one, r.oid, word), \
        pg_has_role(pair.two, r.oid, word) \
    FROM pg_roles AS r CROSS JOIN pair CROSS JOIN (VALUES ";

const REST: &str = "('USAGE'), ('MEMBER'), ('MEMBER WITH ADMIN OPTION')) AS words (word) \
    WHERE r.oid NOT IN (pair.one, pair.two)) \
    SELECT kind, count(*) FILTER (WHERE one AND NOT two), count(*) FILTER (WHERE two AND NOT one) \
    FROM held GROUP BY kind HAVING bool_or(one <> two) ORDER BY kind";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_kinds_and_numbers() {
        let tables = Kind {
            name: "tables".to_owned(),
            alone: Some([2, 0]),
        };
        let difference = Difference(vec![tables]).and(vec!["connection limit"]);
        assert!(!difference.is_none());
        assert_eq!(
            difference.to_string(),
            "tables (rights of the one alone: 2, of the other alone: 0), connection limit"
        );
        assert!(Difference::default().and(Vec::new()).is_none());
    }
}
