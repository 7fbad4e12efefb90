//! What is asked of the server's catalogue.
//!
//! Only views of the schema `sys` and built-in functions are named, so nothing of a database's own answers. Names
//! come back as columns, and become part of a statement here, quoted.

use secrets_core::rotator::RotatorError;

use super::change::Keeper;
use super::connection::{Record, Session};
use super::error::{Peer, SessionError};
use super::rights::{Line, Rights, Unclear};
use super::sql::{Literal, Sql};

/// A principal and its id, which is the server's or the database's.
pub(super) struct Principal {
    pub(super) id: i32,
    pub(super) name: String,
    /// Where names without a schema are looked up first.
    pub(super) schema: Option<String>,
}

/// What keeps the password of the session's own user.
pub(super) async fn own_keeper(session: &mut Session) -> Result<Keeper, SessionError> {
    let sql = Sql::new("SELECT CONVERT(int, authentication_type) AS kind FROM ")
        .text("sys.database_principals WHERE principal_id = DATABASE_PRINCIPAL_ID()");
    let found = session.records(&sql).await?;
    let kind = found.first().and_then(|record| record.number("kind"));
    // 2: DATABASE, a password that the database keeps.
    Ok(if kind == Some(2) {
        Keeper::User
    } else {
        Keeper::Login
    })
}

/// What keeps the password of a user of this name, who logs in to this database: a contained one is asked
/// first. May leave the session in there.
pub(super) async fn keeper_of(
    session: &mut Session,
    username: &str,
    database: &str,
) -> Result<Keeper, RotatorError> {
    let sql = Sql::new(
        "SELECT CONVERT(int, containment) AS containment FROM sys.databases WHERE name = ",
    )
    .literal(Literal(database));
    let answer = session.records(&sql).await;
    let answer = answer.map_err(|fault| fault.of_statement(session.peer()))?;
    let Some(found) = answer.first() else {
        return Err(RotatorError::misconfigured(format!(
            "`dbname` names no database of {}; correct it in the secret",
            session.peer()
        )));
    };
    if found.number("containment") == Some(0) {
        return Ok(Keeper::Login);
    }
    let entered = session.enter(database).await;
    entered.map_err(|fault| not_entered(fault, session.peer()))?;
    let found = user(session, Keeper::User, username).await;
    let found = found.map_err(|fault| fault.of_statement(session.peer()))?;
    Ok(if found.is_some() {
        Keeper::User
    } else {
        Keeper::Login
    })
}

pub(super) fn not_entered(fault: SessionError, peer: &Peer) -> RotatorError {
    fault.explained(peer, |code| {
        (code == 916).then(|| {
            RotatorError::refused(format!(
                "{peer} may not enter a database of the users; CREATE USER .. FOR LOGIN the admin there, and \
                 ALTER ROLE db_owner ADD MEMBER it"
            ))
        })
    })
}

/// The databases that the session may enter: those that are up, but `tempdb`, which begins anew with the
/// server, and snapshots, which cannot be changed.
pub(super) async fn databases(session: &mut Session) -> Result<Vec<String>, SessionError> {
    let sql =
        Sql::new("SELECT name FROM sys.databases WHERE state = 0 AND HAS_DBACCESS(name) = 1 ")
            .text("AND source_database_id IS NULL AND database_id <> 2 ORDER BY database_id");
    let found = session.records(&sql).await?;
    Ok(found.iter().filter_map(|it| it.text("name")).collect())
}

/// The user of a login, or the user of that name that the database itself keeps, in the database that the
/// session is in.
pub(super) async fn user(
    session: &mut Session,
    keeper: Keeper,
    name: &str,
) -> Result<Option<Principal>, SessionError> {
    let sql = Sql::new(
        "SELECT principal_id, name, default_schema_name FROM sys.database_principals WHERE ",
    );
    let sql = match keeper {
        Keeper::Login => sql
            .text("sid = SUSER_SID(")
            .literal(Literal(name))
            .text(")"),
        Keeper::User => sql
            .text("authentication_type = 2 AND name = ")
            .literal(Literal(name)),
    };
    let found = session.records(&sql).await?;
    Ok(found.first().and_then(|record| {
        Some(Principal {
            id: record.number("principal_id")?,
            name: record.text("name")?,
            schema: record.text("default_schema_name"),
        })
    }))
}

