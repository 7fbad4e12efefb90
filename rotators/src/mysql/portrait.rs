//! All that one user is, host by host.

use std::collections::BTreeSet;

use secrets_core::rotator::RotatorError;

use super::connection::{Record, Session};
use super::error::{Peer, SessionError, code, is_missing_right};
use super::options::Options;
use super::rights::Rights;
use super::sql::{Account, Literal, Sql};
use super::stored::{Method, Stored, methods};
use super::version::Server;

/// One account of a user.
pub(super) struct Portrait {
    pub(super) stored: Stored,
    pub(super) options: Options,
    pub(super) rights: Rights,
}

impl Portrait {
    /// All accounts of a user; none where there is no such user.
    pub(super) async fn of(
        session: &mut Session,
        user: &str,
        server: Server,
    ) -> Result<Vec<Self>, RotatorError> {
        let all = if server.is_mariadb {
            "SELECT host, priv FROM mysql.global_priv WHERE user = "
        } else {
            "SELECT * FROM mysql.user WHERE user = "
        };
        let all = Sql::new(all).literal(Literal(user)).text(" ORDER BY host");
        let records = looked(session.records(&all).await, session.peer())?;
        let mut portraits = Vec::with_capacity(records.len());
        for record in &records {
            let (Some(host), Some((methods, options))) = (record.text("host"), how(record, server))
            else {
                continue;
            };
            let account = Account::new(user, &host);
            let rights = Self::rights(session, &account, server).await?;
            portraits.push(Self {
                stored: Stored { account, methods },
                options,
                rights,
            });
        }
        Ok(portraits)
    }

    async fn rights(
        session: &mut Session,
        account: &Account,
        server: Server,
    ) -> Result<Rights, RotatorError> {
        let show = Sql::new("SHOW GRANTS FOR ").account(account);
        let lines = looked(session.records(&show).await, session.peer())?;
        let lines: Vec<String> = lines.iter().filter_map(Record::first).collect();
        let rights = Rights::read(account, lines.iter().map(String::as_str));
        let mut rights = rights.map_err(|_| {
            RotatorError::refused(format!(
                "{} shows a right of the user that is not understood; report this with what SHOW GRANTS \
                 shows and the server's version",
                session.peer()
            ))
        })?;
        if !server.is_mariadb {
            rights.default_roles = default_roles(session, account).await?;
        }
        Ok(rights)
    }
}

/// How an account logs in, and its options; None for a role of `MariaDB`.
fn how(record: &Record, server: Server) -> Option<(Vec<Method>, Options)> {
    if server.is_mariadb {
        let privileges = record.text("priv")?;
        return Some((methods(&privileges)?, Options::of_privileges(&privileges)));
    }
    let method = Method {
        plugin: record.text("plugin")?,
        stored: record.text("authentication_string").unwrap_or_default(),
    };
    Some((vec![method], Options::of_columns(record)))
}

/// `MySQL` shows them nowhere else. Before 8.0 there are none.
async fn default_roles(
    session: &mut Session,
    account: &Account,
) -> Result<BTreeSet<Account>, RotatorError> {
    let host = account.host.as_deref().unwrap_or_default();
    let all = Sql::new(
        "SELECT default_role_user, default_role_host FROM mysql.default_roles WHERE user = ",
    )
    .literal(Literal(&account.user))
    .text(" AND host = ")
    .literal(Literal(host));
    let records = match session.records(&all).await {
        Err(SessionError::Refused(code::NO_SUCH_TABLE)) => return Ok(BTreeSet::new()),
        other => looked(other, session.peer())?,
    };
    let role = |record: &Record| {
        let (user, host) = (
            record.text("default_role_user")?,
            record.text("default_role_host")?,
        );
        Some(Account::new(&user, &host))
    };
    Ok(records.iter().filter_map(role).collect())
}

fn looked<T>(answer: Result<T, SessionError>, peer: &Peer) -> Result<T, RotatorError> {
    answer.map_err(|fault| {
        fault.explained(peer, |code| {
            is_missing_right(code).then(|| {
                RotatorError::refused(format!(
                    "{peer} may not see what users may do; GRANT SELECT ON mysql.* TO the admin; nothing was \
                     changed"
                ))
            })
        })
    })
}

/// In what two users differ, in words; None if one can take the place of the other.
pub(super) fn difference(one: &[Portrait], two: &[Portrait]) -> Option<&'static str> {
    let hosts = |all: &[Portrait]| -> Vec<_> {
        all.iter()
            .map(|it| it.stored.account.host.clone())
            .collect()
    };
    if hosts(one) != hosts(two) {
        return Some("they exist for different hosts");
    }
    let mut pairs = one.iter().zip(two);
    pairs.find_map(|(one, two)| {
        if one.rights != two.rights {
            Some("their rights or roles differ")
        } else if one.options != two.options {
            Some("their conditions, limits or password rules differ")
        } else {
            None
        }
    })
}
