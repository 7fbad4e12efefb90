//! What sessions of these servers are prepared with.

use crate::postgres_wire::Sql;
pub(super) use crate::postgres_wire::{Entry, Row, Session, SessionError};

/// Makes the session take names from the system catalogue only, so that no object of somebody else's
/// runs with its rights; lets it write where the role's settings say that it shall not; and gives each
/// statement the time that it is waited for, which the server then does not exceed either.
pub(super) async fn make_safe(session: &Session) -> Result<(), SessionError> {
    let sql =
        Sql::new("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false), ")
            .text("pg_catalog.set_config('default_transaction_read_only', 'off', false), ")
            .text("pg_catalog.set_config('statement_timeout', '")
            .number(session.statement_timeout())
            .text("', false)");
    session.run(&sql).await.map(drop)
}
