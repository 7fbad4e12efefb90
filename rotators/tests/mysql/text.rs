//! Statements, and what comes of them, as text.

use harness::mysql::Edition;
use mysql_async::{Row, Value as SqlValue};

use crate::support::is_mysql;

/// All that is in these rows.
pub(crate) fn shown(rows: Vec<Row>) -> String {
    let values = rows.into_iter().flat_map(Row::unwrap);
    let values = values.map(|value| match value {
        SqlValue::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => format!("{other:?}"),
    });
    values.collect::<Vec<_>>().join("\n")
}

/// Statements for each server.
pub(crate) struct Either {
    pub(crate) mysql: &'static [&'static str],
    pub(crate) mariadb: &'static [&'static str],
}

impl Either {
    pub(crate) fn get<E: Edition>(&self) -> &'static [&'static str] {
        if is_mysql::<E>() {
            self.mysql
        } else {
            self.mariadb
        }
    }
}

/// What docs/mysql.md says of an admin that changes one user.
pub(crate) const ADMIN_OF_ONE: Either = Either {
    mysql: &[
        "GRANT CREATE USER ON *.* TO admin",
        "GRANT SELECT (user, host, plugin) ON mysql.user TO admin",
    ],
    mariadb: &[
        "GRANT CREATE USER ON *.* TO admin",
        "GRANT SELECT ON mysql.global_priv TO admin",
    ],
};

/// For sessions with the servers' default modes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

pub(crate) fn account(user: &str, host: &str) -> String {
    format!("{}@{}", literal(user), literal(host))
}