/// A login of the server, with its options.
pub(super) async fn login(
    session: &mut Session,
    name: &str,
) -> Result<Option<Record>, SessionError> {
    let sql = Sql::new("SELECT principal_id, default_database_name, default_language_name, ")
        .text("CONVERT(int, is_policy_checked) AS policy, ")
        .text("CONVERT(int, is_expiration_checked) AS expiration, ")
        .text("CONVERT(int, is_disabled) AS disabled FROM sys.sql_logins WHERE name = ")
        .literal(Literal(name));
    Ok(session.records(&sql).await?.into_iter().next())
}

/// The roles of a login.
pub(super) fn server_roles(id: i32) -> Sql {
    Sql::new("SELECT r.name FROM sys.server_role_members AS m ")
        .text("LEFT JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id ")
        .text("WHERE m.member_principal_id = ")
        .number(id)
}

/// What a user owns: that cannot be shared.
pub(super) async fn owns(session: &mut Session, id: i32) -> Result<bool, SessionError> {
    const OWNED: [&str; 10] = [
        "sys.schemas WHERE principal_id = ",
        "sys.objects WHERE principal_id = ",
        "sys.types WHERE principal_id = ",
        "sys.database_principals WHERE owning_principal_id = ",
        "sys.assemblies WHERE principal_id = ",
        "sys.xml_schema_collections WHERE principal_id = ",
        "sys.symmetric_keys WHERE principal_id = ",
        "sys.asymmetric_keys WHERE principal_id = ",
        "sys.certificates WHERE principal_id = ",
        "sys.services WHERE principal_id = ",
    ];
    let mut sql = Sql::new("SELECT ");
    for (at, owned) in OWNED.into_iter().enumerate() {
        let joined = if at == 0 { sql } else { sql.text(" + ") };
        let count = joined.text("(SELECT COUNT(*) FROM ").text(owned);
        sql = count.number(id).text(")");
    }
    let found = session.records(&sql.text(" AS owned")).await?;
    let owned = found.first().and_then(|record| record.number("owned"));
    // No answer is no reason to go on.
    Ok(owned != Some(0))
}

/// The rights of a login.
pub(super) fn server_rights(id: i32) -> Sql {
    Sql::new("SELECT p.class_desc, p.permission_name, p.state_desc, l.type_desc AS kind, ")
        .text("CONVERT(nvarchar(128), NULL) AS scope, ")
        .text("CASE p.class WHEN 101 THEN l.name WHEN 105 THEN e.name END AS name, ")
        .text("CONVERT(nvarchar(128), NULL) AS column_name, p.minor_id ")
        .text("FROM sys.server_permissions AS p LEFT JOIN sys.server_principals AS l ")
        .text("ON p.class = 101 AND l.principal_id = p.major_id LEFT JOIN sys.endpoints AS e ")
        .text("ON p.class = 105 AND e.endpoint_id = p.major_id WHERE p.grantee_principal_id = ")
        .number(id)
}

/// The names that each class of rights is on; all in one collation, since the views have three.
const NAMES: &str = "CASE p.class \
    WHEN 1 THEN o.name COLLATE DATABASE_DEFAULT \
    WHEN 3 THEN SCHEMA_NAME(p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 4 THEN u.name COLLATE DATABASE_DEFAULT \
    WHEN 5 THEN (SELECT name FROM sys.assemblies WHERE assembly_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 6 THEN t.name COLLATE DATABASE_DEFAULT \
    WHEN 10 THEN x.name COLLATE DATABASE_DEFAULT \
    WHEN 15 THEN (SELECT name FROM sys.service_message_types WHERE message_type_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 16 THEN (SELECT name FROM sys.service_contracts WHERE service_contract_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 17 THEN (SELECT name FROM sys.services WHERE service_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 18 THEN (SELECT name FROM sys.remote_service_bindings WHERE remote_service_binding_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 19 THEN (SELECT name FROM sys.routes WHERE route_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 23 THEN (SELECT name FROM sys.fulltext_catalogs WHERE fulltext_catalog_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 24 THEN (SELECT name FROM sys.symmetric_keys WHERE symmetric_key_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 25 THEN (SELECT name FROM sys.certificates WHERE certificate_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 26 THEN (SELECT name FROM sys.asymmetric_keys WHERE asymmetric_key_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 29 THEN (SELECT name FROM sys.fulltext_stoplists WHERE stoplist_id = p.major_id) COLLATE DATABASE_DEFAULT \
    WHEN 31 THEN (SELECT name FROM sys.registered_search_property_lists WHERE property_list_id = p.major_id) COLLATE DATABASE_DEFAULT \
    END AS name";

