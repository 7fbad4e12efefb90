//! Statements of both strategies.

use super::error::SessionError;
use crate::postgres_wire::{Literal, Session, Sql};

/// Makes the session take names from the system catalogue only, so that no object of somebody else's runs with
/// its rights; makes quoted names mean what they say, since Redshift otherwise folds names of schemas and
/// tables to lower case (AWS page "`enable_case_sensitive_identifier`"); and gives each statement the time that
/// it is waited for, which the server then does not exceed either.
pub(super) async fn make_safe(session: &Session) -> Result<(), SessionError> {
    for sql in [
        Sql::new("SET search_path TO pg_catalog"),
        Sql::new("SET enable_case_sensitive_identifier TO true"),
        Sql::new("SET statement_timeout TO ").number(session.statement_timeout()),
    ] {
        session.run(&sql).await?;
    }
    Ok(())
}

/// What the catalogue says of the end of a user's password.
pub(super) struct Expiry {
    /// Whether the user is a superuser, who may move that date.
    pub(super) superuser: bool,
    /// Whether the password ends before `wanted`.
    pub(super) too_soon: bool,
    /// Whether it ends at all.
    pub(super) ends: bool,
    /// Until when a new password is to be valid, where it has to end.
    pub(super) wanted: String,
}

/// Asks for the date of a user; none if there is no such user.
pub(super) async fn expiry(
    session: &Session,
    username: &str,
    days: u16,
) -> Result<Option<Expiry>, SessionError> {
    let wanted = |sql: Sql| {
        let sql = sql.text("now() + interval '").number(days.max(1));
        sql.text(" days'")
    };
    let question = Sql::new("SELECT usesuper, valuntil::timestamptz < ");
    let question =
        wanted(question).text(", valuntil::timestamptz < now() + interval '36500 days', to_char((");
    let question = wanted(question)
        .text(") AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00' ")
        .text("FROM pg_catalog.pg_user WHERE usename = ")
        .escaped(Literal(username));
    let row = session.rows(&question).await?.pop();
    Ok(row.map(|row| {
        let text = |column: usize| row.get(column).and_then(Option::as_deref);
        Expiry {
            superuser: text(0) == Some("t"),
            too_soon: text(1) == Some("t"),
            ends: text(2) == Some("t"),
            wanted: text(3).unwrap_or_default().to_owned(),
        }
    }))
}
