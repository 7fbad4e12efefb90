//! The owner role of a new pair.
//!
//! The first user is renamed, and so *is* the owner role: objects, rights, memberships and default
//! privileges in all databases stay where they are, without a lock on any table. `REASSIGN OWNED` would
//! reach the objects of one database only, lock each of them, and leave behind the rights on what belongs
//! to others. In the same transaction the user is made anew, with the password that it has.

use secrets_core::rotator::RotatorError;

use super::connection::Session;
use super::credential::{Login, NAMES};
use super::error::SessionError;
use super::password::with_password;
use super::portrait::Portrait;
use super::twin::Twin;
use super::wording::Stage;
use crate::postgres_wire::{Ident, Literal, Sql};

/// The owner role is named like the first user of the pair, and this.
const SUFFIX: &str = "_owner";

/// What every refusal ends with.
const OTHERWISE: &str = "set PAIR_LAYOUT to member, which leaves `current_user` as it is";

/// Whether a session of the user finds a schema by its own name. It would no longer: what `"$user"` in
/// `search_path` stands for is the role that the session acts as.
pub(super) async fn refusal(session: &Session) -> Result<Option<RotatorError>, SessionError> {
    let question = Sql::new("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = current_user ")
        .text("AND pg_catalog.strpos(pg_catalog.current_setting('search_path'), '$user') > 0");
    let found = session.run(&question).await?;
    Ok(found.map(|_| {
        RotatorError::misconfigured(format!(
            "the user finds a schema by its own name (`\"$user\"` in search_path), and with an owner role it \
             would not: name the schema in the user's search_path, or {OTHERWISE}"
        ))
    }))
}

/// Makes the owner role of the first user.
pub(super) async fn introduce(twin: &Twin<'_>, user: &Portrait) -> Result<(), RotatorError> {
    let first = &twin.partner.name;
    if let Some(refusal) = &twin.no_owner {
        return Err(refusal.clone());
    }
    if twin.proven.username != *first {
        return Err(RotatorError::misconfigured(
            "the second user is missing, and the password of the first is not known; correct the current \
             version of the secret",
        ));
    }
    let owner = format!("{}{SUFFIX}", twin.pair.base(first));
    check(twin, &owner).await?;

    let expiry = expiry(twin, first).await?;
    let rename = Sql::new("ALTER ROLE ").ident(Ident(first));
    let rename = rename.text(" RENAME TO ").ident(Ident(&owner));
    twin.run(Stage::Make, &rename).await?;
    let create = Sql::new("CREATE ROLE ").ident(Ident(first));
    twin.run(Stage::Make, &create.text(" NOLOGIN INHERIT"))
        .await?;
    let Some(fresh) = twin.portrait(first).await? else {
        return Err(twin.peer().broken("while a role was made"));
    };
    twin.run_all(&user.steps(first, &fresh)).await?;
    twin.run_all(&twin.join(&owner, first)).await?;
    let close = Sql::new("ALTER ROLE ").ident(Ident(&owner));
    twin.run(Stage::Make, &close.text(" NOLOGIN PASSWORD NULL"))
        .await?;
    keep_password(twin, expiry.as_deref()).await
}

/// What would notice that `current_user` is another one.
async fn check(twin: &Twin<'_>, owner: &str) -> Result<(), RotatorError> {
    let first = &twin.partner.name;
    let refused = |why: &str| {
        let peer = twin.peer();
        Err(RotatorError::misconfigured(format!(
            "{peer}: {why}; {OTHERWISE}"
        )))
    };
    if owner.len() > NAMES.longest_bytes {
        return refused("the name of the owner role would be longer than 63 bytes");
    }
    let managed = Sql::new("SELECT 1 FROM pg_roles AS r WHERE rolname = ")
        .literal(Literal(first))
        .text(" AND (rolsuper OR EXISTS (SELECT 1 FROM pg_roles AS rds ")
        .text("WHERE rds.rolname = 'rds_superuser' AND pg_has_role(r.oid, rds.oid, 'MEMBER')))");
    if twin.run(Stage::Look, &managed).await?.is_some() {
        return refused("the user is a superuser, or the one that RDS manages, and keeps its name");
    }
    let taken = Sql::new("SELECT 1 FROM pg_roles WHERE rolname = ").literal(Literal(owner));
    if twin.run(Stage::Look, &taken).await?.is_some() {
        return refused(
            "a role of the name of the owner role (`_owner` at its end) is there already",
        );
    }
    let members =
        Sql::new("SELECT 1 FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.roleid ")
            .text("WHERE r.rolname = ")
            .literal(Literal(first))
            .text(
                " AND m.member <> (SELECT oid FROM pg_roles WHERE rolname = current_user) LIMIT 1",
            );
    if twin.run(Stage::Look, &members).await?.is_some() {
        return refused(
            "other roles are members of the user, and SET ROLE would lead them elsewhere",
        );
    }
    let policies = Sql::new(
        "SELECT 1 FROM pg_policy WHERE concat(pg_get_expr(polqual, polrelid), ' ', ",
    )
    .text(
        "pg_get_expr(polwithcheck, polrelid)) ~ E'\\\\m(CURRENT_USER|CURRENT_ROLE|USER)\\\\M' LIMIT 1",
    );
    if twin.run(Stage::Look, &policies).await?.is_some() {
        return refused(
            "row security policies ask for `current_user`, which will be the owner role",
        );
    }
    Ok(())
}

/// The date until which the password is valid, if there is one.
async fn expiry(twin: &Twin<'_>, first: &str) -> Result<Option<String>, RotatorError> {
    let question = Sql::new("SELECT to_char(rolvaliduntil AT TIME ZONE 'UTC', ")
        .text("'YYYY-MM-DD HH24:MI:SS') || '+00' FROM pg_roles ")
        .text("WHERE isfinite(rolvaliduntil) AND rolname = ")
        .literal(Literal(first));
    twin.run(Stage::Look, &question).await
}

async fn keep_password(twin: &Twin<'_>, valid_until: Option<&str>) -> Result<(), RotatorError> {
    let login = Login {
        username: twin.partner.name.clone(),
        password: twin.proven.password.clone(),
    };
    let alter = Sql::new("ALTER ROLE ").ident(Ident(&login.username));
    let form = twin.settings.password_form;
    let alter = with_password(alter.text(" LOGIN"), &login, form, valid_until);
    match twin.session.run(&alter).await {
        Ok(_) => Ok(()),
        Err(SessionError::Broken(fault)) => Err(fault),
        Err(SessionError::Refused(state)) => Err(RotatorError::misconfigured(format!(
            "{} does not take the password that the user has once more; {OTHERWISE}",
            twin.peer()
        ))
        .with_code(state.code())),
    }
}
