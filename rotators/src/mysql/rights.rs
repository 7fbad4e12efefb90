//! What an account may do, as `SHOW GRANTS` tells it.

use std::collections::{BTreeMap, BTreeSet};

use super::sql::Account;

/// What a privilege is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Everything,
    /// All of a database. The name is a pattern, as the server keeps it: it stays as it is.
    Database(String),
    /// Of a database: a table where `kind` is empty, else a `PROCEDURE`, a `FUNCTION`, ..
    Part {
        kind: String,
        database: String,
        name: String,
    },
    /// Acting as another account.
    Proxy(Account),
}

/// How a privilege was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    Plain,
    /// With the right to give it on. Of privileges that MySQL calls dynamic, and of proxies: with all
    /// others that is a privilege of its own, `GRANT OPTION`, on the object as a whole.
    Grantable,
    /// Not given: what is given on everything is taken back for one database (a partial revoke).
    TakenBack,
}

/// One privilege on one object, or on one column of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Privilege {
    pub(super) object: Object,
    pub(super) grade: Grade,
    pub(super) name: String,
    pub(super) column: Option<String>,
}

/// All that an account may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) privileges: BTreeSet<Privilege>,
    /// And whether it may give them on.
    pub(super) roles: BTreeMap<Account, bool>,
    /// Those in force from the login on.
    pub(super) default_roles: BTreeSet<Account>,
}

/// The right to give on all static privileges on an object.
pub(super) const GRANT_OPTION: &str = "GRANT OPTION";
/// All static privileges that there are on an object.
pub(super) const ALL: &str = "ALL PRIVILEGES";

/// Names of dynamic privileges hold this sign, and those of static ones do not (`MySQL` manual,
/// "Privileges Provided by MySQL").
pub(super) fn is_dynamic(privilege: &str) -> bool {
    privilege.contains('_')
}