/// The rights of a user of the database that the session is in.
pub(super) fn database_rights(id: i32) -> Sql {
    Sql::new("SELECT p.class_desc, p.permission_name, p.state_desc, u.type_desc AS kind, ")
        .text("SCHEMA_NAME(CASE p.class WHEN 1 THEN o.schema_id WHEN 6 THEN t.schema_id ")
        .text("WHEN 10 THEN x.schema_id END) AS scope, ")
        .text(NAMES)
        .text(", c.name AS column_name, p.minor_id FROM sys.database_permissions AS p ")
        .text("LEFT JOIN sys.all_objects AS o ON p.class = 1 AND o.object_id = p.major_id ")
        .text("LEFT JOIN sys.all_columns AS c ON p.class = 1 AND p.minor_id > 0 ")
        .text("AND c.object_id = p.major_id AND c.column_id = p.minor_id ")
        .text("LEFT JOIN sys.database_principals AS u ON p.class = 4 AND u.principal_id = p.major_id ")
        .text("LEFT JOIN sys.types AS t ON p.class = 6 AND t.user_type_id = p.major_id ")
        .text("LEFT JOIN sys.xml_schema_collections AS x ON p.class = 10 ")
        .text("AND x.xml_collection_id = p.major_id WHERE p.grantee_principal_id = ")
        .number(id)
}

/// The roles of a user of the database that the session is in.
pub(super) fn database_roles(id: i32) -> Sql {
    Sql::new("SELECT r.name FROM sys.database_role_members AS m ")
        .text("LEFT JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id ")
        .text("WHERE m.member_principal_id = ")
        .number(id)
}

/// The answer to one of the questions for rights.
pub(super) async fn rights(session: &mut Session, sql: &Sql) -> Result<Rights, RotatorError> {
    let answer = session.records(sql).await;
    let answer = answer.map_err(|fault| fault.of_statement(session.peer()))?;
    let text = |record: &Record, column| record.text(column).unwrap_or_default();
    let lines = answer.iter().map(|record| Line {
        class: text(record, "class_desc"),
        permission: text(record, "permission_name"),
        state: text(record, "state_desc"),
        kind: record.text("kind"),
        schema: record.text("scope"),
        name: record.text("name"),
        column: record.text("column_name"),
        is_column: record.number("minor_id") != Some(0),
    });
    Rights::read(lines).map_err(|unclear| not_passed_on(&unclear, session.peer()))
}

/// The answer to one of the questions for roles.
pub(super) async fn roles(
    session: &mut Session,
    sql: &Sql,
) -> Result<std::collections::BTreeSet<String>, RotatorError> {
    let answer = session.records(sql).await;
    let answer = answer.map_err(|fault| fault.of_statement(session.peer()))?;
    let names = answer.iter().map(|record| record.text("name"));
    let names: Option<_> = names.collect();
    names.ok_or_else(|| not_passed_on(&Unclear::Hidden, session.peer()))
}

fn not_passed_on(unclear: &Unclear, peer: &Peer) -> RotatorError {
    match unclear {
        Unclear::Unknown => RotatorError::misconfigured(format!(
            "a user of the pair has a right at {peer} of a kind that is not understood here (such as one on an \
             availability group or a database scoped credential, or an exception for a column); nothing was \
             changed; give it to a role, and make both users members of that"
        )),
        Unclear::Hidden => RotatorError::refused(format!(
            "{peer} is not shown all that the users of the pair may do; GRANT VIEW ANY DEFINITION TO the admin; \
             nothing was changed"
        )),
    }
}
