//! The statements that make a user like another one.

use std::collections::BTreeSet;

use super::portrait::{LoginOptions, LoginPart, Portrait, UserPart};
use super::sql::{Ident, Sql};

/// A statement, and the database in which it has its meaning; None: the server's (`master`).
pub(super) struct Action {
    pub(super) database: Option<String>,
    pub(super) sql: Sql,
}

/// The options of a login after `WITH`.
pub(super) fn with_options(sql: Sql, options: &LoginOptions) -> Sql {
    let on = |is_on| if is_on { "ON" } else { "OFF" };
    let mut sql = sql;
    if let Some(database) = &options.database {
        sql = sql
            .text("DEFAULT_DATABASE = ")
            .ident(Ident(database))
            .text(", ");
    }
    if let Some(language) = &options.language {
        sql = sql
            .text("DEFAULT_LANGUAGE = ")
            .ident(Ident(language))
            .text(", ");
    }
    sql.text("CHECK_EXPIRATION = ")
        .text(on(options.checks_expiration))
        .text(", CHECK_POLICY = ")
        .text(on(options.checks_policy))
}

/// What brings `own` closer to `model`. `login` is the name of its login, and `name_in` says what its user in a
/// database is to be called, given what the model's is.
pub(super) fn actions(
    model: &Portrait,
    own: &Portrait,
    login: &str,
    name_in: impl Fn(&str) -> String,
) -> Vec<Action> {
    let mut actions = Vec::new();
    if let (Some(model), Some(own)) = (&model.login, &own.login) {
        let sqls = at_server(model, own, login);
        actions.extend(sqls.into_iter().map(|sql| Action {
            database: None,
            sql,
        }));
    }
    let databases: BTreeSet<_> = model.users.keys().chain(own.users.keys()).collect();
    for database in databases {
        let sqls = match (model.users.get(database), own.users.get(database)) {
            (Some(model), None) if model.is_nobody() => Vec::new(),
            (Some(model), own) => in_database(model, own, login, &name_in),
            // It stays, since it may own something, and may do nothing.
            (None, Some(own)) => taking_all(own),
            (None, None) => Vec::new(),
        };
        actions.extend(sqls.into_iter().map(|sql| Action {
            database: Some(database.clone()),
            sql,
        }));
    }
    actions
}

fn at_server(model: &LoginPart, own: &LoginPart, login: &str) -> Vec<Sql> {
    let alter = || Sql::new("ALTER LOGIN ").ident(Ident(login));
    let mut sqls = Vec::new();
    if model.options != own.options {
        sqls.push(with_options(alter().text(" WITH "), &model.options));
    }
    if model.is_disabled != own.is_disabled {
        let word = if model.is_disabled {
            " DISABLE"
        } else {
            " ENABLE"
        };
        sqls.push(alter().text(word));
    }
    sqls.extend(membership(
        "ALTER SERVER ROLE ",
        &model.roles,
        &own.roles,
        login,
    ));
    sqls.extend(model.rights.steps(&own.rights, login));
    sqls
}

fn in_database(
    model: &UserPart,
    own: Option<&UserPart>,
    login: &str,
    name_in: &impl Fn(&str) -> String,
) -> Vec<Sql> {
    let Some(own) = own else {
        // What it may do is seen, and then brought into line, in the next round.
        let create = Sql::new("CREATE USER ").ident(Ident(&name_in(&model.name)));
        let create = create.text(" FOR LOGIN ").ident(Ident(login));
        return vec![match &model.schema {
            Some(schema) => create.text(" WITH DEFAULT_SCHEMA = ").ident(Ident(schema)),
            None => create,
        }];
    };
    let mut sqls = Vec::new();
    if let Some(schema) = &model.schema
        && model.schema != own.schema
    {
        let alter = Sql::new("ALTER USER ").ident(Ident(&own.name));
        sqls.push(alter.text(" WITH DEFAULT_SCHEMA = ").ident(Ident(schema)));
    }
    sqls.extend(membership(
        "ALTER ROLE ",
        &model.roles,
        &own.roles,
        &own.name,
    ));
    sqls.extend(model.rights.steps(&own.rights, &own.name));
    sqls
}

fn taking_all(own: &UserPart) -> Vec<Sql> {
    let mut sqls = membership("ALTER ROLE ", &BTreeSet::new(), &own.roles, &own.name);
    let nothing = super::rights::Rights::default();
    sqls.extend(nothing.steps(&own.rights, &own.name));
    sqls
}

fn membership(
    alter: &'static str,
    model: &BTreeSet<String>,
    own: &BTreeSet<String>,
    member: &str,
) -> Vec<Sql> {
    let change = |role: &String, word| {
        let sql = Sql::new(alter).ident(Ident(role)).text(word);
        sql.ident(Ident(member))
    };
    let dropped = own
        .difference(model)
        .map(|role| change(role, " DROP MEMBER "));
    let added = model
        .difference(own)
        .map(|role| change(role, " ADD MEMBER "));
    dropped.chain(added).collect()
}
