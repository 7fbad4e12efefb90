//! How an account logs in, as the server's own tables say.

use secrets_core::rotator::RotatorError;
use serde_json::Value;

use super::connection::{Record, Session};
use super::error::{Peer, SessionError, code, is_missing_right};
use super::hash::{Plugin, ROUNDS};
use super::sql::{Account, Literal, Sql};
use super::version::Server;

/// A way to log in, and what the server keeps for it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) plugin: String,
    pub(super) stored: String,
}

/// One of a user's accounts: there is one a host.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) account: Account,
    /// Each of them is enough.
    pub(super) methods: Vec<Method>,
}

impl Stored {
    /// All accounts of a user, as an admin sees them.
    pub(super) async fn of(
        session: &mut Session,
        user: &str,
        server: Server,
    ) -> Result<Vec<Self>, RotatorError> {
        let all = if server.is_mariadb {
            // The view `mysql.user` shows one way to log in only.
            "SELECT host, priv FROM mysql.global_priv WHERE user = "
        } else {
            "SELECT host, plugin FROM mysql.user WHERE user = "
        };
        let all = Sql::new(all).literal(Literal(user)).text(" ORDER BY host");
        let records = session.records(&all).await;
        let records = records.map_err(|fault| unlisted(fault, session.peer(), server))?;
        let stored: Vec<Self> = records
            .iter()
            .filter_map(|record| Self::read(user, record, server))
            .collect();
        if stored.is_empty() {
            return Err(RotatorError::refused(format!(
                "there is no user `username` at {}; create it again",
                session.peer()
            ))
            .with_code(code::NO_SUCH_USER.to_string()));
        }
        Ok(stored)
    }

    fn read(user: &str, record: &Record, server: Server) -> Option<Self> {
        let account = Account::new(user, &record.text("host")?);
        if !server.is_mariadb {
            let plugin = record.text("plugin")?;
            let stored = String::new();
            let methods = vec![Method { plugin, stored }];
            return Some(Self { account, methods });
        }
        let methods = methods(&record.text("priv")?)?;
        Some(Self { account, methods })
    }

    /// The plugin of its password.
    pub(super) fn plugin(&self, peer: &Peer) -> Result<Plugin, RotatorError> {
        let mut plugins = self
            .methods
            .iter()
            .filter_map(|method| Plugin::of(&method.plugin));
        plugins.next().ok_or_else(|| {
            RotatorError::refused(format!(
                "the user at {peer} logs in by other means than a password that the server keeps; give it \
                 caching_sha2_password, mysql_native_password or, in MariaDB, ed25519"
            ))
        })
    }

    /// Whether this is the first password of the account. None: that cannot be told.
    pub(super) fn has_password(&self, password: &str) -> Option<bool> {
        self.methods.iter().find_map(|method| {
            let plugin = Plugin::of(&method.plugin)?;
            plugin.matches(method.stored.as_bytes(), password)
        })
    }

    /// Appends the account and these passwords; only servers that are `MariaDB` take more than one.
    pub(super) fn with_passwords(
        &self,
        sql: Sql,
        passwords: &[&str],
        hashing: &Hashing<'_>,
    ) -> Result<Sql, RotatorError> {
        let plugin = self.plugin(hashing.peer)?;
        let mut sql = sql.account(&self.account);
        let (mut before, using) = if hashing.server.is_mariadb {
            (" IDENTIFIED VIA ", " USING ")
        } else {
            (" IDENTIFIED WITH ", " AS ")
        };
        for password in passwords {
            let verifier = plugin.verifier(password, hashing.rounds)?;
            sql = sql.text(before).words(plugin.name()).text(using);
            sql = sql.literal(Literal(&verifier));
            before = " OR ";
        }
        // Ways to log in without a password of ours stay; MySQL has none beside a password.
        for other in self
            .methods
            .iter()
            .filter(|method| Plugin::of(&method.plugin).is_none())
        {
            sql = sql.text(before).words(&other.plugin);
            if !other.stored.is_empty() {
                sql = sql.text(" USING ").literal(Literal(&other.stored));
            }
        }
        Ok(sql)
    }
}

/// How passwords are hashed for a server.
pub(super) struct Hashing<'p> {
    pub(super) server: Server,
    pub(super) peer: &'p Peer,
    pub(super) rounds: u32,
}

/// How often the server itself hashes.
pub(super) async fn rounds(session: &mut Session, server: Server) -> Result<u32, SessionError> {
    if server.is_mariadb {
        return Ok(ROUNDS);
    }
    let question = Sql::new("SELECT @@caching_sha2_password_digest_rounds");
    match session.records(&question).await {
        Ok(records) => {
            let rounds = records.first().and_then(Record::first);
            let rounds = rounds.and_then(|rounds| rounds.parse().ok());
            Ok(rounds.unwrap_or(ROUNDS))
        }
        Err(SessionError::Refused(code::UNKNOWN_VARIABLE)) => Ok(ROUNDS),
        Err(fault) => Err(fault),
    }
}

/// The methods in a line of `mysql.global_priv` (`MariaDB` manual). None: a role, or nothing that we know.
pub(super) fn methods(privileges: &str) -> Option<Vec<Method>> {
    let privileges: Value = serde_json::from_str(privileges).ok()?;
    if privileges["is_role"] == true {
        return None;
    }
    let method = |of: &Value| {
        let text = |key: &str| of[key].as_str().unwrap_or_default().to_owned();
        Method {
            plugin: text("plugin"),
            stored: text("authentication_string"),
        }
    };
    let first = method(&privileges);
    Some(match privileges["auth_or"].as_array() {
        None => vec![first],
        Some(all) => all
            .iter()
            .map(|one| match one.get("plugin") {
                // An empty one stands for the one outside.
                None => first.clone(),
                Some(_) => method(one),
            })
            .collect(),
    })
}

fn unlisted(fault: SessionError, peer: &Peer, server: Server) -> RotatorError {
    fault.explained(peer, |code| {
        is_missing_right(code).then(|| {
            let right = if server.is_mariadb {
                "GRANT SELECT ON mysql.global_priv TO the admin"
            } else {
                "GRANT SELECT (user, host, plugin) ON mysql.user TO the admin"
            };
            RotatorError::refused(format!(
                "{peer} may not see for which hosts the user exists; {right}; nothing was changed"
            ))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_an_account_are_read() {
        let read = |text: &str| {
            methods(text).map(|all| {
                all.into_iter()
                    .map(|it| format!("{} {}", it.plugin, it.stored))
                    .collect::<Vec<_>>()
            })
        };
        // MariaDB 10.11.
        let two = r#"{"access":0,"plugin":"mysql_native_password","authentication_string":"*89",
                      "auth_or":[{},{"plugin":"mysql_native_password","authentication_string":"*9F"}]}"#;
        assert_eq!(
            read(two),
            Some(vec![
                "mysql_native_password *89".into(),
                "mysql_native_password *9F".into()
            ])
        );
        let socket = r#"{"plugin":"mysql_native_password","authentication_string":"invalid",
                         "auth_or":[{},{"plugin":"unix_socket"}]}"#;
        assert_eq!(
            read(socket),
            Some(vec![
                "mysql_native_password invalid".into(),
                "unix_socket ".into()
            ])
        );
        assert_eq!(read(r#"{"access":0}"#), Some(vec![" ".into()]));
        assert_eq!(read(r#"{"is_role":true,"access":0}"#), None);
        assert_eq!(read("no JSON"), None);
    }
}
