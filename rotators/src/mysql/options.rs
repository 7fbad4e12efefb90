//! What an account has besides a password and rights: conditions, limits, the rules of its password.
//!
//! They are read from the server's tables. `SHOW CREATE USER` of `MySQL` puts texts such as `SUBJECT` between
//! quotes without quoting what is in them.

use serde_json::Value;

use super::connection::Record;
use super::sql::{Literal, Sql};

/// The conditions, limits and rules of one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Options {
    require: Require,
    /// By their names in statements; what a server does not know is left out.
    limits: Vec<(&'static str, String)>,
    locked: bool,
    /// In days; zero: never. None: as the server has it for all.
    lifetime: Option<i64>,
    /// `MySQL` from 8.0 on.
    reuse: Option<Reuse>,
    /// How many wrong passwords lock the account, and for how many days; below zero: for ever. `MySQL` from
    /// 8.0.19 on; nothing where it is off.
    locking: Option<(i64, i64)>,
}

/// What TLS has to be like.
#[derive(Clone, Debug, Default, PartialEq)]
enum Require {
    #[default]
    Nothing,
    Tls,
    Certificate,
    /// Of the client's certificate and connection, what is not empty.
    Specified {
        cipher: String,
        issuer: String,
        subject: String,
    },
}

/// Which passwords may come again. None: as the server has it for all.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reuse {
    history: Option<i64>,
    days: Option<i64>,
    /// Whether the current password has to be given.
    current: Option<bool>,
}

/// The columns of `mysql.user`, and how statements call them.
const LIMITS: [(&str, &str); 5] = [
    ("max_questions", "MAX_QUERIES_PER_HOUR"),
    ("max_updates", "MAX_UPDATES_PER_HOUR"),
    ("max_connections", "MAX_CONNECTIONS_PER_HOUR"),
    ("max_user_connections", "MAX_USER_CONNECTIONS"),
    ("max_statement_time", "MAX_STATEMENT_TIME"),
];

impl Options {
    /// From a line of `mysql.user` of `MySQL`.
    pub(super) fn of_columns(record: &Record) -> Self {
        let text = |column| record.text(column).unwrap_or_default();
        let number = |column| record.text(column)?.parse().ok();
        let limits = LIMITS
            .iter()
            .filter_map(|(column, name)| Some((*name, record.text(column)?)));
        let attributes = record.text("user_attributes").unwrap_or_default();
        let attributes: Value = serde_json::from_str(&attributes).unwrap_or_default();
        let locking = &attributes["Password_locking"];
        let locking = locking["failed_login_attempts"]
            .as_i64()
            .zip(locking["password_lock_time_days"].as_i64());
        Self {
            require: match text("ssl_type").as_str() {
                "" => Require::Nothing,
                "ANY" => Require::Tls,
                "X509" => Require::Certificate,
                _ => Require::Specified {
                    cipher: text("ssl_cipher"),
                    issuer: text("x509_issuer"),
                    subject: text("x509_subject"),
                },
            },
            limits: limits.collect(),
            locked: text("account_locked") == "Y",
            lifetime: number("password_lifetime"),
            reuse: record.has("password_require_current").then(|| Reuse {
                history: number("password_reuse_history"),
                days: number("password_reuse_time"),
                current: record.text("password_require_current").map(|it| it == "Y"),
            }),
            locking: locking.filter(|locking| *locking != (0, 0)),
        }
    }

    /// From a line of `mysql.global_priv` of `MariaDB`.
    pub(super) fn of_privileges(privileges: &str) -> Self {
        let privileges: Value = serde_json::from_str(privileges).unwrap_or_default();
        let text = |key| privileges[key].as_str().unwrap_or_default().to_owned();
        let limits = LIMITS.iter().map(|(key, name)| {
            // A fraction of a second, as the server shows it.
            let value = privileges[key].as_f64().unwrap_or_default();
            (*name, format!("{value}"))
        });
        Self {
            require: match privileges["ssl_type"].as_i64() {
                None | Some(0) => Require::Nothing,
                Some(1) => Require::Tls,
                Some(2) => Require::Certificate,
                Some(_) => Require::Specified {
                    cipher: text("ssl_cipher"),
                    issuer: text("x509_issuer"),
                    subject: text("x509_subject"),
                },
            },
            limits: limits.collect(),
            locked: privileges["account_locked"] == true,
            lifetime: privileges["password_lifetime"]
                .as_i64()
                .filter(|days| *days >= 0),
            reuse: None,
            locking: None,
        }
    }

    /// Appends all of them, so that nothing stays of what an account had before.
    pub(super) fn append(&self, sql: Sql, before: Option<&Self>) -> Sql {
        let mut sql = self.require.append(sql.text(" REQUIRE "));
        if !self.limits.is_empty() {
            sql = sql.text(" WITH");
            for (name, value) in &self.limits {
                sql = sql.text(" ").text(name).text(" ").words(value);
            }
        }
        sql = match self.lifetime {
            None => sql.text(" PASSWORD EXPIRE DEFAULT"),
            Some(0) => sql.text(" PASSWORD EXPIRE NEVER"),
            Some(days) => sql
                .text(" PASSWORD EXPIRE INTERVAL ")
                .number(days)
                .text(" DAY"),
        };
        sql = sql.text(if self.locked {
            " ACCOUNT LOCK"
        } else {
            " ACCOUNT UNLOCK"
        });
        if let Some(reuse) = self.reuse {
            sql = reuse.append(sql);
        }
        // Old servers do not know these words.
        let unlimited = before
            .is_some_and(|before| before.locking.is_some())
            .then_some((0, 0));
        match self.locking.or(unlimited) {
            None => sql,
            Some((attempts, days)) => {
                let sql = sql.text(" FAILED_LOGIN_ATTEMPTS ").number(attempts);
                let sql = sql.text(" PASSWORD_LOCK_TIME ");
                if days < 0 {
                    sql.text("UNBOUNDED")
                } else {
                    sql.number(days)
                }
            }
        }
    }
}

impl Require {
    fn append(&self, sql: Sql) -> Sql {
        match self {
            Self::Nothing => sql.text("NONE"),
            Self::Tls => sql.text("SSL"),
            Self::Certificate => sql.text("X509"),
            Self::Specified {
                cipher,
                issuer,
                subject,
            } => {
                let all = [
                    (" CIPHER ", cipher),
                    (" ISSUER ", issuer),
                    (" SUBJECT ", subject),
                ];
                let mut all = all
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .peekable();
                // Nothing in particular: a certificate.
                if all.peek().is_none() {
                    return sql.text("X509");
                }
                all.fold(sql, |sql, (name, value)| {
                    sql.text(name).literal(Literal(value))
                })
            }
        }
    }
}

impl Reuse {
    fn append(self, sql: Sql) -> Sql {
        let sql = sql.text(" PASSWORD HISTORY ");
        let sql = match self.history {
            None => sql.text("DEFAULT"),
            Some(passwords) => sql.number(passwords),
        };
        let sql = sql.text(" PASSWORD REUSE INTERVAL ");
        let sql = match self.days {
            None => sql.text("DEFAULT"),
            Some(days) => sql.number(days).text(" DAY"),
        };
        sql.text(match self.current {
            None => " PASSWORD REQUIRE CURRENT DEFAULT",
            Some(true) => " PASSWORD REQUIRE CURRENT",
            Some(false) => " PASSWORD REQUIRE CURRENT OPTIONAL",
        })
    }
}

#[cfg(test)]
mod tests;
