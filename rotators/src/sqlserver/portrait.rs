//! All that a user may do, and what is set for it: at the server, and in each database.

use std::collections::{BTreeMap, BTreeSet};

use secrets_core::rotator::RotatorError;

use super::catalogue::{self, Principal};
use super::change::Keeper;
use super::connection::{Record, Session};
use super::rights::Rights;

/// A user as the server shows it.
#[derive(Debug)]
pub(super) struct Portrait {
    /// None: a user that a contained database keeps.
    pub(super) login: Option<LoginPart>,
    /// By the name of the database.
    pub(super) users: BTreeMap<String, UserPart>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoginPart {
    pub(super) options: LoginOptions,
    pub(super) is_disabled: bool,
    pub(super) roles: BTreeSet<String>,
    pub(super) rights: Rights,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoginOptions {
    pub(super) database: Option<String>,
    pub(super) language: Option<String>,
    pub(super) checks_policy: bool,
    pub(super) checks_expiration: bool,
}

#[derive(Debug)]
pub(super) struct UserPart {
    pub(super) name: String,
    pub(super) schema: Option<String>,
    pub(super) roles: BTreeSet<String>,
    pub(super) rights: Rights,
}

impl UserPart {
    /// May do nothing, not even enter: as good as none.
    pub(super) fn is_nobody(&self) -> bool {
        self.roles.is_empty() && self.rights.is_empty()
    }
}

impl Portrait {
    /// What the session sees of the user; None: there is none of that name.
    pub(super) async fn of(
        session: &mut Session,
        keeper: Keeper,
        name: &str,
        databases: &[String],
    ) -> Result<Option<Self>, RotatorError> {
        let login = match keeper {
            Keeper::User => None,
            Keeper::Login => match Self::login(session, name).await? {
                None => return Ok(None),
                found => found,
            },
        };
        let mut users = BTreeMap::new();
        for database in databases {
            let entered = session.enter(database).await;
            entered.map_err(|fault| catalogue::not_entered(fault, session.peer()))?;
            let found = catalogue::user(session, keeper, name).await;
            let found = found.map_err(|fault| fault.of_statement(session.peer()))?;
            if let Some(user) = found {
                let part = Self::user(session, user, database).await?;
                users.insert(database.clone(), part);
            }
        }
        if login.is_none() && users.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { login, users }))
    }

    async fn login(session: &mut Session, name: &str) -> Result<Option<LoginPart>, RotatorError> {
        let found = catalogue::login(session, name).await;
        let found = found.map_err(|fault| fault.of_statement(session.peer()))?;
        let Some(found) = found else {
            return Ok(None);
        };
        let Some(id) = found.number("principal_id") else {
            return Ok(None);
        };
        let is_on = |record: &Record, column| record.number(column) == Some(1);
        Ok(Some(LoginPart {
            options: LoginOptions {
                database: found.text("default_database_name"),
                language: found.text("default_language_name"),
                checks_policy: is_on(&found, "policy"),
                checks_expiration: is_on(&found, "expiration"),
            },
            is_disabled: is_on(&found, "disabled"),
            roles: catalogue::roles(session, &catalogue::server_roles(id)).await?,
            rights: catalogue::rights(session, &catalogue::server_rights(id)).await?,
        }))
    }

    async fn user(
        session: &mut Session,
        user: Principal,
        database: &str,
    ) -> Result<UserPart, RotatorError> {
        /// The owner of a database is this one there.
        const DBO: i32 = 1;
        let owns = user.id == DBO || {
            let owns = catalogue::owns(session, user.id).await;
            owns.map_err(|fault| fault.of_statement(session.peer()))?
        };
        if owns {
            return Err(RotatorError::misconfigured(format!(
                "one of the two users of the pair owns a database of {} ({database}), or a schema, role or \
                 another object in it, which two cannot share; ALTER AUTHORIZATION ON it to another one, and \
                 make the first user a member of a role with the rights; nothing was changed",
                session.peer()
            )));
        }
        Ok(UserPart {
            roles: catalogue::roles(session, &catalogue::database_roles(user.id)).await?,
            rights: catalogue::rights(session, &catalogue::database_rights(user.id)).await?,
            name: user.name,
            schema: user.schema,
        })
    }
}

/// In what a user is not like the model, both ways.
pub(super) fn difference(model: &Portrait, own: &Portrait) -> Option<&'static str> {
    if let (Some(model), Some(own)) = (&model.login, &own.login) {
        if model.options != own.options || model.is_disabled != own.is_disabled {
            return Some("the options of the two logins differ");
        }
        if model.roles != own.roles {
            return Some("the two logins have different server roles");
        }
        if model.rights != own.rights {
            return Some("the two logins have different rights at the server");
        }
    }
    let databases: BTreeSet<_> = model.users.keys().chain(own.users.keys()).collect();
    databases.into_iter().find_map(|database| {
        match (model.users.get(database), own.users.get(database)) {
            (Some(one), None) | (None, Some(one)) if one.is_nobody() => None,
            (Some(model), Some(own)) => in_database(model, own),
            _ => Some("only one of the two may enter a database"),
        }
    })
}

fn in_database(model: &UserPart, own: &UserPart) -> Option<&'static str> {
    if model.is_nobody() && own.is_nobody() {
        return None;
    }
    if model.schema != own.schema {
        return Some("the two users have different default schemas in a database");
    }
    if model.roles != own.roles {
        return Some("the two users have different roles in a database");
    }
    (model.rights != own.rights).then_some("the two users have different rights in a database")
}
